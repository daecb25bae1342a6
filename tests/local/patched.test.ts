/** Required modules that are compiled from altered copies: the real builder on two Go modules of a few lines. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { run } from "../../local/process.ts";
import type { Report } from "../../local/report.ts";
import type { Tool } from "../../local/toolchain/tools.ts";
import { GO_OF_THE_MACHINE, shareCompileResults } from "./go-cache.ts";
import { proxyOf, publish, write } from "./go-proxy.ts";

const root = mkdtempSync(join(tmpdir(), "orcheo-patched-"));
vi.stubEnv("ORCHEO_CACHE_DIR", join(root, "cache"));
shareCompileResults(join(root, "cache"));
const { ensureToolchain, toolKey } = await import("../../local/toolchain/build.ts");

const words = "example.org/words";
const fork = "example.org/fork";
const modules = join(root, "modules");
const report: Report = { note: () => undefined, step: (_name, _log, work) => work() };

type Patches = NonNullable<Tool["patched"]>[number];
const say = (patches: Omit<Patches, "goModule">, module = "say"): Tool => ({
    name: "say",
    group: "test",
    version: "1.0.0",
    module,
    packages: ["."],
    go: GO_OF_THE_MACHINE,
    binary: "say",
    patched: [{ goModule: words, ...patches }],
});
const edit = (from: string, to: string) => ({ file: "text/text.go", from, to });

async function output(tool: Tool): Promise<string> {
    const toolchain = await ensureToolchain(["test"], report, { table: [tool], modules, hashes: {} });
    return (await run("sh", ["-c", `${toolchain.bin("say")} 2>&1`])).trim();
}

beforeAll(async () => {
    vi.stubEnv("GOPROXY", await proxyOf(root));
    vi.stubEnv("GONOSUMDB", "*");
    for (const [goModule, subject] of [
        [words, "sun"],
        [fork, "comet"],
    ] as const)
        await publish(root, goModule, "v1.0.0", {
            "go.mod": `module ${goModule}\n\ngo 1.24\n`,
            "text/text.go": `package text\n\nconst Subject = "${subject}"\n\nconst Text = "the " + Subject + " rises"\n`,
        });
    const main = `package main\n\nimport "${words}/text"\n\nfunc main() { println(text.Text) }\n`;
    const required = `module example.org/say\n\ngo 1.24\n\nrequire ${words} v1.0.0\n`;
    write(join(modules, "say"), { "go.mod": required, "main.go": main });
    write(join(modules, "forked"), {
        "go.mod": `${required}\nreplace ${words} => ${fork} v1.0.0\n`,
        "main.go": main,
    });
    write(join(modules, "say", "ours"), {
        "text.go": 'package text\n\nconst Subject = "moon"\n\nconst Text = "the " + Subject + " sets"\n',
    });
    const env = { ...process.env, GOMODCACHE: join(root, "cache", "go", "modules"), GOFLAGS: "-modcacherw" };
    for (const module of ["say", "forked"]) {
        await run("go", ["mod", "download", words], { cwd: join(modules, module), env });
        await run("go", ["mod", "tidy"], { cwd: join(modules, module), env });
    }
});
afterAll(async () => {
    await run("chmod", ["-R", "u+w", root]);
    rmSync(root, { recursive: true, force: true });
});

describe("edits of a required module", () => {
    test("are in the binary, each of them", async () => {
        const edits = [edit('"sun"', '"tide"'), edit("rises", "falls")];
        expect(await output(say({ edits }))).toBe("the tide falls");
    });

    test("apply to a file of ours that replaces the original one, too", async () => {
        const stead = { "text/text.go": "ours/text.go" };
        expect(await output(say({ stead, edits: [edit('"moon"', '"star"')] }))).toBe("the star sets");
    });

    test("apply to what go.mod itself has instead of the module", async () => {
        expect(await output(say({ edits: [edit("rises", "returns")] }, "forked"))).toBe("the comet returns");
    });

    test("are part of the key, so that a changed one is another tool", () => {
        const keyOf = (to: string): string => toolKey(say({ edits: [edit("rises", to)] }), modules);
        expect(keyOf("falls")).not.toBe(keyOf("shines"));
    });

    test.each([
        ["that is no longer there", '"earth"', 0],
        ["that is there twice", "Subject", 2],
    ])("of a place %s are refused, with the module, the file and the text", async (_case, from, times) => {
        await expect(output(say({ edits: [edit(from, "other")] }))).rejects.toThrow(
            `${words}: text/text.go has ${JSON.stringify(from)} ${times} times, not once`,
        );
    });
});
