/** What is checked before a command changes anything. Every problem is reported at once, each with its remedy. */
import { existsSync, readFileSync, statfsSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { cgroupProblem } from "./cluster/cgroups.ts";
import { builderPaths, type Ports } from "./cluster/spec.ts";
import { type Command, MEMORY_GIB, type Need, needsOf, type Place, shortages } from "./needs.ts";
import { cacheDir } from "./paths.ts";
import { run } from "./process.ts";

/** What was found on the machine; gathered by `lookAtMachine`, judged by `problemsOf`. */
export interface Machine {
    readonly uid: number;
    /** `ID` and `VERSION_ID` of /etc/os-release. */
    readonly os: string;
    readonly arch: string;
    readonly command: Command;
    /** What the command takes, and the file systems that it takes it from. */
    readonly needs: readonly Need[];
    readonly places: Record<Need["place"], Place>;
    /** What may still be used, within the container's limit if there is one; undefined when the cluster runs already. */
    readonly freeMemoryGiB: number | undefined;
    /** What the kernel refuses root: its own words, undefined when nothing. Not asked when not root. */
    readonly refused: { readonly namespaces: string | undefined; readonly cgroups: string | undefined };
    readonly takenPorts: readonly { readonly use: keyof Ports; readonly port: number }[];
}

/** Debian releases whose packages the embedded cluster is made of. */
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
    problems.push(...shortages(machine.command, machine.needs, machine.places));
    const memory = MEMORY_GIB[machine.command];
    if (machine.freeMemoryGiB !== undefined && machine.freeMemoryGiB < memory)
        say(
            "memory",
            `${machine.freeMemoryGiB.toFixed(1)} GiB free`,
            `\`make ${machine.command}\` needs about ${memory} GiB: end something, or set your own cluster's context (README)`,
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

export interface Question {
    readonly command: Command;
    readonly stateDir: string;
    readonly missingTools: number;
    /** Whether this cluster runs: the ports and the memory that it holds are not missing. */
    readonly runs: boolean;
    readonly ports?: Partial<Ports>;
}

/** Gathers the facts. */
export async function lookAtMachine({ command, stateDir, missingTools, runs, ports = {} }: Question): Promise<Machine> {
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
            missingTools,
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

function placeOf(wanted: string): Place {
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
