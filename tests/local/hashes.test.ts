/** The recorded hashes: the real builder on small Go modules, one of them patched. */
import { appendFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { run } from "../../local/process.ts";
import type { Report } from "../../local/report.ts";
import { type Tool, tools } from "../../local/toolchain/tools.ts";
import { GO_OF_THE_MACHINE, shareCompileResults } from "./go-cache.ts";
import { proxyOf, publish, write } from "./go-proxy.ts";

const root = mkdtempSync(join(tmpdir(), "orcheo-hashes-"));
vi.stubEnv("ORCHEO_CACHE_DIR", join(root, "cache"));
shareCompileResults(join(root, "cache"));
const { ensureToolchain, folderOf, toolKey } = await import("../../local/toolchain/build.ts");
const { hashFiles, isReproducible, platform, recordedHashes } = await import("../../local/toolchain/hashes.ts");
const { compareAll } = await import("../../local/toolchain/record-hashes.ts");
type Hashes = ReturnType<typeof recordedHashes>;

const greeting = "example.org/greeting";
const modules = join(root, "modules");
const tool: Tool = {
    name: "greet",
    group: "test",
    version: "1.0.0",
    module: "greet",
    packages: ["."],
    go: GO_OF_THE_MACHINE,
    binary: "greet",
    patched: [{ goModule: greeting, stead: { "text.go": "ours/text.go" } }],
};

const notes: string[] = [];
const report: Report = { note: (text) => void notes.push(text), step: (_name, _log, work) => work() };
const build = (from: string, hashes: Hashes = {}) =>
    ensureToolchain(["test"], report, { table: [tool], modules: from, hashes });
const place = (built: Tool) => ({ key: toolKey(built, modules), folder: folderOf(built, modules) });
const forget = (): void => {
    rmSync(place(tool).folder, { recursive: true, force: true });
};
const recordOf = (files: Record<string, string>): Hashes => ({
    [platform]: { greet: { version: tool.version, key: toolKey(tool, modules), files } },
});

beforeAll(async () => {
    vi.stubEnv("GOPROXY", await proxyOf(root));
    vi.stubEnv("GONOSUMDB", "*");
    const text = (words: string): string => `package greeting\n\nconst Text = "${words}"\n`;
    await publish(root, greeting, "v1.0.0", { "go.mod": `module ${greeting}\n\ngo 1.24\n`, "text.go": text("theirs") });
    write(join(modules, "greet"), {
        "go.mod": `module example.org/greet\n\ngo 1.24\n\nrequire ${greeting} v1.0.0\n`,
        "main.go": `package main\n\nimport "${greeting}"\n\nfunc main() { println(greeting.Text) }\n`,
    });
    write(join(modules, "greet", "ours"), { "text.go": text("ours") });
    const env = { ...process.env, GOMODCACHE: join(root, "cache", "go", "modules"), GOFLAGS: "-modcacherw" };
    await run("go", ["mod", "download", greeting], { cwd: join(modules, "greet"), env });
    await run("go", ["mod", "tidy"], { cwd: join(modules, "greet"), env });
});
beforeEach(() => {
    notes.length = 0;
    forget();
});
afterAll(async () => {
    await run("chmod", ["-R", "u+w", root]);
    rmSync(root, { recursive: true, force: true });
});

test("a tool with a patched module is the same from another folder and another temporary one", async () => {
    const toolchain = await build(modules);
    const first = await hashFiles(place(tool).folder);
    expect((await run("sh", ["-c", `${toolchain.bin("greet")} 2>&1`])).trim()).toBe("ours");
    forget();
    const other = join(root, "a", "longer", "path", "of", "modules");
    cpSync(modules, other, { recursive: true });
    await build(other);
    expect(await hashFiles(place(tool).folder)).toEqual(first);
});

test("a user's own settings of the compiler do not change a tool", async () => {
    await build(modules);
    const first = await hashFiles(place(tool).folder);
    forget();
    vi.stubEnv("GOAMD64", "v3");
    vi.stubEnv("GOFLAGS", "-tags=other");
    await build(modules).finally(() => {
        vi.stubEnv("GOAMD64", undefined);
        vi.stubEnv("GOFLAGS", undefined);
    });
    expect(await hashFiles(place(tool).folder)).toEqual(first);
});

test("the compiler is that of the module proxy, also where the machine has the same version, and has to have its checksum", async () => {
    const own = (await run("go", ["env", "GOVERSION", "GOOS", "GOARCH"])).trim().split("\n");
    const [version = "", system = "", processor = ""] = own;
    const files = { "go.mod": "module golang.org/toolchain\n", "bin/go": "#!/bin/sh\n", "pkg/tool/note": "" };
    await publish(root, "golang.org/toolchain", `v0.0.1-${version}.${system}-${processor}`, files);
    const table: Tool[] = [{ ...tool, go: version }];
    await expect(ensureToolchain(["test"], report, { table, modules, hashes: {} })).rejects.toMatchObject({
        cause: { message: expect.stringMatching(/golang\.org\/toolchain.*checksum mismatch/s) as string },
    });
});

test("a build that differs is used, with a warning that has both hashes", async () => {
    const recorded = "0".repeat(64);
    await build(modules, recordOf({ greet: recorded }));
    const { greet = "" } = await hashFiles(place(tool).folder);
    const warning = notes.find((note) => note.startsWith("warning: "));
    expect(warning).toContain(
        `greet 1.0.0, greet: the repository records sha256 ${recorded}, this machine has ${greet} (${place(tool).folder}/greet)`,
    );
});

test("an equal build, and one of other sources, are not warned about", async () => {
    await build(modules);
    const files = await hashFiles(place(tool).folder);
    const others = { [platform]: { greet: { version: "0.9.0", key: "0123456789ab", files: { greet: "0" } } } };
    for (const hashes of [recordOf(files), others, { "linux-other": recordOf({ greet: "0" })[platform] ?? {} }]) {
        forget();
        await build(modules, hashes);
    }
    expect(notes.filter((note) => note.startsWith("warning: "))).toEqual([]);
});

describe("the command", () => {
    test("records a new tool, then reports a tampered binary and keeps the recorded hash", async () => {
        await build(modules);
        const before = await compareAll({}, [tool], place);
        expect(before).toMatchObject({ recorded: ["greet"], differences: [], missing: [] });
        const binary = join(place(tool).folder, "greet");
        appendFileSync(binary, "\0");
        const after = await compareAll(before.hashes, [tool], place);
        const [tampered, recorded] = [await hashFiles(place(tool).folder), before.hashes[platform]?.greet?.files];
        expect(after.differences).toEqual([
            `greet 1.0.0, greet: the repository records sha256 ${recorded?.greet ?? ""}, this machine has ${tampered.greet ?? ""} (${binary})`,
        ]);
        expect(after.hashes).toEqual(before.hashes);
    });

    test("a file too many is a difference; a tool that the C compiler makes is not compared", async () => {
        await build(modules);
        const { hashes } = await compareAll({}, [tool], place);
        writeFileSync(join(place(tool).folder, "extra"), "");
        expect((await compareAll(hashes, [tool], place)).differences).toEqual([
            expect.stringContaining("greet 1.0.0, extra: the repository records sha256 no such file"),
        ]);
        expect(await compareAll({}, [{ ...tool, cgo: true }], place)).toMatchObject({ recorded: [], missing: [] });
    });

    test("forgets tools that are no longer in the table, and keeps other platforms", async () => {
        const entry = { version: "1", key: "k", files: {} };
        const { hashes } = await compareAll({ [platform]: { gone: entry }, other: { gone: entry } }, [tool], place);
        expect(hashes).toEqual({ [platform]: {}, other: { gone: entry } });
    });
});

/** Built before the path of a patched module became a relative one: recorded with its next version. */
const unrecorded = ["external-secrets"];

test.runIf(process.arch === "x64")(
    "every tool that is the same on every machine is recorded, from its present sources",
    () => {
        const recorded = recordedHashes()["linux-x64"] ?? {};
        const wrong = tools
            .filter((each) => isReproducible(each) && !unrecorded.includes(each.name))
            .filter((each) => recorded[each.name]?.key !== toolKey(each))
            .map(({ name, version }) => `${name} ${version}`);
        expect(wrong, "node local/toolchain/build.ts && npm run hashes -- --write").toEqual([]);
        expect(Object.keys(recorded).filter((name) => !tools.some((each) => each.name === name))).toEqual([]);
    },
);
