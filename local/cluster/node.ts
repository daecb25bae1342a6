/**
 * The node: one set of private namespaces (network, mounts, processes) in which runit keeps the services running.
 * Nothing of it touches the host's interfaces, firewall or mounts; when its first process ends, all of it is gone.
 */
import { spawn } from "node:child_process";
import {
    chmodSync,
    closeSync,
    existsSync,
    mkdirSync,
    openSync,
    readFileSync,
    rmdirSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { run, statOf } from "../process.ts";
import { createCgroup, removeCgroup } from "./cgroups.ts";
import type { Service } from "./services.ts";
import { type ClusterSpec, cgroupOf, INGRESS_NODE_PORTS, NODE_IP, pathsOf } from "./spec.ts";

const LOG_BYTES = 10_000_000;

/** A process that we started: its number, and its start time so that a re-used number is not taken for it. */
interface Started {
    readonly pid: number;
    readonly start: string;
}

const remember = (file: string, pid: number): void => {
    const start = statOf(pid)?.[19];
    if (start !== undefined) writeFileSync(file, JSON.stringify({ pid, start } satisfies Started));
};

/** The process noted in a file if it still runs. */
function recall(file: string): number | undefined {
    if (!existsSync(file)) return undefined;
    const { pid, start } = JSON.parse(readFileSync(file, "utf8")) as Started;
    const stat = statOf(pid);
    return stat?.[19] === start && stat[0] !== "Z" ? pid : undefined;
}

const nodeFile = (spec: ClusterSpec): string => join(pathsOf(spec).run, "node.json");
const linkFile = (spec: ClusterSpec): string => join(pathsOf(spec).run, "link.json");

export const nodePid = (spec: ClusterSpec): number | undefined => recall(nodeFile(spec));
export const linkPid = (spec: ClusterSpec): number | undefined => recall(linkFile(spec));

/** Runs a command inside the node. */
export const inNode = (spec: ClusterSpec, command: readonly string[], timeoutSeconds = 30): Promise<string> => {
    const pid = nodePid(spec);
    if (pid === undefined) throw new Error(`the cluster "${spec.name}" is not running: \`make up\` starts it`);
    return run("nsenter", ["--target", String(pid), "--net", "--mount", "--pid", "--ipc", "--uts", "--", ...command], {
        timeoutSeconds,
    });
};

/** The first process of the namespaces: sets up mounts and addresses, then becomes runit. */
const initScript = (spec: ClusterSpec): string => {
    const paths = pathsOf(spec);
    // Without the word that it is noted, a node would run that no one knows to stop.
    return `#!/bin/sh
set -eu
read -r noted
exec < /dev/null
mount --make-rprivate /
resolv=$(readlink -f /etc/resolv.conf)
mount -t tmpfs -o mode=755,size=256m tmpfs /run
mkdir -p "$(dirname "$resolv")" /run/lock
[ -e "$resolv" ] || : > "$resolv"
mount --bind ${join(paths.config, "resolv.conf")} "$resolv"
# The kubelet insists on these two paths.
mount --bind ${paths.kubelet} /var/lib/kubelet
mount --make-rshared /var/lib/kubelet
mount --bind ${paths.podLogs} /var/log
hostname ${NODE_IP.replaceAll(".", "-")}
ip link set lo up
ip link add orcheo0 type bridge
ip address add ${NODE_IP}/32 dev orcheo0
ip link set orcheo0 up
echo 1 > /proc/sys/net/ipv4/ip_forward
echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables
exec runsvdir -P ${paths.services}
`;
};

function writeServices(spec: ClusterSpec, services: readonly Service[], path: string): void {
    const paths = pathsOf(spec);
    for (const { name, command } of services) {
        const dir = join(paths.services, name);
        mkdirSync(join(dir, "log"), { recursive: true });
        mkdirSync(join(paths.logs, name), { recursive: true });
        writeFileSync(join(paths.logs, name, "config"), `s${LOG_BYTES}\nn2\n`);
        const quoted = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
        script(
            join(dir, "run"),
            `#!/bin/sh\nexec 2>&1\nexport PATH='${path}':/usr/sbin:/usr/bin:/sbin:/bin HOME=/root\nexec ${quoted}\n`,
        );
        script(join(dir, "log", "run"), `#!/bin/sh\nexec svlogd -tt '${join(paths.logs, name)}'\n`);
    }
}

const script = (file: string, text: string): void => {
    writeFileSync(file, text);
    chmodSync(file, 0o755);
};

interface Launched {
    readonly pid: number;
    /** Tells the process, which reads one line first, that it is noted. Ends it when we end before that. */
    readonly go: () => void;
}

/** A process of its own session, its output in a log, that outlives this one. */
function launch(command: string, args: readonly string[], log: string, inherit: readonly number[] = []): Launched {
    const fd = openSync(log, "a");
    const child = spawn(command, args, { detached: true, stdio: ["pipe", fd, fd, ...inherit] });
    closeSync(fd);
    child.unref();
    const { pid, stdin } = child;
    if (pid === undefined || stdin === null)
        throw new Error(`cannot start ${command}: is it installed? \`make up\` installs it as root`);
    return { pid, go: () => stdin.end("noted\n") };
}

async function until<T>(what: string, seconds: number, look: () => T | undefined): Promise<T> {
    for (let waited = 0; waited < seconds * 10; waited++) {
        const seen = look();
        if (seen !== undefined) return seen;
        await sleep(100);
    }
    throw new Error(`${what}: not seen within ${seconds} s`);
}

/** Starts the namespaces with their services unless they run. `path` goes before the system's in the services' PATH. */
export async function startNode(spec: ClusterSpec, services: readonly Service[], path: string): Promise<void> {
    const paths = pathsOf(spec);
    if (nodePid(spec) === undefined) {
        await stopLink(spec);
        // What runit kept about its former life would only confuse it.
        rmSync(paths.services, { recursive: true, force: true });
        for (const dir of [
            paths.services,
            paths.kubelet,
            paths.podLogs,
            join(paths.podLogs, "pods"),
            "/var/lib/kubelet",
        ]) {
            mkdirSync(dir, { recursive: true });
        }
        writeServices(spec, services, path);
        // The kubelet would look for the container of every cgroup of a lost node, for 6 s each.
        await endOfCgroup(spec);
        createCgroup(cgroupOf(spec));
        script(join(paths.run, "init"), initScript(spec));
        const parent = launch(
            "unshare",
            [
                "--net",
                "--mount",
                "--pid",
                "--ipc",
                "--uts",
                "--fork",
                "--kill-child=SIGKILL",
                "--mount-proc",
                join(paths.run, "init"),
            ],
            join(paths.logs, "node.log"),
        );
        const children = `/proc/${parent.pid}/task/${parent.pid}/children`;
        const pid = await until(`the node's first process (log: ${join(paths.logs, "node.log")})`, 10, () => {
            const text = existsSync(children) ? readFileSync(children, "utf8").trim() : "";
            return text === "" ? undefined : Number(text);
        });
        remember(nodeFile(spec), pid);
        parent.go();
    }
    await startLink(spec);
}

/** Connects the node's network with the host's: out through the host's own connections, in through loopback ports. */
async function startLink(spec: ClusterSpec): Promise<void> {
    if (linkPid(spec) !== undefined) return;
    const pid = nodePid(spec);
    const { api, registry, http, https } = spec.ports;
    const forwards = [
        `${api}:${api}`,
        `${registry}:${registry}`,
        `${http}:${INGRESS_NODE_PORTS.http}`,
        `${https}:${INGRESS_NODE_PORTS.https}`,
    ];
    // pasta gives up the right to look into other processes before it opens the namespace: hand it over open, as number 3.
    const network = openSync(`/proc/${pid ?? 0}/ns/net`, "r");
    const link = launch(
        "sh",
        [
            "-c",
            'read -r noted && exec "$@" < /dev/null',
            "sh",
            "pasta",
            "--foreground",
            "--runas",
            "0:0",
            "--netns-only",
            "--config-net",
            "--no-netns-quit",
            ...forwards.flatMap((forward) => ["-t", `127.0.0.1/${forward}`]),
            "-u",
            "none",
            "-T",
            "none",
            "-U",
            "none",
            "--netns",
            "/proc/self/fd/3",
        ],
        join(pathsOf(spec).logs, "link.log"),
        [network],
    );
    closeSync(network);
    remember(linkFile(spec), link.pid);
    link.go();
    await until(`the node's network link (log: ${join(pathsOf(spec).logs, "link.log")})`, 10, () => {
        if (linkPid(spec) === undefined)
            throw new Error(`pasta ended at once: see ${join(pathsOf(spec).logs, "link.log")}`);
        return readFileSync(`/proc/${pid ?? 0}/net/route`, "utf8").includes("\t00000000\t") ? true : undefined;
    });
}

/** A link that outlived its node still holds the ports, and leads into namespaces that are gone. */
async function stopLink(spec: ClusterSpec): Promise<void> {
    const link = linkPid(spec);
    if (link === undefined) return;
    process.kill(link, "SIGTERM");
    await until("the end of the node's network link", 10, () => (linkPid(spec) === undefined ? true : undefined));
}

/** Ends every process of the node and takes away what it left in the kernel. The data stays. */
export async function stopNode(spec: ClusterSpec): Promise<void> {
    const pid = nodePid(spec);
    if (pid !== undefined) {
        await stopContainers(spec);
        process.kill(pid, "SIGKILL");
        await until("the end of the node", 30, () => (nodePid(spec) === undefined ? true : undefined));
    }
    await stopLink(spec);
    rmSync(pathsOf(spec).run, { recursive: true, force: true });
    await endOfCgroup(spec);
    try {
        rmdirSync("/var/lib/kubelet");
    } catch {
        // Not ours: another cluster or a kubelet of the host uses it.
    }
}

const endOfCgroup = (spec: ClusterSpec): Promise<true> =>
    until("the end of the node's cgroup", 10, () => (removeCgroup(cgroupOf(spec)) ? true : undefined));

const STOP_SECONDS = 20;

/** Databases get the chance to close their files: SIGTERM to every container, then a bounded wait. */
async function stopContainers(spec: ClusterSpec): Promise<void> {
    const { services } = pathsOf(spec);
    const ctr = (...args: string[]): Promise<string> =>
        inNode(spec, ["ctr", "--address", "/run/containerd/containerd.sock", "--namespace", "k8s.io", ...args]);
    await inNode(spec, ["sv", "down", join(services, "kubelet")]).catch(() => "");
    const running = async (): Promise<string[]> =>
        (await ctr("tasks", "ls").catch(() => ""))
            .split("\n")
            .filter((line) => line.includes("RUNNING"))
            .map((line) => line.split(/\s+/)[0] ?? "");
    for (const task of await running()) await ctr("tasks", "kill", "--signal", "SIGTERM", task).catch(() => "");
    for (let waited = 0; waited < STOP_SECONDS && (await running()).length > 0; waited++) await sleep(1000);
    await inNode(spec, [
        "sv",
        "-w",
        "10",
        "force-stop",
        ...["kube-apiserver", "etcd"].map((name) => join(services, name)),
    ]).catch(() => "");
}

/** What runit says of each service: `run: kubelet: (pid 12) 30s`. */
export const serviceStates = async (spec: ClusterSpec, services: readonly Service[]): Promise<string[]> =>
    (
        await inNode(spec, ["sv", "status", ...services.map(({ name }) => join(pathsOf(spec).services, name))]).catch(
            (error: unknown) => String(error),
        )
    )
        .trim()
        .split("\n");
