/** What `make up` looks at before it changes anything. Every problem is told at once, each with its remedy. */
import { readFileSync, statfsSync } from "node:fs";
import { createServer } from "node:net";
import { dirname } from "node:path";
import type { Ports } from "./cluster/spec.ts";

/** What was found on the machine; gathered by `lookAtMachine`, judged by `problemsOf`. */
export interface Machine {
    readonly uid: number;
    /** `ID` and `VERSION_ID` of /etc/os-release. */
    readonly os: string;
    readonly arch: string;
    readonly freeGiB: number;
    /** The folder whose disk has `freeGiB` left. */
    readonly disk: string;
    readonly takenPorts: readonly { readonly use: keyof Ports; readonly port: number }[];
}

/** Debian releases whose packages the embedded cluster is made of. */
export const SUPPORTED = ["debian 12"];

/** Toolchain caches, images and volumes of one cluster, with room to build. */
export const NEEDED_GIB = 15;

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
    if (machine.freeGiB < NEEDED_GIB)
        say(
            "disk",
            `${machine.freeGiB.toFixed(1)} GiB free at ${machine.disk}`,
            `at least ${NEEDED_GIB} GiB are needed: free some, or move the data with ORCHEO_STATE_DIR`,
        );
    for (const { use, port } of machine.takenPorts) {
        say(
            `port 127.0.0.1:${port}`,
            "another process listening",
            `stop it, or choose another with ORCHEO_${use.toUpperCase()}_PORT`,
        );
    }
    return problems;
}

/** Gathers the facts. Ports that this cluster itself holds are not taken: pass none when it runs. */
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
    return {
        uid: process.getuid?.() ?? -1,
        os: `${release.get("ID") ?? "unknown"} ${release.get("VERSION_ID") ?? ""}`.trim(),
        arch: process.arch,
        freeGiB: (bavail * bsize) / 1024 ** 3,
        disk,
        takenPorts,
    };
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
