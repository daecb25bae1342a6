import { expect, test } from "vitest";
import { inBuildOrder, nextBuild } from "../../local/toolchain/build-order.plan.ts";
import { compilerOf } from "../../local/toolchain/compile.ts";
import { type Tool, tools } from "../../local/toolchain/tools.ts";

const tool = (name: string, module: string, go = "go1.27.4"): Tool => ({
    name,
    group: "test",
    version: "1",
    module,
    packages: ["."],
    go,
});
const apiserver = tool("kube-apiserver", "kubernetes");
const kubelet = tool("kubelet", "kubernetes");
const etcd = tool("etcd", "etcd");
const cni = tool("cni", "cni", "go1.26.8");

const next = (queue: readonly Tool[], running: readonly Tool[], proven: readonly string[] = []) =>
    nextBuild(queue, running, compilerOf, new Set(proven))?.name;

test("two programs of one module are built one after the other: they share nearly everything", () => {
    expect(next([kubelet, etcd], [apiserver], ["go1.27.4"])).toBe("etcd");
    expect(next([kubelet], [apiserver], ["go1.27.4"])).toBeUndefined();
    expect(next([kubelet, etcd], [], ["go1.27.4"])).toBe("kubelet");
});

test("while a compiler's first build compiles the standard library, only another compiler's builds start", () => {
    expect(next([etcd, cni], [apiserver])).toBe("cni");
    expect(next([etcd], [apiserver])).toBeUndefined();
    expect(next([etcd], [cni], ["go1.27.4"])).toBe("etcd");
});

test("nothing is left when the queue is empty", () => {
    expect(next([], [])).toBeUndefined();
});

test("the longest builds come first, the others as in the table", () => {
    expect(inBuildOrder([cni, etcd, tool("coredns", "coredns"), kubelet, apiserver]).map(({ name }) => name)).toEqual([
        "kube-apiserver",
        "coredns",
        "cni",
        "etcd",
        "kubelet",
    ]);
});

test("every tool of the table is built, two at a time", () => {
    const queue = inBuildOrder(tools);
    const running: Tool[] = [];
    const proven = new Set<string>();
    const built: string[] = [];
    while (queue.length + running.length > 0) {
        const chosen = running.length < 2 ? nextBuild(queue, running, compilerOf, proven) : undefined;
        if (chosen !== undefined) running.push(...queue.splice(queue.indexOf(chosen), 1));
        else {
            const ended = running.shift();
            if (ended === undefined) throw new Error("nothing runs and nothing starts");
            proven.add(compilerOf(ended));
            built.push(ended.name);
        }
    }
    expect(built.sort()).toEqual(tools.map(({ name }) => name).sort());
});
