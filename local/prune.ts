/** `make prune`: deletes everything that can be rebuilt, and reports what it keeps and why. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { builderPid, builderUsers } from "./cluster/builder.ts";
import { firstPid } from "./cluster/namespaces.ts";
import { builderPaths } from "./cluster/spec.ts";
import { compiledCodeDir, formerBuildersDir, isLocked } from "./leftovers.ts";
import { withLock } from "./lock.ts";
import { cacheDir, checkersDir, projectDir, stateRoot, testModulesDir } from "./paths.ts";
import { run } from "./process.ts";
import type { Report } from "./report.ts";
import { folderOf } from "./toolchain/build.ts";
import { goDir, removeModules } from "./toolchain/go-caches.ts";
import { tools } from "./toolchain/tools.ts";

/** Something on the disk: deleted unless there is a reason to keep it. */
export interface Item {
    readonly what: string;
    readonly path: string;
    /** Why it is kept. */
    readonly keep?: string;
}

/** Deletes what it can. @returns one line per item, with its size */
export async function prune(report: Report): Promise<string[]> {
    // The locks keep others from building tools or starting the builder meanwhile.
    return withLock(join(cacheDir, "toolchain.lock"), report, () =>
        withLock(builderPaths().lock, report, async () => {
            const items = [
                ...cacheItems(),
                ...toolItems(),
                ...(await builderItems()),
                ...runtimeItems(),
                ...uvItems(),
                ...clusterItems(),
            ];
            const sized: Sized[] = [];
            for (const item of items.filter(({ path }) => existsSync(path))) {
                sized.push({ ...item, bytes: await sizeOf(item.path) });
                if (item.keep === undefined) await remove(item.path);
            }
            return linesOf(sized);
        }),
    );
}

export interface Sized extends Item {
    readonly bytes: number;
}

/** One line for all items of a kind that share the same outcome. */
export function linesOf(items: readonly Sized[]): string[] {
    const fate = ({ what, keep }: Item): string => JSON.stringify([what, keep]);
    const sum = (some: readonly Sized[]): number => some.reduce((total, { bytes }) => total + bytes, 0);
    const lines = [...new Set(items.map(fate))].flatMap((each) => {
        const alike = items.filter((item) => fate(item) === each);
        const [first] = alike;
        if (first === undefined) return [];
        const place = alike.length === 1 ? first.path : `${alike.length} in ${dirname(first.path)}`;
        const verb = first.keep === undefined ? "freed" : "kept ";
        return [
            `${verb} ${gib(sum(alike))}  ${first.what}: ${place}${first.keep === undefined ? "" : ` (${first.keep})`}`,
        ];
    });
    return [...lines, `Freed ${gib(sum(items.filter(({ keep }) => keep === undefined))).trim()} in total.`];
}

const gib = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1).padStart(5)} GiB`;

const sizeOf = async (path: string): Promise<number> =>
    Number.parseInt(await run("du", ["--summarize", "--block-size=1", path]), 10);

async function remove(path: string): Promise<void> {
    if (path === goDir || path === testModulesDir) await removeModules(path);
    else rmSync(path, { recursive: true, force: true });
}

const cacheItems = (): Item[] => [
    { what: "Go's modules and compile results", path: goDir },
    { what: "Go modules that the tests read", path: testModulesDir },
    { what: "checkers that the bench installs", path: checkersDir },
    { what: "code that Node has compiled", path: compiledCodeDir },
];

/** Keeps the tools of this version, and those that any process runs or has on its PATH. */
function toolItems(): Item[] {
    const dir = join(cacheDir, "toolchain");
    const entries = existsSync(dir) ? readdirSync(dir) : [];
    const current = new Set(tools.map((tool) => folderOf(tool)));
    const inUse = toolsInUse(dir, entries, wordsOfProcesses());
    const old = entries
        .map((entry) => join(dir, entry))
        .filter((path) => !current.has(path) && !isLinks(path) && !isUnfinished(path));
    const left = entries.filter(isUnfinished).map((entry) => join(dir, entry));
    return [
        ...[...current].map((path) => ({ what: "tool", path, keep: "of this version" })),
        ...old.map((path) => ({
            what: "tool of another version",
            path,
            ...(inUse.has(path) && { keep: "a running cluster or a shell uses it" }),
        })),
        ...left.map((path) => ({ what: "unfinished tool", path })),
        // Links to deleted tools would dangle.
        ...entries
            .map((entry) => join(dir, entry))
            .filter(isLinks)
            .filter((path) => targetsOf(path).some((target) => old.includes(target) && !inUse.has(target)))
            .map((path) => ({ what: "links to tools", path })),
    ];
}

const isLinks = (path: string): boolean => /\/bin-[0-9a-f]{12}$/.test(path);
/** A tool, or a folder of links (fillOnce in toolchain/build.ts). */
const isUnfinished = (path: string): boolean => /\.(part|new)-[^/]*$/.test(path);

/** The tools that a folder of links points to. */
const targetsOf = (links: string): string[] =>
    readdirSync(links).map((name) => join(readlinkSync(join(links, name)), ".."));

/** The tools that a process runs, or whose folder of links is on a process's PATH. */
export function toolsInUse(dir: string, entries: readonly string[], words: string): Set<string> {
    const named = entries.map((entry) => join(dir, entry)).filter((path) => words.includes(path));
    return new Set(named.flatMap((path) => (isLinks(path) ? targetsOf(path) : [path])));
}

/** Executables and environments of all processes that we may read. */
function wordsOfProcesses(): string {
    const read = (pid: string): string => {
        try {
            return `${readlinkSync(`/proc/${pid}/exe`)}\n${readFileSync(`/proc/${pid}/environ`, "utf8")}`;
        } catch {
            // The process has exited, or belongs to the kernel or another user.
            return "";
        }
    };
    return readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
        .map(read)
        .join("\n");
}

/** Layers of image builds, including those that earlier versions kept per cluster. */
async function builderItems(): Promise<Item[]> {
    const { buildkit, registry } = builderPaths();
    const users = builderUsers().join(", ");
    const keep =
        builderPid() === undefined
            ? {}
            : {
                  keep:
                      users === ""
                          ? "the builder is running"
                          : `the builder is running for ${users}; \`make down\` stops it`,
              };
    const formerItems = (existsSync(formerBuildersDir) ? readdirSync(formerBuildersDir) : [])
        .map((name) => join(formerBuildersDir, name))
        .map(async (path): Promise<Item> => {
            const used = await isLocked(join(path, "buildkitd.lock"));
            return {
                what: "layers of image builds, of an earlier version",
                path,
                ...(used && { keep: "its cluster is running" }),
            };
        });
    return [
        { what: "layers of image builds", path: buildkit, ...keep },
        { what: "base image for the builder", path: registry, ...keep },
        ...(await Promise.all(formerItems)),
    ];
}

/** Node and Go from PyPI; this run uses the current ones. */
function runtimeItems(): Item[] {
    const requirements = readFileSync(join(projectDir, "local", "requirements.txt"));
    const current = `runtimes-${createHash("sha256").update(requirements).digest("hex").slice(0, 12)}`;
    const words = wordsOfProcesses();
    return (existsSync(cacheDir) ? readdirSync(cacheDir) : [])
        .filter((name) => name.startsWith("runtimes-") && name !== current)
        .map((name) => join(cacheDir, name))
        .map((path) => ({ what: "Node and Go", path, ...(words.includes(path) && { keep: "a process uses it" }) }));
}

const uvItems = (): Item[] =>
    (existsSync(cacheDir) ? readdirSync(cacheDir) : [])
        .filter((name) => name.startsWith("uv-"))
        .map((name) => ({ what: "uv of `make plugins`", path: join(cacheDir, name) }));

/** Databases and keys cannot be recreated: only `make delete` deletes a cluster. */
function clusterItems(): Item[] {
    return (existsSync(stateRoot) ? readdirSync(stateRoot, { withFileTypes: true }) : [])
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => {
            const path = realpathSync(join(stateRoot, name));
            const runs = firstPid({ run: join(path, "run") }) !== undefined;
            return {
                what: `data of the cluster "${name}"`,
                path,
                keep: `${runs ? "running" : "stopped"}; \`ORCHEO_CLUSTER=${name} make delete\` deletes it`,
            };
        });
}
