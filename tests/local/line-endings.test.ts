/** A clone on a machine whose Git converts line endings, as Git for Windows does by default. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { projectDir } from "../../local/paths.ts";
import { run } from "../../local/process.ts";

const root = mkdtempSync(join(tmpdir(), "orcheo-line-endings-"));
const clone = join(root, "clone");

/** The files of this work tree, committed or not, become a repository that is then cloned. */
async function cloneWith(setting: string): Promise<void> {
    const source = join(root, "source");
    const ours = ["--git-dir", join(source, ".git"), "--work-tree", projectDir];
    const author = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"];
    await run("git", ["init", "--quiet", source]);
    await run("git", [...ours, "add", "--all"]);
    await run("git", [...ours, ...author, "commit", "--quiet", "--no-verify", "--message", "all files"]);
    await run("git", ["clone", "--quiet", "-c", setting, source, clone]);
}

beforeAll(() => cloneWith("core.autocrlf=true"), 60_000);
afterAll(() => {
    rmSync(root, { recursive: true, force: true });
});

test("every text file has LF line endings in the repository and in the clone", async () => {
    const files = (await run("git", ["-C", clone, "ls-files", "--eol"])).trimEnd().split("\n");
    expect(files.length).toBeGreaterThan(100);
    // Empty files have none, binary files are `-text`.
    expect(files.filter((line) => !/^i\/(lf|none|-text)\s+w\/(lf|none|-text)\s/.test(line))).toEqual([]);
});

test("every executable script of the clone finds its interpreter", async () => {
    const staged = (await run("git", ["-C", clone, "ls-files", "--stage"])).trimEnd().split("\n");
    const scripts = staged.filter((line) => line.startsWith("100755")).map((line) => line.split("\t")[1] ?? "");
    expect(scripts).toEqual(expect.arrayContaining(["local/run", "images/valkey/entrypoint.sh"]));
    for (const script of scripts) {
        // The kernel takes a carriage return for a part of the interpreter's name.
        const [line = ""] = (await run("head", ["-n", "1", join(clone, script)])).split("\n");
        expect(line, script).toMatch(/^#!\/[\w/]+( [\w-]+)?$/);
        const [, interpreter = ""] = /^#!(\S+)/.exec(line) ?? [];
        if (/\/(ba)?sh$/.test(interpreter))
            expect(spawnSync(interpreter, ["-n", join(clone, script)]).status, script).toBe(0);
    }
});
