/** Go's caches for building the toolchain: separate from the user's, and deleted when no longer needed. */
import { existsSync, mkdirSync, rmSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { cacheDir } from "../paths.ts";
import { run } from "../process.ts";

/** Compile results, modules and compilers, and work directories, kept for the next tool. */
export const goDir = join(cacheDir, "go");

/** Go itself deletes compile results unused for 5 days, so little is lost by deleting the rest soon after. */
const UNUSED_DAYS = 7;

/** Variables that make `go` use our caches. Creates their folders and records the time of use. */
export function goEnvironment(): Readonly<Record<string, string>> {
    const places = { GOCACHE: "build", GOMODCACHE: "modules", GOTMPDIR: "work" };
    const env = Object.fromEntries(Object.entries(places).map(([name, dir]) => [name, join(goDir, dir)]));
    for (const dir of Object.values(env)) mkdirSync(dir, { recursive: true });
    const now = new Date();
    utimesSync(goDir, now, now);
    return env;
}

/** Whether the caches are no longer needed: every tool is built, or nothing has been built for a week. */
export function areSpent(everyToolExists: boolean, now = Date.now()): boolean {
    if (!existsSync(goDir)) return false;
    return everyToolExists || now - statSync(goDir).mtimeMs > UNUSED_DAYS * 24 * 3600 * 1000;
}

/** Deletes what a killed `go build` left, which may be gigabytes. Only for the holder of the toolchain's lock. */
export const removeUnfinishedWork = (): void => {
    rmSync(join(goDir, "work"), { recursive: true, force: true });
};

/** Deletes the caches. Only for the holder of the toolchain's lock. */
export const removeGoCaches = (): Promise<void> => removeModules(goDir);

/** Deletes a folder of Go modules, whose folders Go makes read-only. */
export async function removeModules(dir: string): Promise<void> {
    if (!existsSync(dir)) return;
    await run("chmod", ["-R", "u+w", dir]);
    rmSync(dir, { recursive: true, force: true });
}
