import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import type { Report } from "../../local/report.ts";

const root = mkdtempSync(join(tmpdir(), "orcheo-leftovers-"));
vi.stubEnv("ORCHEO_CACHE_DIR", root);
const { compiledCodeDir, keepNewest, removeLeftovers, removeUnread } = await import("../../local/leftovers.ts");

const DAY = 24 * 3600;
const file = (path: string, daysOld = 0): string => {
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, "x");
    const at = Date.now() / 1000 - daysOld * DAY;
    utimesSync(path, at, at);
    return path;
};
const said: string[] = [];
const report: Report = {
    step: (name, _log, work) => {
        said.push(name);
        return work();
    },
    note: () => undefined,
};
afterAll(() => {
    vi.unstubAllEnvs();
    rmSync(root, { recursive: true, force: true });
});

test("compiled code that nobody has read for two days goes, once a day", () => {
    const [old, current] = [file(join(compiledCodeDir, "v24", "old"), 3), file(join(compiledCodeDir, "v24", "new"), 1)];
    removeUnread(compiledCodeDir);
    expect([existsSync(old), existsSync(current)]).toEqual([false, true]);
    file(old, 3);
    removeUnread(compiledCodeDir);
    expect(existsSync(old)).toBe(true);
    removeUnread(compiledCodeDir, Date.now() + 1.5 * DAY * 1000);
    expect(existsSync(old)).toBe(false);
});

test("the newest logs stay", () => {
    const dir = join(root, "logs");
    for (let age = 0; age < 5; age++) file(join(dir, `${age}.log`), age);
    keepNewest(dir, 2);
    expect(readdirSync(dir).sort()).toEqual(["0.log", "1.log"]);
    keepNewest(join(root, "none"), 2);
});

test("a former builder's layers go, unless it is running", async () => {
    const [idle, busy] = ["idle", "busy"].map((name) => file(join(root, "buildkit", name, "buildkitd.lock")));
    const holder = spawn("flock", [busy ?? "", "sh", "-c", "echo locked; exec sleep 60"], {
        stdio: ["ignore", "pipe", "ignore"],
        detached: true,
    });
    await new Promise((done) => holder.stdout.once("data", done));
    await removeLeftovers(report);
    process.kill(-(holder.pid ?? 0));
    expect([idle, busy].map((path) => existsSync(path ?? ""))).toEqual([false, true]);
    expect(said).toEqual([`delete ${join(root, "buildkit", "idle")}: an earlier version's layers of image builds`]);
});
