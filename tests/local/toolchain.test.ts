/** The real builder on a Go module of three lines. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
    chmodSync,
    cpSync,
    existsSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    rmSync,
    utimesSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test, vi } from "vitest";
import { run } from "../../local/process.ts";
import type { Report } from "../../local/report.ts";
import type { Tool } from "../../local/toolchain/tools.ts";
import { GO_OF_THE_MACHINE, shareCompileResults } from "./go-cache.ts";

const root = mkdtempSync(join(tmpdir(), "orcheo-toolchain-"));
vi.stubEnv("ORCHEO_CACHE_DIR", join(root, "cache"));
shareCompileResults(join(root, "cache"));
const { ensureToolchain, fillOnce, onPath, toolKey } = await import("../../local/toolchain/build.ts");

const modules = join(root, "modules");
const source = join(modules, "hello", "main.go");
const hello: Tool = {
    name: "hello",
    group: "test",
    version: "1.34.4",
    module: "hello",
    packages: ["."],
    go: GO_OF_THE_MACHINE,
    binary: "hello",
    probe: ["version"],
};
const store = join(root, "cache", "toolchain");

const lines: string[] = [];
const report: Report = {
    note: (text) => void lines.push(text),
    step: (name, _log, work) => {
        lines.push(name);
        return work();
    },
};
const ensure = () => ensureToolchain(["test"], report, { table: [hello], modules });

const program = (body: string): void => {
    mkdirSync(join(modules, "hello"), { recursive: true });
    writeFileSync(join(modules, "hello", "go.mod"), "module example.org/hello\n\ngo 1.24\n");
    writeFileSync(source, `package main\n\nfunc main() { ${body} }\n`);
};

beforeEach(() => {
    lines.length = 0;
    program('println("hello")');
});
afterAll(() => {
    rmSync(root, { recursive: true, force: true });
});

test("builds once, then says that there is nothing to build", async () => {
    const toolchain = await ensure();
    await run(toolchain.bin("hello"), []);
    await ensure();
    expect(lines).toEqual([
        "toolchain: 1 of 1 tools to build: hello",
        "build hello 1.34.4",
        "toolchain: all 1 tools exist, nothing to build",
    ]);
});

test("a changed module file, version or flag is another key", () => {
    const key = toolKey(hello, modules);
    expect(toolKey(hello, modules)).toBe(key);
    expect(toolKey({ ...hello, version: "1.34.5" }, modules)).not.toBe(key);
    expect(toolKey({ ...hello, tags: ["seccomp"] }, modules)).not.toBe(key);
    expect(toolKey({ ...hello, go: "go1.27.3" }, modules)).not.toBe(key);
    program('println("other")');
    expect(toolKey(hello, modules)).not.toBe(key);
});

test("the same file name in two folders counts in both", () => {
    const other = join(modules, "hello", "part");
    mkdirSync(other, { recursive: true });
    const keyWith = (inRoot: string, inPart: string): string => {
        writeFileSync(join(modules, "hello", "text"), inRoot);
        writeFileSync(join(other, "text"), inPart);
        return toolKey(hello, modules);
    };
    const keys = [keyWith("a", "b"), keyWith("b", "a"), keyWith("a", "a"), keyWith("b", "b")];
    rmSync(other, { recursive: true });
    rmSync(join(modules, "hello", "text"));
    expect(new Set(keys).size).toBe(keys.length);
});

test("after a failure no further build begins, and what is left is named", async () => {
    program('println("hello")');
    const names = ["zero", "one", "two", "three"];
    // Builds of one module wait for each other.
    for (const name of names) cpSync(join(modules, "hello"), join(modules, name), { recursive: true });
    const table = names.map((name) => ({ ...hello, name, module: name, binary: name, probe: undefined }));
    const built: string[] = [];
    const failing: Report = {
        note: () => undefined,
        step: async (name, _log, work) => {
            // The first build compiles the standard library; then one fails while another one runs, which ends well.
            if (name.startsWith("build one")) throw new Error("no compiler");
            const result = await work();
            built.push(name);
            return result;
        },
    };
    await expect(ensureToolchain(["test"], failing, { table, modules })).rejects.toThrow(
        "no compiler\nStill to build: one, three; the next run resumes with them.",
    );
    expect(built).toEqual(["build zero 1.34.4", "build two 1.34.4"]);
    lines.length = 0;
    await ensureToolchain(["test"], report, { table, modules });
    expect(lines[0]).toBe("toolchain: 2 of 4 tools to build: one, three");
});

test("a build that fails shows the end of its log and leaves no half tool", async () => {
    program("this does not compile");
    await expect(ensure()).rejects.toThrow(/syntax error[\s\S]*Full log: /);
    expect(readdirSync(store).filter((name) => name.includes(".part-"))).toEqual([]);
});

test("what a killed build left is swept, and its lock file is no hindrance", async () => {
    program('println("after a kill")');
    mkdirSync(join(store, "hello-1.34.4-000000000000.part-abc"), { recursive: true });
    writeFileSync(join(root, "cache", "toolchain.lock"), "999999999");
    const toolchain = await ensure();
    expect(existsSync(toolchain.bin("hello"))).toBe(true);
    expect(readdirSync(store).filter((name) => name.includes("hello-1.34.4-000000000000"))).toEqual([]);
});

test("of two processes that link the tools at once, the second takes what the first has made", () => {
    const folder = join(store, "bin-raced");
    fillOnce(folder, (own) => {
        writeFileSync(join(own, "of"), "the second");
        fillOnce(folder, (first) => {
            writeFileSync(join(first, "of"), "the first");
        });
    });
    expect(readFileSync(join(folder, "of"), "utf8")).toBe("the first");
    expect(readdirSync(store).filter((name) => name.startsWith("bin-raced"))).toEqual(["bin-raced"]);
    const failing = (): void => {
        throw new Error("no space left");
    };
    expect(() => {
        fillOnce(join(store, "bin-unfilled"), failing);
    }).toThrow("no space left");
    expect(readdirSync(store).filter((name) => name.startsWith("bin-unfilled"))).toEqual([]);
});

test("the PATH is trusted for exactly the wanted version", async () => {
    const bin = join(root, "bin");
    const says = (text: string): void => {
        mkdirSync(bin, { recursive: true });
        writeFileSync(join(bin, "hello"), `#!/bin/sh\necho ${text}\n`);
        chmodSync(join(bin, "hello"), 0o755);
    };
    says("hello v1.34.4");
    expect(await onPath(hello, bin)).toBe(join(bin, "hello"));
    for (const other of ["v1.34.40", "v1.34.3", "21.34.4", "nothing"]) {
        says(other);
        expect(await onPath(hello, bin), other).toBeUndefined();
    }
});

// The last one: it deletes the compile results.
test("while another process builds, its caches are kept and nobody waits for it", async () => {
    await ensure();
    const [go, lock] = [join(root, "cache", "go"), join(root, "cache", "toolchain.lock")];
    utimesSync(go, new Date(0), new Date(0));
    const holder = spawn("flock", ["--no-fork", lock, "sleep", "60"]);
    await vi.waitFor(() => expect(run("flock", ["--nonblock", lock, "true"])).rejects.toThrow(), { timeout: 20_000 });
    await ensure();
    expect(existsSync(go)).toBe(true);
    holder.kill();
    await once(holder, "exit");
    await ensure();
    expect(existsSync(go)).toBe(false);
});
