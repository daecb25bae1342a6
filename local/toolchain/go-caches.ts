/** Go's caches for the toolchain's builds: our own, not those of whoever runs `make`, and only while they are of use. */
import { existsSync, mkdirSync, rmSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { cacheDir } from "../paths.ts";
import { run } from "../process.ts";

/** Compile results, modules and compilers, unfinished work; each kept for the next tool. */
export const goDir = join(cacheDir, "go");

/** Go removes compile results that it has not used for 5 days; nothing is lost when all of them go soon after. */
const UNUSED_DAYS = 7;

/** Variables that make `go` use our caches. Creates their folders and notes the use. */
export function goEnvironment(): Readonly<Record<string, string>> {
    const places = { GOCACHE: "build", GOMODCACHE: "modules", GOTMPDIR: "work" };
    const env = Object.fromEntries(Object.entries(places).map(([name, dir]) => [name, join(goDir, dir)]));
    for (const dir of Object.values(env)) mkdirSync(dir, { recursive: true });
    const now = new Date();
    utimesSync(goDir, now, now);
    return env;
}

/** Whether the caches are of no more use: every tool exists, or nothing has been built for a week. */
export function areSpent(everyToolExists: boolean, now = Date.now()): boolean {
    if (!existsSync(goDir)) return false;
    return everyToolExists || now - statSync(goDir).mtimeMs > UNUSED_DAYS * 24 * 3600 * 1000;
}

/** What a killed `go build` left: it may be gigabytes. Only for the holder of the toolchain's lock. */
export const removeUnfinishedWork = (): void => {
    rmSync(join(goDir, "work"), { recursive: true, force: true });
};

/** Removes the caches. Only for the holder of the toolchain's lock. */
export const removeGoCaches = (): Promise<void> => removeModules(goDir);

/** Removes a folder with modules in it, whose folders Go makes read-only. */
export async function removeModules(dir: string): Promise<void> {
    if (!existsSync(dir)) return;
    await run("chmod", ["-R", "u+w", dir]);
    rmSync(dir, { recursive: true, force: true });
}
