/** What a killed builder leaves to the next one: real processes, a Go module of a few lines. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { run } from "../../local/process.ts";
import type { Report } from "../../local/report.ts";
import type { Tool } from "../../local/toolchain/tools.ts";
import { GO_OF_THE_MACHINE, shareCompileResults } from "./go-cache.ts";

const root = mkdtempSync(join(tmpdir(), "orcheo-killed-"));
vi.stubEnv("ORCHEO_CACHE_DIR", join(root, "cache"));
const builder = join(import.meta.dirname, "../../local/toolchain/build.ts");
shareCompileResults(join(root, "cache"));
const { ensureToolchain } = await import("../../local/toolchain/build.ts");

const modules = join(root, "modules");
const store = join(root, "cache", "toolchain");
const lock = join(root, "cache", "toolchain.lock");
const started = join(root, "started");
const good: Tool = {
    name: "good",
    group: "test",
    version: "1.2.3",
    module: "good",
    packages: ["."],
    binary: "good",
    go: GO_OF_THE_MACHINE,
};
// The generator of `late` is where the first builder is killed.
const late: Tool = {
    ...good,
    name: "late",
    module: "late",
    binary: "late",
    generate: { package: "./generator", args: () => [] },
};

function write(folder: string, main: string): void {
    mkdirSync(join(modules, folder), { recursive: true });
    writeFileSync(join(modules, folder, "main.go"), `package main\n\n${main}\n`);
}

const steps: string[] = [];
const notes: string[] = [];
const report: Report = {
    note: (text) => void notes.push(text),
    step: (name, _log, work) => {
        steps.push(name);
        return work();
    },
};

afterAll(() => {
    rmSync(root, { recursive: true, force: true });
});

/** What is left of a builder's group: itself and whatever it started. */
const groupLives = (pgid: number): boolean => {
    try {
        process.kill(-pgid, 0);
        return true;
    } catch {
        return false;
    }
};

// SIGINT is what Ctrl-C sends to the whole group.
test.each(["SIGINT", "SIGKILL"] as const)(
    "after %s the next builder goes on with the unfinished tool",
    async (signal) => {
        rmSync(store, { recursive: true, force: true });
        rmSync(started, { force: true });
        steps.length = 0;
        for (const name of ["good", "late"]) {
            write(name, `func main() { print("${name}") }`);
            writeFileSync(join(modules, name, "go.mod"), `module example.org/${name}\n\ngo 1.24\n`);
        }
        write(
            "late/generator",
            `import ("os"; "time")

func main() {
    if os.Getenv("ORCHEO_TEST_HANG") == "" { return }
    if err := os.WriteFile(${JSON.stringify(started)}, nil, 0o600); err != nil { panic(err) }
    time.Sleep(time.Minute)
}`,
        );
        const program = `
        const { ensureToolchain } = await import(${JSON.stringify(builder)});
        const late = { ...${JSON.stringify(late)}, generate: { package: "./generator", args: () => [] } };
        const report = { note() {}, step: (name, log, work) => work() };
        await ensureToolchain(["test"], report, { table: [${JSON.stringify(good)}, late], modules: ${JSON.stringify(modules)} });`;
        const first = spawn(process.execPath, ["--input-type=module", "--eval", program], {
            // A group of its own, so that the kill takes the compiler and the generator with it, as Ctrl-C does.
            detached: true,
            stdio: "inherit",
            env: { ...process.env, ORCHEO_TEST_HANG: "1" },
        });
        const exited = once(first, "exit");
        try {
            await vi.waitFor(
                () => {
                    const built = readdirSync(store).some((name) => /^good-1\.2\.3-[0-9a-f]{12}$/.test(name));
                    expect([existsSync(started), built]).toEqual([true, true]);
                },
                { timeout: 120_000, interval: 100 },
            );
        } finally {
            if (first.pid !== undefined && first.exitCode === null) process.kill(-first.pid, signal);
        }
        expect(await exited).toEqual([null, signal]);
        await vi.waitFor(
            () => {
                expect(groupLives(first.pid ?? 0)).toBe(false);
            },
            { timeout: 10_000 },
        );
        const left = readdirSync(store).filter((name) => name.startsWith("late"));
        expect(left.filter((name) => !name.includes(".part-"))).toEqual([]);
        expect(left).not.toEqual([]);

        const toolchain = await ensureToolchain(["test"], report, { table: [good, late], modules });
        expect(steps).toEqual(["build late 1.2.3"]);
        await run(toolchain.bin("late"), []);
        expect(readdirSync(store).filter((name) => name.includes(".part-"))).toEqual([]);
        expect(existsSync(lock)).toBe(false);
    },
    180_000,
);
