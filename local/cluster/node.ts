/** The node: the namespaces that Kubernetes runs in. */
import { mkdirSync, rmdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
    firstPid,
    initHead,
    linkPidOf,
    type Namespaces,
    runInside,
    startNamespaces,
    stopNamespaces,
} from "./namespaces.ts";
import type { Service } from "./services.ts";
import { type ClusterSpec, cgroupOf, INGRESS_NODE_PORTS, NODE_IP, pathsOf } from "./spec.ts";

/** As many processes of the machine as one core of pods counts for. */
const WEIGHT_PER_CORE = 4;

function namespacesOf(spec: ClusterSpec): Namespaces {
    const { run, services, logs } = pathsOf(spec);
    const { api, registry, http, https } = spec.ports;
    return {
        title: `the node "${spec.name}"`,
        run,
        services,
        logs,
        cgroup: cgroupOf(spec),
        // Probes have deadlines. With the weight of one process, all pods together would miss them while a compiler runs.
        cpuWeight: WEIGHT_PER_CORE * availableParallelism(),
        forwards: [
            `${api}:${api}`,
            `${registry}:${registry}`,
            `${http}:${INGRESS_NODE_PORTS.http}`,
            `${https}:${INGRESS_NODE_PORTS.https}`,
        ],
    };
}

export const nodePid = (spec: ClusterSpec): number | undefined => firstPid(pathsOf(spec));
export const linkPid = (spec: ClusterSpec): number | undefined => linkPidOf(pathsOf(spec));

/** Runs a command inside the node. */
export const inNode = (spec: ClusterSpec, command: readonly string[], timeoutSeconds = 30): Promise<string> => {
    const pid = nodePid(spec);
    if (pid === undefined) throw new Error(`the cluster "${spec.name}" is not running: \`make up\` starts it`);
    return runInside(pid, command, timeoutSeconds);
};

/** The init process of the namespaces: sets up mounts and addresses, then becomes runit. */
const initScript = (spec: ClusterSpec): string => {
    const paths = pathsOf(spec);
    return `${initHead(join(paths.config, "resolv.conf"))}
# The kubelet hard-codes these two paths.
mount --bind ${paths.kubelet} /var/lib/kubelet
mount --make-rshared /var/lib/kubelet
mount --bind ${paths.podLogs} /var/log
hostname ${NODE_IP.replaceAll(".", "-")}
ip link add orcheo0 type bridge
ip address add ${NODE_IP}/32 dev orcheo0
ip link set orcheo0 up
echo 1 > /proc/sys/net/ipv4/ip_forward
echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables
exec runsvdir -P ${paths.services}
`;
};

/** Starts the namespaces with their services unless they are running. `path` is prepended to the services' PATH. */
export async function startNode(spec: ClusterSpec, services: readonly Service[], path: string): Promise<void> {
    const paths = pathsOf(spec);
    if (nodePid(spec) === undefined)
        for (const dir of [paths.kubelet, paths.podLogs, join(paths.podLogs, "pods"), "/var/lib/kubelet"])
            mkdirSync(dir, { recursive: true });
    await startNamespaces(namespacesOf(spec), { init: initScript(spec), services, path });
}

/** containerd's client, which is not on the PATH but next to the running containerd. */
export async function ctr(spec: ClusterSpec, ...args: string[]): Promise<string> {
    const pidFile = join(pathsOf(spec).services, "containerd", "supervise", "pid");
    const containerd = await inNode(spec, ["sh", "-c", `readlink "/proc/$(cat '${pidFile}')/exe"`]);
    const client = join(dirname(containerd.trim()), "ctr");
    return inNode(spec, [client, "--address", "/run/containerd/containerd.sock", "--namespace", "k8s.io", ...args]);
}

/** Stops every process of the node and removes what it left in the kernel. If data is kept, containers are stopped cleanly first. */
export async function stopNode(spec: ClusterSpec, { keepData = true } = {}): Promise<void> {
    if (nodePid(spec) !== undefined && keepData) await stopContainers(spec);
    await stopNamespaces(namespacesOf(spec));
    try {
        rmdirSync("/var/lib/kubelet");
    } catch {
        // Used by another cluster or a kubelet of the host.
    }
}

const STOP_SECONDS = 20;

/** Lets databases close their files: SIGTERM to every container, then a bounded wait. */
async function stopContainers(spec: ClusterSpec): Promise<void> {
    const { services } = pathsOf(spec);
    await inNode(spec, ["sv", "down", join(services, "kubelet")]).catch(() => "");
    const running = async (): Promise<string[]> =>
        (await ctr(spec, "tasks", "ls").catch(() => ""))
            .split("\n")
            .filter((line) => line.includes("RUNNING"))
            .map((line) => line.split(/\s+/)[0] ?? "");
    const told = (await running()).map((task) => ctr(spec, "tasks", "kill", "--signal", "SIGTERM", task));
    await Promise.allSettled(told);
    for (let waited = 0; waited < STOP_SECONDS && (await running()).length > 0; waited++) await sleep(1000);
    await inNode(spec, [
        "sv",
        "-w",
        "10",
        "force-stop",
        ...["kube-apiserver", "etcd"].map((name) => join(services, name)),
    ]).catch(() => "");
}

/** runit's status of each service: `run: kubelet: (pid 12) 30s`. */
export const serviceStates = async (spec: ClusterSpec, services: readonly Service[]): Promise<string[]> =>
    (
        await inNode(spec, ["sv", "status", ...services.map(({ name }) => join(pathsOf(spec).services, name))]).catch(
            (error: unknown) => String(error),
        )
    )
        .trim()
        .split("\n");
