/** What the pods of the bench's own cluster use, read where the machine counts it: cgroups and /proc. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cgroupOf, type ClusterSpec } from "../../local/cluster/spec.ts";

const CGROUPS = "/sys/fs/cgroup";

/** The pod's folder in the hierarchy that counts processor time: v1's `cpuacct`, or v2's only one. */
function folderOf(spec: ClusterSpec, uid: string): string {
    const v1 = join(CGROUPS, "cpuacct");
    const kubepods = join(existsSync(v1) ? v1 : CGROUPS, cgroupOf(spec), "kubepods");
    const found = ["", "burstable", "besteffort"]
        .map((quality) => join(kubepods, quality, `pod${uid}`))
        .find((dir) => existsSync(dir));
    if (found === undefined) throw new Error(`no cgroup of the pod ${uid} below ${kubepods}`);
    return found;
}

/** Processor seconds, user and system, of all the pod's containers so far. */
export function cpuSeconds(spec: ClusterSpec, uid: string): number {
    const dir = folderOf(spec, uid);
    const v1 = join(dir, "cpuacct.usage");
    if (existsSync(v1)) return Number(readFileSync(v1, "utf8")) / 1e9;
    return Number(/usage_usec (\d+)/.exec(readFileSync(join(dir, "cpu.stat"), "utf8"))?.[1]) / 1e6;
}

export interface Process {
    readonly pid: number;
    /** Its own pages and its share of those it has in common with others. */
    readonly shareMiB: number;
    /** Pages that no other process has. */
    readonly ownMiB: number;
}

/** The pod's processes in the order of their start, without that which holds its namespaces. */
export function processesOf(spec: ClusterSpec, uid: string): Process[] {
    const dir = folderOf(spec, uid);
    return readdirSync(dir, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .flatMap(({ name }) =>
            readFileSync(join(dir, name, "cgroup.procs"), "utf8")
                .split("\n")
                .filter(Boolean),
        )
        .map(Number)
        .filter((pid) => readFileSync(`/proc/${pid}/comm`, "utf8").trim() !== "pause")
        .sort((a, b) => a - b)
        .map((pid) => {
            const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
            const mib = (key: string): number => Number(new RegExp(`^${key}: +(\\d+) kB`, "m").exec(text)?.[1]) / 1024;
            return { pid, shareMiB: mib("Pss"), ownMiB: mib("Private_Clean") + mib("Private_Dirty") };
        });
}
