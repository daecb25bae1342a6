/** The parent cgroup of all pods and build steps of a cluster. */
import {
    accessSync,
    constants,
    existsSync,
    mkdirSync,
    readdirSync,
    readFileSync,
    rmdirSync,
    writeFileSync,
} from "node:fs";
import { join } from "node:path";

const CGROUPS = "/sys/fs/cgroup";

/** Controllers without which the kubelet refuses to start. */
const NEEDED = ["cpu", "cpuset", "memory", "pids"];
/** Controllers that it also uses if the kernel has them. */
const USED = [...NEEDED, "hugetlb", "io"];

/** What an ordinary process outside of any cgroup weighs on the CPU: cgroup v1's cpu.shares and v2's cpu.weight, whose maximum is 10,000. */
const PROCESS = { shares: 1024, weight: 100, mostWeight: 10_000 };

/**
 * Creates the cgroup, for cgroup v2 and v1 (including "hybrid").
 *
 * @param cpuWeight  as many processes outside of it as it counts for together, where the CPU is short
 */
export function createCgroup(name: string, { cpuWeight = 1, root = CGROUPS } = {}): void {
    const controllers = join(root, "cgroup.controllers");
    if (existsSync(controllers)) {
        for (const controller of controllersToEnable(readFileSync(controllers, "utf8"))) enable(root, controller);
        mkdirSync(join(root, name), { recursive: true });
        const weight = Math.min(PROCESS.weight * cpuWeight, PROCESS.mostWeight);
        writeFileSync(join(root, name, "cpu.weight"), String(weight));
        return;
    }
    for (const hierarchy of hierarchiesOf(root)) {
        mkdirSync(join(hierarchy, name), { recursive: true });
        // Unlike in v2, a v1 cpuset is empty until its values are set.
        for (const file of ["cpuset.cpus", "cpuset.mems"]) {
            if (existsSync(join(hierarchy, file)))
                writeFileSync(join(hierarchy, name, file), readFileSync(join(hierarchy, file)));
        }
        if (existsSync(join(hierarchy, "cpu.shares")))
            writeFileSync(join(hierarchy, name, "cpu.shares"), String(PROCESS.shares * cpuWeight));
    }
}

/** The folders of cgroup v1's hierarchies. */
const hierarchiesOf = (root: string): string[] =>
    readdirSync(root)
        .map((entry) => join(root, entry))
        .filter((dir) => existsSync(join(dir, "cgroup.procs")));

/** @throws when the kernel lacks a controller that the kubelet needs */
export function controllersToEnable(available: string): string[] {
    const known = available.trim().split(/\s+/);
    const missing = NEEDED.filter((controller) => !known.includes(controller));
    if (missing.length > 0)
        throw new Error(
            `cgroup v2: the kernel does not offer the controller ${missing.join(", ")} (${CGROUPS}/cgroup.controllers); ` +
                `the kubelet needs ${NEEDED.join(", ")}: see cgroup_enable= and cgroup_disable= on the kernel command line`,
        );
    return USED.filter((controller) => known.includes(controller));
}

/** One controller per write: if one of several in a write is refused, none takes effect. */
function enable(root: string, controller: string): void {
    try {
        writeFileSync(join(root, "cgroup.subtree_control"), `+${controller}`);
    } catch (cause) {
        // Only the machine's root cgroup may contain processes and delegate controllers; a container's root is not that one.
        throw new Error(
            `cgroup v2: the controller ${controller} cannot be delegated to the children of ${root} ` +
                `(${String((cause as NodeJS.ErrnoException).code)}); in a container, first move its processes to a child: ` +
                `mkdir ${root}/init; for p in $(cat ${root}/cgroup.procs); do echo $p > ${root}/init/cgroup.procs; done`,
            { cause },
        );
    }
}

/** Why {@link createCgroup} would fail, found without changing anything. */
export function cgroupProblem(root = CGROUPS): string | undefined {
    try {
        if (existsSync(join(root, "cgroup.controllers"))) {
            controllersToEnable(readFileSync(join(root, "cgroup.controllers"), "utf8"));
            accessSync(root, constants.W_OK);
        } else {
            const hierarchies = hierarchiesOf(root);
            if (hierarchies.length === 0) return `no cgroups below ${root}`;
            for (const hierarchy of hierarchies) accessSync(hierarchy, constants.W_OK);
        }
        return undefined;
    } catch (error) {
        return error instanceof Error ? error.message : String(error);
    }
}

/** Removes the cgroup and its children. Returns false while the kernel still keeps it because processes are exiting. */
export function removeCgroup(name: string, root = CGROUPS): boolean {
    const remove = (dir: string): void => {
        for (const entry of readdirSync(dir, { withFileTypes: true }))
            if (entry.isDirectory()) remove(join(dir, entry.name));
        rmdirSync(dir);
    };
    try {
        for (const hierarchy of [root, ...readdirSync(root).map((entry) => join(root, entry))]) {
            if (existsSync(join(hierarchy, name))) remove(join(hierarchy, name));
        }
        return true;
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EBUSY") return false;
        throw error;
    }
}
