/** The cgroup below which all pods and build steps of a cluster live. */
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

/** What the kubelet refuses to start without. */
const NEEDED = ["cpu", "cpuset", "memory", "pids"];
/** What it uses as well where the kernel has it. */
const USED = [...NEEDED, "hugetlb", "io"];

/** Creates the cgroup, for cgroup v2 and for v1 (also beside v2, "hybrid"). */
export function createCgroup(name: string, root = CGROUPS): void {
    const controllers = join(root, "cgroup.controllers");
    if (existsSync(controllers)) {
        for (const controller of controllersToEnable(readFileSync(controllers, "utf8"))) enable(root, controller);
        mkdirSync(join(root, name), { recursive: true });
        return;
    }
    for (const hierarchy of hierarchiesOf(root)) {
        mkdirSync(join(hierarchy, name), { recursive: true });
        // Unlike v2, an old cpuset allows nothing until it is given its values.
        for (const file of ["cpuset.cpus", "cpuset.mems"]) {
            if (existsSync(join(hierarchy, file)))
                writeFileSync(join(hierarchy, name, file), readFileSync(join(hierarchy, file)));
        }
    }
}

/** The folders of cgroup v1's hierarchies. */
const hierarchiesOf = (root: string): string[] =>
    readdirSync(root)
        .map((entry) => join(root, entry))
        .filter((dir) => existsSync(join(dir, "cgroup.procs")));

/** @throws when the kernel lacks one that the kubelet needs */
export function controllersToEnable(available: string): string[] {
    const known = available.trim().split(/\s+/);
    const missing = NEEDED.filter((controller) => !known.includes(controller));
    if (missing.length > 0)
        throw new Error(
            `cgroup v2: the kernel offers no controller ${missing.join(", ")} (${CGROUPS}/cgroup.controllers); ` +
                `the kubelet needs ${NEEDED.join(", ")}: see cgroup_enable= and cgroup_disable= of the kernel's command line`,
        );
    return USED.filter((controller) => known.includes(controller));
}

/** One controller a write: of several in one write none counts when one is refused. */
function enable(root: string, controller: string): void {
    try {
        writeFileSync(join(root, "cgroup.subtree_control"), `+${controller}`);
    } catch (cause) {
        // Only the machine's own root may hold processes and hand out controllers; a container's root is not that one.
        throw new Error(
            `cgroup v2: the controller ${controller} cannot be handed to the children of ${root} ` +
                `(${String((cause as NodeJS.ErrnoException).code)}); in a container move its processes to a child first: ` +
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

/** Removes the cgroup with all below it. Returns whether it is gone: the kernel keeps one whose processes still end. */
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
