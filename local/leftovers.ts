/** Removes what piles up without anyone's asking, and what earlier versions left: done at each start, in a moment. */
import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cacheDir } from "./paths.ts";
import { run } from "./process.ts";
import type { Report } from "./report.ts";

/** Node's compiled code of every file that it ever ran, also of deleted checkouts (local/run). */
export const compiledCodeDir = join(cacheDir, "node-compile");
/** The cache of earlier versions' builders, one for each cluster. */
export const formerBuildersDir = join(cacheDir, "buildkit");

const DAY_MS = 24 * 3600 * 1000;
/** Linux records at most once a day that a file was read. */
const UNREAD_DAYS = 2;

export async function removeLeftovers(report: Report): Promise<void> {
    removeUnread(compiledCodeDir);
    for (const path of await unusedBuilders())
        await report.step(`delete ${path}: an earlier version's layers of image builds`, undefined, () => {
            rmSync(path, { recursive: true });
            return Promise.resolve();
        });
}

/** Deletes the files below `dir` that nobody has read for two days. Once a day: there may be 100,000. */
export function removeUnread(dir: string, now = Date.now()): void {
    const looked = `${dir}.looked`;
    if (existsSync(looked) && now - statSync(looked).mtimeMs < DAY_MS) return;
    for (const entry of existsSync(dir) ? readdirSync(dir, { recursive: true, withFileTypes: true }) : []) {
        const file = join(entry.parentPath, entry.name);
        // Another Node may replace or delete it at the same time.
        const read = entry.isFile() ? lstatSync(file, { throwIfNoEntry: false })?.atimeMs : undefined;
        if (read !== undefined && now - read > UNREAD_DAYS * DAY_MS) rmSync(file, { force: true });
    }
    mkdirSync(dirname(looked), { recursive: true });
    writeFileSync(looked, "");
}

/** Deletes all files of a folder but the newest. */
export function keepNewest(dir: string, count: number): void {
    const files = (existsSync(dir) ? readdirSync(dir) : [])
        .map((name) => join(dir, name))
        .map((path) => ({ path, at: statSync(path).mtimeMs }))
        .sort((a, b) => b.at - a.at);
    for (const { path } of files.slice(count)) rmSync(path, { force: true });
}

/** Former builders' folders whose cluster does not run. */
async function unusedBuilders(): Promise<string[]> {
    const folders = (existsSync(formerBuildersDir) ? readdirSync(formerBuildersDir) : []).map((name) =>
        join(formerBuildersDir, name),
    );
    const used = await Promise.all(folders.map((folder) => isLocked(join(folder, "buildkitd.lock"))));
    return folders.filter((_folder, index) => used[index] !== true);
}

/** Whether a running BuildKit holds its lock. */
export const isLocked = (file: string): Promise<boolean> =>
    existsSync(file)
        ? run("flock", ["--nonblock", file, "true"]).then(
              () => false,
              () => true,
          )
        : Promise.resolve(false);
