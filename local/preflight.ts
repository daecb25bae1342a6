/** What `make up` looks at before it changes anything. Every problem is told at once, each with its remedy. */
import { existsSync, readFileSync, statfsSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { cgroupProblem } from "./cluster/cgroups.ts";
import type { Ports } from "./cluster/spec.ts";
import { cacheDir } from "./paths.ts";
import { run } from "./process.ts";

/** What was found on the machine; gathered by `lookAtMachine`, judged by `problemsOf`. */
export interface Machine {
    readonly uid: number;
    /** `ID` and `VERSION_ID` of /etc/os-release. */
    readonly os: string;
    readonly arch: string;
    readonly freeGiB: number;
    readonly neededGiB: number;
    /** The folder whose disk has `freeGiB` left. */
    readonly disk: string;
    /** What may still be used, within the container's limit if there is one; undefined when the cluster runs already. */
    readonly freeMemoryGiB: number | undefined;
    /** What the kernel refuses root: its own words, undefined when nothing. Not asked when not root. */
    readonly refused: { readonly namespaces: string | undefined; readonly cgroups: string | undefined };
    readonly takenPorts: readonly { readonly use: keyof Ports; readonly port: number }[];
}

/** Debian releases whose packages the embedded cluster is made of. */
export const SUPPORTED = ["debian 12"];

/** Images, volumes and build steps of one cluster. */
const CLUSTER_GIB = 15;
/** What the first build leaves besides: modules and the compiler's cache of 27 tools. */
const TOOLCHAIN_GIB = 15;

/** The cluster with its add-ons, all of Orcheo, and one image being built. */
export const NEEDED_MEMORY_GIB = 6;

const CONTAINER =
    "run it on the machine itself or in a privileged container, or set your own cluster's context (README)";

export function problemsOf(machine: Machine): string[] {
    const problems: string[] = [];
    const say = (what: string, found: string, remedy: string): void =>
        void problems.push(`${what}: found ${found}; ${remedy}`);
    if (machine.uid !== 0)
        say(
            "user",
            `uid ${machine.uid}`,
            "the embedded cluster makes namespaces and cgroups: run `make up` as root, or set your own cluster's context (README)",
        );
    if (!SUPPORTED.includes(machine.os))
        say(
            "operating system",
            machine.os,
            `the embedded cluster is made for ${SUPPORTED.join(", ")}; elsewhere set your own cluster's context (README)`,
        );
    if (machine.arch !== "x64" && machine.arch !== "arm64")
        say("processor", machine.arch, "x64 and arm64 are accepted");
    if (machine.freeGiB < machine.neededGiB)
        say(
            "disk",
            `${machine.freeGiB.toFixed(1)} GiB free at ${machine.disk}`,
            `at least ${machine.neededGiB} GiB are needed: free some, or move the data with ORCHEO_STATE_DIR`,
        );
    if (machine.freeMemoryGiB !== undefined && machine.freeMemoryGiB < NEEDED_MEMORY_GIB)
        say(
            "memory",
            `${machine.freeMemoryGiB.toFixed(1)} GiB free`,
            `about ${NEEDED_MEMORY_GIB} GiB are needed: end something, or set your own cluster's context (README)`,
        );
    const { namespaces, cgroups } = machine.refused;
    if (namespaces !== undefined) say("rights to make namespaces, mounts and a bridge", namespaces, CONTAINER);
    if (cgroups !== undefined) say("rights to make cgroups", cgroups, CONTAINER);
    for (const { use, port } of machine.takenPorts) {
        say(
            `port 127.0.0.1:${port}`,
            "another process listening",
            `stop it, or choose another with ORCHEO_${use.toUpperCase()}_PORT`,
        );
    }
    return problems;
}

/** Gathers the facts. Ports and memory that this cluster itself holds are not taken: pass no ports when it runs. */
export async function lookAtMachine(stateDir: string, ports: Partial<Ports>): Promise<Machine> {
    const release = new Map(
        readFileSync("/etc/os-release", "utf8")
            .split("\n")
            .map((line): [string, string] => {
                const [key = "", value = ""] = line.split("=");
                return [key, value.replaceAll('"', "")];
            }),
    );
    const disk = nearestExisting(stateDir);
    const { bavail, bsize } = statfsSync(disk);
    const takenPorts: { use: keyof Ports; port: number }[] = [];
    for (const use of ["api", "registry", "http", "https"] as const) {
        const port = ports[use];
        if (port !== undefined && (await isTaken(port))) takenPorts.push({ use, port });
    }
    const uid = process.getuid?.() ?? -1;
    return {
        uid,
        os: `${release.get("ID") ?? "unknown"} ${release.get("VERSION_ID") ?? ""}`.trim(),
        arch: process.arch,
        freeGiB: (bavail * bsize) / 1024 ** 3,
        neededGiB: existsSync(join(cacheDir, "toolchain")) ? CLUSTER_GIB : CLUSTER_GIB + TOOLCHAIN_GIB,
        disk,
        freeMemoryGiB: Object.keys(ports).length > 0 ? process.availableMemory() / 1024 ** 3 : undefined,
        refused: {
            namespaces: uid === 0 ? await namespacesProblem() : undefined,
            cgroups: uid === 0 ? cgroupProblem() : undefined,
        },
        takenPorts,
    };
}

/** Does what the node does first, in namespaces that are gone at once. */
async function namespacesProblem(): Promise<string | undefined> {
    const unshare = ["--net", "--mount", "--pid", "--ipc", "--uts", "--fork", "--mount-proc"];
    const script = "mount -t tmpfs tmpfs /run; ip link add orcheo0 type bridge; echo 1 > /proc/sys/net/ipv4/ip_forward";
    try {
        await run("unshare", [...unshare, "sh", "-ec", script], { timeoutSeconds: 10 });
        return undefined;
    } catch (error) {
        // The last line is what the refused program says.
        return (error instanceof Error ? error.message : String(error)).trim().split("\n").at(-1);
    }
}

function nearestExisting(dir: string): string {
    try {
        statfsSync(dir);
        return dir;
    } catch {
        return nearestExisting(dirname(dir));
    }
}

const isTaken = (port: number): Promise<boolean> =>
    new Promise((done) => {
        const server = createServer();
        server.once("error", (error: NodeJS.ErrnoException) => {
            done(error.code === "EADDRINUSE");
        });
        server.listen(port, "127.0.0.1", () =>
            server.close(() => {
                done(false);
            }),
        );
    });
