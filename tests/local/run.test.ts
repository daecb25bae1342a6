/** local/run, with programs in place of those that it would install. */
import { execFile } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";

const run = promisify(execFile);
let folder: string;

function program(name: string, script: string): void {
    const file = join(folder, "bin", name);
    writeFileSync(file, `#!/bin/bash\n${script}\n`);
    chmodSync(file, 0o755);
}

beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "orcheo-run-"));
    mkdirSync(join(folder, "bin"));
    mkdirSync(join(folder, "local"));
    cpSync(join(import.meta.dirname, "../../local/run"), join(folder, "local/run"));
    for (const file of ["local/packages.txt", "package-lock.json", ".npmrc"]) writeFileSync(join(folder, file), "");
    program("node", "echo v24.0.0");
    program("go", "echo go1.26.8");
    // Fails beside another one, as `npm ci` does that finds its files gone.
    program("npm", 'mkdir busy || exit 1; echo "$*" >> installs; sleep 0.3; mkdir -p node_modules; rmdir busy');
});
afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
});

const start = () =>
    run(join(folder, "local/run"), ["echo", "started"], {
        env: { PATH: `${folder}/bin:/usr/bin:/bin`, HOME: folder, ORCHEO_CACHE_DIR: join(folder, "cache") },
    });

it("installs the npm packages once, however many commands start at the same time", async () => {
    const outputs = await Promise.all([start(), start(), start()]);
    expect(outputs.map(({ stdout }) => stdout)).toEqual(["started\n", "started\n", "started\n"]);
    expect(readFileSync(join(folder, "installs"), "utf8")).toBe("ci\n");
    await start();
    expect(readFileSync(join(folder, "installs"), "utf8")).toBe("ci\n");
});
