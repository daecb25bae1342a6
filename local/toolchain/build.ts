/** Builds the pinned tools into the cache, once. `node local/toolchain/build.ts [group…|tool…]` does it on its own. */
import { createHash } from "node:crypto";
import {
    existsSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    renameSync,
    rmSync,
    symlinkSync,
} from "node:fs";
import { basename, delimiter, dirname, join, relative } from "node:path";
import { withLock, withLockIfFree } from "../lock.ts";
import { type Place, shortages, toolsNeed } from "../needs.ts";
import { cacheDir, logFile } from "../paths.ts";
import { placeOf } from "../preflight.ts";
import { run } from "../process.ts";
import { consoleReport, type Report } from "../report.ts";
import { inBuildOrder, nextBuild } from "./build-order.plan.ts";
import { build, compilerOf, MODULES } from "./compile.ts";
import { bundleUrl, downloadTools, type Limits, offeredBy, shown, type Wanted } from "./download.ts";
import { areSpent, goDir, removeGoCaches, removeUnfinishedWork } from "./go-caches.ts";
import { differenceNote, differencesOf, type Hashes, isReproducible, platform, recordedHashes } from "./hashes.ts";
import { type Group, type Tool, tools, usualGroups } from "./tools.ts";

/** Its name starts so. */
export const DOWNLOAD_STEP = "download tools";

/** Two builds at a time keep two cores busy while one of them links. */
const PARALLEL_BUILDS = 2;

/** What a test has of its own. */
interface Options {
    readonly table?: readonly Tool[];
    readonly modules?: string;
    readonly hashes?: Hashes;
    /** Where built tools can be had; undefined to build all of them. */
    readonly bundle?: URL | undefined;
    readonly limits?: Limits | undefined;
}

export interface Toolchain {
    /** Folder with links to every binary, for the PATH. */
    readonly path: string;
    /** Absolute path of one binary. @throws when no tool of the toolchain has it */
    bin(binary: string): string;
    /** Absolute path of a file that a tool shares. @throws when no tool of the toolchain has it */
    share(file: string): string;
}

/** The names of the binaries that a tool's build produces. */
export const binariesOf = (tool: Tool): string[] =>
    tool.cSource !== undefined ? [tool.name] : tool.packages.map((pkg) => tool.binary ?? basename(pkg));

const sha256 = (content: string | Buffer): string => createHash("sha256").update(content).digest("hex");

/** Changes with everything that could change the binaries: module files, the tool's row, compiler, architecture. */
export function toolKey(tool: Tool, modules = MODULES): string {
    const { go = compilerOf(tool), ...rest } = tool;
    const row = { ...rest, generate: tool.generate && [tool.generate.package, ...tool.generate.args("")] };
    const dir = join(modules, tool.module);
    const files = readdirSync(dir, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(dir, join(entry.parentPath, entry.name)))
        .sort()
        .map((file) => [file, sha256(readFileSync(join(dir, file)))]);
    return sha256(JSON.stringify([row, go, process.arch, files])).slice(0, 12);
}

/** The path of the binary if the PATH already has the tool in the wanted version. */
export async function onPath(tool: Tool, path = process.env.PATH ?? ""): Promise<string | undefined> {
    const [binary, ...others] = binariesOf(tool);
    if (tool.probe === undefined || binary === undefined || others.length > 0) return undefined;
    const found = path
        .split(delimiter)
        .map((dir) => join(dir, binary))
        .find((file) => existsSync(file));
    if (found === undefined) return undefined;
    const said = await run(found, tool.probe, { timeoutSeconds: 10 }).catch(() => "");
    // Matches the whole version: 1.34.4 is not 1.34.40.
    return new RegExp(`(^|[^0-9.])${tool.version.replaceAll(".", "\\.")}($|[^0-9.])`, "m").test(said)
        ? found
        : undefined;
}

/**
 * Makes sure that every tool of the groups exists: taken from the PATH if the version matches, else from the cache, else
 * from the release's bundle if its hashes match, else built. Tools are installed atomically, so that an interrupted run resumes with the next tool.
 */
export async function ensureToolchain(
    groups: readonly Group[],
    report: Report,
    {
        table = tools,
        modules = MODULES,
        hashes = recordedHashes(),
        bundle = bundleUrl(),
        limits,
        place = placeOf(cacheDir),
    }: Options & { place?: Place } = {},
): Promise<Toolchain> {
    const wanted = table.filter((tool) => groups.includes(tool.group));
    const places = new Map<string, string>();
    const missing: Tool[] = [];
    const targetOf = (tool: Tool): string => folderOf(tool, modules);
    for (const tool of wanted) {
        const target = targetOf(tool);
        const found = existsSync(target) ? undefined : await onPath(tool);
        if (found !== undefined) places.set(basename(found), found);
        else if (!existsSync(target)) missing.push(tool);
    }
    if (missing.length === 0) {
        report.note(`toolchain: all ${wanted.length} tools exist, nothing to build`);
    } else {
        await withLock(join(cacheDir, "toolchain.lock"), report, async () => {
            removeLeftovers();
            removeUnfinishedWork();
            const absent = (): Tool[] => missing.filter((tool) => !existsSync(targetOf(tool)));
            if (bundle !== undefined) {
                const known = downloadable(absent(), modules, hashes);
                const taken = await takeDownload(bundle, known, wanted.length, report, limits);
                // The command's own check counted on it.
                if (!taken) refuseShortage(absent().length, place);
            }
            const queue = absent();
            if (queue.length > 0)
                report.note(
                    `toolchain: ${queue.length} of ${wanted.length} tools to build: ${queue.map((t) => t.name).join(", ")}`,
                );
            const differences: string[] = [];
            await buildAll(inBuildOrder(queue), async (tool) => {
                await report.step(`build ${tool.name} ${tool.version}`, logFile(`toolchain-${tool.name}`), () =>
                    build(tool, targetOf(tool), modules),
                );
                differences.push(...(await differencesOf(tool, toolKey(tool, modules), targetOf(tool), hashes)));
            });
            // After all builds: between their lines nobody would see it.
            if (differences.length > 0) report.note(differenceNote(differences));
        });
    }
    await trimGoCaches(report);
    for (const tool of wanted) {
        for (const binary of binariesOf(tool)) {
            if (!places.has(binary)) places.set(binary, join(targetOf(tool), binary));
        }
    }
    const shares = new Map(
        wanted.flatMap((tool) =>
            Object.keys(tool.share ?? {}).map((name) => [name, join(targetOf(tool), name)] as const),
        ),
    );
    return link(places, shares);
}

/** Those of the tools that may be taken from a bundle: their hashes are recorded. */
const downloadable = (absent: readonly Tool[], modules: string, hashes: Hashes): Wanted[] =>
    absent.flatMap((tool) => {
        const recorded = hashes[platform]?.[tool.name];
        return recorded?.key === toolKey(tool, modules) && isReproducible(tool)
            ? [{ folder: folderOf(tool, modules), files: recorded.files, executables: binariesOf(tool) }]
            : [];
    });

/** @throws when there is no space to build so many tools */
function refuseShortage(toolsToBuild: number, place: Place): void {
    const [problem] = shortages("up", toolsNeed({ missingTools: toolsToBuild, toolsToBuild }), {
        cache: place,
        state: place,
    });
    if (problem !== undefined) throw new Error(problem);
}

/**
 * Says what the download gave. What it did not give is built, for whatever reason.
 *
 * @returns false when the bundle could not be had
 */
async function takeDownload(
    bundle: URL,
    known: readonly Wanted[],
    wanted: number,
    report: Report,
    limits?: Limits,
): Promise<boolean> {
    if (known.length === 0) return true;
    try {
        const taken = await report.step(`${DOWNLOAD_STEP} from ${shown(bundle)}`, undefined, (progress) =>
            downloadTools(bundle, known, { progress, limits }),
        );
        report.note(`toolchain: ${taken.length} of ${wanted} tools downloaded and verified`);
        return true;
    } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        report.note(`toolchain: nothing was downloaded, building instead: ${why}`);
        return false;
    }
}

/** Folder of a built tool in the cache. */
export const folderOf = (tool: Tool, modules = MODULES): string =>
    join(cacheDir, "toolchain", `${tool.name}-${tool.version}-${toolKey(tool, modules)}`);

/** The tools of these groups that are neither in the cache nor on the PATH. */
export async function missingTools(groups: readonly Group[], table = tools, modules = MODULES): Promise<Tool[]> {
    const absent = table.filter((tool) => groups.includes(tool.group) && !existsSync(folderOf(tool, modules)));
    const found = await Promise.all(absent.map((tool) => onPath(tool)));
    return absent.filter((_tool, index) => found[index] === undefined);
}

/** How many tools of these groups are missing, and how many of those have to be built, as no bundle that can be reached has them. */
export async function toolsToCome(
    groups: readonly Group[],
    { table = tools, modules = MODULES, hashes = recordedHashes(), bundle = bundleUrl(), limits }: Options = {},
): Promise<{ missingTools: number; toolsToBuild: number }> {
    const missing = await missingTools(groups, table, modules);
    const known = bundle === undefined ? [] : downloadable(missing, modules, hashes);
    const offered = bundle === undefined || known.length === 0 ? [] : await offeredBy(bundle, limits);
    const coming = known.filter(({ folder }) => offered.includes(basename(folder)));
    return { missingTools: missing.length, toolsToBuild: missing.length - coming.length };
}

/** Deletes Go's caches once the tools of every group are built, even groups not requested yet: they share packages. */
async function trimGoCaches(report: Report): Promise<void> {
    const spent = async (): Promise<boolean> => areSpent((await missingTools(usualGroups)).length === 0);
    if (!existsSync(goDir) || !(await spent())) return;
    // Whoever holds the lock builds other versions, perhaps for an hour, and needs the caches.
    await withLockIfFree(join(cacheDir, "toolchain.lock"), async () => {
        if (await spent()) await report.step("delete Go's caches: every tool is built", undefined, removeGoCaches);
    });
}

/**
 * After the first failure no further build starts. Running builds finish first, so that none outlives the lock.
 *
 * @throws the first failure, with the names of the tools still to build
 */
async function buildAll(queue: Tool[], work: (tool: Tool) => Promise<void>): Promise<void> {
    const failures: { tool: Tool; error: unknown }[] = [];
    const running = new Map<Tool, Promise<void>>();
    const proven = new Set<string>();
    const start = async (tool: Tool): Promise<void> => {
        try {
            await work(tool);
            proven.add(compilerOf(tool));
        } catch (error) {
            failures.push({ tool, error });
        } finally {
            running.delete(tool);
        }
    };
    for (;;) {
        while (failures.length === 0 && running.size < PARALLEL_BUILDS) {
            const tool = nextBuild(queue, [...running.keys()], compilerOf, proven);
            if (tool === undefined) break;
            queue.splice(queue.indexOf(tool), 1);
            running.set(tool, start(tool));
        }
        if (running.size === 0) break;
        await Promise.race(running.values());
    }
    const [first] = failures;
    if (first === undefined) return;
    const left = [...failures.map(({ tool }) => tool), ...queue].map(({ name }) => name);
    const said = first.error instanceof Error ? first.error.message : String(first.error);
    throw new Error(`${said}\nStill to build: ${left.join(", ")}; the next run resumes with them.`, {
        cause: first.error,
    });
}

/** Removes leftovers of killed builds; only the lock's holder may do this. */
function removeLeftovers(): void {
    const dir = join(cacheDir, "toolchain");
    for (const entry of existsSync(dir) ? readdirSync(dir) : []) {
        if (entry.includes(".part-")) rmSync(join(dir, entry), { recursive: true, force: true });
    }
}

/** Makes a folder that is never seen half filled. Of processes that do so at once, one is the first and the others take its folder. */
export function fillOnce(path: string, fill: (folder: string) => void): void {
    if (existsSync(path)) return;
    mkdirSync(dirname(path), { recursive: true });
    // Not `.part-`: a builder, which holds the lock that this does not need, removes those. `make prune` finds what is left of it.
    const temporary = mkdtempSync(`${path}.new-`);
    try {
        fill(temporary);
        renameSync(temporary, path);
    } catch (error) {
        rmSync(temporary, { recursive: true, force: true });
        if (!existsSync(path)) throw error;
    }
}

function link(places: ReadonlyMap<string, string>, shares: ReadonlyMap<string, string>): Toolchain {
    const key = sha256(JSON.stringify([...places].sort())).slice(0, 12);
    const path = join(cacheDir, "toolchain", `bin-${key}`);
    fillOnce(path, (folder) => {
        for (const [binary, file] of places) symlinkSync(file, join(folder, binary));
    });
    return {
        path,
        bin(binary) {
            const file = places.get(binary);
            if (file === undefined)
                throw new Error(`no tool provides "${binary}"; available: ${[...places.keys()].join(", ")}`);
            return file;
        },
        share(name) {
            const file = shares.get(name);
            if (file === undefined)
                throw new Error(`no tool shares "${name}"; available: ${[...shares.keys()].join(", ")}`);
            return file;
        },
    };
}

if (import.meta.main) {
    const all: readonly Group[] = [
        ...usualGroups,
        "compose",
        "publish",
        "languages",
        "gitops",
        "workflows",
        "monitoring",
        "operator",
    ];
    const given = process.argv.slice(2);
    const groups = all.filter((group) => given.includes(group));
    // A tool may have the name of its group, which then is meant.
    const named = groups.length > 0 ? [] : tools.filter(({ name }) => given.includes(name));
    const toolchain = await (named.length > 0
        ? ensureToolchain(all, consoleReport(), { table: named })
        : ensureToolchain(groups.length > 0 ? groups : usualGroups, consoleReport()));
    process.stdout.write(`${toolchain.path}\n`);
}
