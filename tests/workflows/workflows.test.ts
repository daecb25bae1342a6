/** The workflows by actionlint and zizmor. `make workflow-test`; tests/unit/workflows.test.ts has the project's own rules. */
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkersDir, logFile, projectDir } from "../../local/paths.ts";
import { run } from "../../local/process.ts";
import { consoleReport } from "../../local/report.ts";
import { ensureToolchain } from "../../local/toolchain/build.ts";

const pins = join(import.meta.dirname, "zizmor.txt");

/** Path of zizmor; installed from PyPI by its hash, once for each state of its pins. */
async function installZizmor(): Promise<string> {
    const key = createHash("sha256").update(readFileSync(pins)).digest("hex").slice(0, 12);
    const folder = join(checkersDir, `zizmor-${key}`);
    if (!existsSync(folder)) {
        const part = `${folder}.part-${process.pid}`;
        mkdirSync(part, { recursive: true });
        const pip = ["-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps", "--only-binary", ":all:"];
        await run("python3", [...pip, "--target", part, "-r", pins], { log: logFile("install-zizmor") });
        renameSync(part, folder);
    }
    return join(folder, "bin", "zizmor");
}

const folder = mkdtempSync(join(tmpdir(), "orcheo-workflows-"));
const checkers: Record<"actionlint" | "zizmor", (project: string) => Promise<string>> = {
    actionlint: () => Promise.reject(new Error("not installed")),
    zizmor: () => Promise.reject(new Error("not installed")),
};

beforeAll(async () => {
    const toolchain = await ensureToolchain(["workflows"], consoleReport());
    const zizmor = await installZizmor();
    // Without shellcheck, whether the machine has it or not.
    checkers.actionlint = (project) =>
        run(toolchain.bin("actionlint"), ["-shellcheck=", "-pyflakes="], { cwd: project });
    checkers.zizmor = (project) => run(zizmor, ["--offline", "--no-progress", ".github"], { cwd: project });
    await run("git", ["init", "--quiet", folder]);
    cpSync(join(projectDir, ".github"), join(folder, ".github"), { recursive: true });
});

afterAll(() => {
    rmSync(folder, { recursive: true });
});

const names = ["actionlint", "zizmor"] as const;

describe.each(names)("%s", (name) => {
    it("finds nothing", async () => {
        await checkers[name](projectDir);
    });
});

const injection = `name: title
on: pull_request
permissions: {}
jobs:
  title:
    runs-on: ubuntu-24.04
    permissions: {}
    steps:
      - run: echo "\${{ github.event.pull_request.title }}"
`;

it.each(names)("%s refuses a title that ends up in a script", async (name) => {
    writeFileSync(join(folder, ".github", "workflows", "title.yml"), injection);
    await expect(checkers[name](folder)).rejects.toThrow("title.yml:9");
});
