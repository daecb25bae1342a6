import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cgroupProblem, controllersToEnable, createCgroup, removeCgroup } from "../../local/cluster/cgroups.ts";

let root: string;
beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "orcheo-cgroup-"));
});
afterEach(() => {
    rmSync(root, { recursive: true, force: true });
});
const write = (file: string, text = ""): void => {
    mkdirSync(join(root, file, ".."), { recursive: true });
    writeFileSync(join(root, file), text);
};

describe("cgroup v1", () => {
    test("each hierarchy gets the cgroup, the cpuset with its values; all of it is removed again", () => {
        write("memory/cgroup.procs");
        write("cpuset/cgroup.procs");
        write("cpuset/cpuset.cpus", "0-1\n");
        write("cpuset/cpuset.mems", "0\n");
        write("cpu/cgroup.procs");
        write("cpu/cpu.shares", "1024\n");
        mkdirSync(join(root, "not-a-hierarchy"));
        expect(cgroupProblem(root)).toBeUndefined();
        createCgroup("orcheo-test", { cpuWeight: 8, root });
        expect(readFileSync(join(root, "cpu/orcheo-test/cpu.shares"), "utf8")).toBe("8192");
        rmSync(join(root, "cpu/orcheo-test/cpu.shares"));
        expect(existsSync(join(root, "memory/orcheo-test"))).toBe(true);
        expect(existsSync(join(root, "not-a-hierarchy/orcheo-test"))).toBe(false);
        expect(readFileSync(join(root, "cpuset/orcheo-test/cpuset.cpus"), "utf8")).toBe("0-1\n");

        // The kernel takes a cgroup's own files away with it.
        rmSync(join(root, "cpuset/orcheo-test/cpuset.cpus"));
        rmSync(join(root, "cpuset/orcheo-test/cpuset.mems"));
        mkdirSync(join(root, "memory/orcheo-test/kubepods/pod1"), { recursive: true });
        expect(removeCgroup("orcheo-test", root)).toBe(true);
        expect(existsSync(join(root, "memory/orcheo-test"))).toBe(false);
    });

    test("a machine without any hierarchy is told", () => {
        expect(cgroupProblem(root)).toBe(`no cgroups below ${root}`);
    });
});

describe("cgroup v2", () => {
    test("hands on what the kubelet uses, and no more", () => {
        expect(controllersToEnable("cpuset cpu io memory hugetlb pids rdma misc\n")).toEqual([
            "cpu",
            "cpuset",
            "memory",
            "pids",
            "hugetlb",
            "io",
        ]);
    });

    test("a kernel without a needed controller is told before anything is made", () => {
        write("cgroup.controllers", "cpuset cpu io pids\n");
        expect(cgroupProblem(root)).toMatch(/the kernel does not offer the controller memory /);
        expect(() => {
            createCgroup("orcheo-test", { root });
        }).toThrow("the kernel does not offer the controller memory ");
        expect(existsSync(join(root, "orcheo-test"))).toBe(false);
    });

    test("a refused controller names itself and the remedy", () => {
        write("cgroup.controllers", "cpuset cpu memory pids\n");
        mkdirSync(join(root, "cgroup.subtree_control"));
        expect(() => {
            createCgroup("orcheo-test", { root });
        }).toThrow(/the controller cpu cannot be delegated .*\(EISDIR\); in a container, first move its processes/);
    });
});
