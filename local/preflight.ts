/** Checks that run before a command changes anything. All problems are reported at once, each with its remedy. */
import { existsSync, readFileSync, statfsSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { cgroupProblem } from "./cluster/cgroups.ts";
import { builderPaths, type Ports } from "./cluster/spec.ts";
import { type Command, MEMORY_GIB, type Need, needsOf, type Place, type Present, shortages } from "./needs.ts";
import { cacheDir } from "./paths.ts";
import { run } from "./process.ts";

/** Facts about the machine; gathered by `inspectMachine`, evaluated by `problemsOf`. */
export interface Machine {
    readonly uid: number;
    /** `ID` and `VERSION_ID` of /etc/os-release. */
    readonly os: string;
    readonly arch: string;
    readonly command: Command;
    /** The disk space that the command needs, and the file systems that provide it. */
    readonly needs: readonly Need[];
    readonly places: Record<Need["place"], Place>;
    /** Available memory, within the container's limit if there is one; undefined when the cluster is already running. */
    readonly freeMemoryGiB: number | undefined;
    /** The kernel's error if it refuses these to root, otherwise undefined. Not checked for other users. */
    readonly refused: { readonly namespaces: string | undefined; readonly cgroups: string | undefined };
    readonly takenPorts: readonly { readonly use: keyof Ports; readonly port: number }[];
}

/** Debian releases that the embedded cluster supports, because it uses their packages. */
export const SUPPORTED = ["debian 12"];

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
            "the embedded cluster creates namespaces and cgroups: run `make up` as root, or set your own cluster's context (README)",
        );
    if (!SUPPORTED.includes(machine.os))
        say(
            "operating system",
            machine.os,
            `the embedded cluster supports ${SUPPORTED.join(", ")}; elsewhere set your own cluster's context (README)`,
        );
    if (machine.arch !== "x64" && machine.arch !== "arm64")
        say("processor", machine.arch, "x64 and arm64 are accepted");
    problems.push(...shortages(machine.command, machine.needs, machine.places));
    const memory = MEMORY_GIB[machine.command];
    if (machine.freeMemoryGiB !== undefined && machine.freeMemoryGiB < memory)
        say(
            "memory",
            `${machine.freeMemoryGiB.toFixed(1)} GiB free`,
            `\`make ${machine.command}\` needs about ${memory} GiB: stop something, or set your own cluster's context (README)`,
        );
    const { namespaces, cgroups } = machine.refused;
    if (namespaces !== undefined) say("permission to create namespaces, mounts and a bridge", namespaces, CONTAINER);
    if (cgroups !== undefined) say("permission to create cgroups", cgroups, CONTAINER);
    for (const { use, port } of machine.takenPorts) {
        say(
            `port 127.0.0.1:${port}`,
            "another process listening",
            `stop it, or choose another with ORCHEO_${use.toUpperCase()}_PORT`,
        );
    }
    return problems;
}

export interface Question {
    readonly command: Command;
    readonly stateDir: string;
    readonly tools: Pick<Present, "missingTools" | "toolsToBuild">;
    /** Whether this cluster is running: its own ports and memory do not count as taken. */
    readonly runs: boolean;
    readonly ports?: Partial<Ports>;
}

/** Gathers the facts about the machine. */
export async function inspectMachine({ command, stateDir, tools, runs, ports = {} }: Question): Promise<Machine> {
    const release = new Map(
        readFileSync("/etc/os-release", "utf8")
            .split("\n")
            .map((line): [string, string] => {
                const [key = "", value = ""] = line.split("=");
                return [key, value.replaceAll('"', "")];
            }),
    );
    const takenPorts: { use: keyof Ports; port: number }[] = [];
    for (const use of ["api", "registry", "http", "https"] as const) {
        const port = ports[use];
        if (!runs && port !== undefined && (await isTaken(port))) takenPorts.push({ use, port });
    }
    const uid = process.getuid?.() ?? -1;
    return {
        uid,
        os: `${release.get("ID") ?? "unknown"} ${release.get("VERSION_ID") ?? ""}`.trim(),
        arch: process.arch,
        command,
        needs: needsOf(command, {
            ...tools,
            builder: existsSync(builderPaths().buildkit),
            cluster: existsSync(join(stateDir, "registry")),
        }),
        places: { cache: placeOf(cacheDir), state: placeOf(stateDir) },
        freeMemoryGiB: runs ? undefined : process.availableMemory() / 1024 ** 3,
        refused: {
            namespaces: uid === 0 ? await namespacesProblem() : undefined,
            cgroups: uid === 0 ? cgroupProblem() : undefined,
        },
        takenPorts,
    };
}

/** Tries the first operations of the node, in namespaces that disappear immediately. */
async function namespacesProblem(): Promise<string | undefined> {
    const unshare = ["--net", "--mount", "--pid", "--ipc", "--uts", "--fork", "--mount-proc"];
    const script = "mount -t tmpfs tmpfs /run; ip link add orcheo0 type bridge; echo 1 > /proc/sys/net/ipv4/ip_forward";
    try {
        await run("unshare", [...unshare, "sh", "-ec", script], { timeoutSeconds: 10 });
        return undefined;
    } catch (error) {
        // The last line is the error of the program that was refused.
        return (error instanceof Error ? error.message : String(error)).trim().split("\n").at(-1);
    }
}

export function placeOf(wanted: string): Place {
    const dir = nearestExisting(wanted);
    const { bavail, bsize } = statfsSync(dir);
    return { dir, device: statSync(dir).dev, freeGiB: (bavail * bsize) / 1024 ** 3 };
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
