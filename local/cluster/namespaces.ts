/**
 * Private namespaces (network, mounts, processes) in which runit keeps services running, connected to the host's network
 * by pasta. Nothing of them touches the host's interfaces, firewall or mounts; when their first process ends, all of
 * them is gone.
 */
import { spawn } from "node:child_process";
import {
    chmodSync,
    closeSync,
    existsSync,
    mkdirSync,
    openSync,
    readFileSync,
    renameSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { run, statOf } from "../process.ts";
import { createCgroup, removeCgroup } from "./cgroups.ts";
import type { Service } from "./services.ts";

const LOG_BYTES = 10_000_000;

/** Name and files of one set of namespaces. */
export interface Namespaces {
    /** For messages: `the node`, `the builder`. */
    readonly title: string;
    /** Files that are useless once the processes have exited. */
    readonly run: string;
    /** Folder with runit's services. */
    readonly services: string;
    readonly logs: string;
    readonly cgroup: string;
    /** See {@link createCgroup}; default 1. */
    readonly cpuWeight?: number;
    /** Ports of the host's 127.0.0.1 forwarded into the namespaces, in pasta's syntax: `443:30443`. */
    readonly forwards: readonly string[];
}

/** A process that we started: its pid, and its start time to detect a reused pid. */
interface Started {
    readonly pid: number;
    readonly start: string;
}

const remember = (file: string, pid: number): void => {
    const start = statOf(pid)?.[19];
    if (start !== undefined) writeFileSync(file, JSON.stringify({ pid, start } satisfies Started));
};

/** The process recorded in a file, if it is still running. */
export function recall(file: string): number | undefined {
    if (!existsSync(file)) return undefined;
    const { pid, start } = JSON.parse(readFileSync(file, "utf8")) as Started;
    const stat = statOf(pid);
    return stat?.[19] === start && stat[0] !== "Z" ? pid : undefined;
}

/** File that records the init process of the namespaces. */
export const firstFile = (run: string): string => join(run, "node.json");
const linkFile = (run: string): string => join(run, "link.json");

export const firstPid = ({ run }: Pick<Namespaces, "run">): number | undefined => recall(firstFile(run));
export const linkPidOf = ({ run }: Pick<Namespaces, "run">): number | undefined => recall(linkFile(run));

/** Wraps a command line so that it runs inside the namespaces of a process. */
export const enter = (pid: number, ...command: readonly string[]): string[] => [
    ...["nsenter", "--target", String(pid), "--net", "--mount", "--pid", "--ipc", "--uts", "--"],
    ...command,
];

/** Runs a command inside the namespaces of a process. */
export function runInside(pid: number, command: readonly string[], timeoutSeconds = 30): Promise<string> {
    const [nsenter = "", ...args] = enter(pid, ...command);
    return run(nsenter, args, { timeoutSeconds });
}

/**
 * The first lines of every first process. It waits for the word that it is noted: without it namespaces would run that
 * no one knows to stop. /run is private, with the name servers of `resolvConf`.
 */
export const initHead = (resolvConf: string): string => `#!/bin/sh
set -eu
read -r noted
exec < /dev/null
mount --make-rprivate /
resolv=$(readlink -f /etc/resolv.conf)
mount -t tmpfs -o mode=755,size=256m tmpfs /run
mkdir -p "$(dirname "$resolv")" /run/lock
[ -e "$resolv" ] || : > "$resolv"
mount --bind ${resolvConf} "$resolv"
ip link set lo up
`;

/** Writes one runit service. `path` is prepended to its PATH. */
export function writeService(place: Namespaces, { name, command }: Service, path: string): void {
    // Moved into place atomically, because a running runit starts any service it finds.
    const dir = join(place.run, `new-${name}`);
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(join(dir, "log"), { recursive: true });
    mkdirSync(join(place.logs, name), { recursive: true });
    writeFileSync(join(place.logs, name, "config"), `s${LOG_BYTES}\nn2\n`);
    script(join(dir, "log", "run"), `#!/bin/sh\nexec svlogd -tt '${join(place.logs, name)}'\n`);
    script(join(dir, "run"), runScript(command, path));
    renameSync(dir, join(place.services, name));
}

function runScript(command: readonly string[], path: string): string {
    const quoted = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
    return `#!/bin/sh\nexec 2>&1\nexport PATH='${path}':/usr/sbin:/usr/bin:/sbin:/bin HOME=/root\nexec ${quoted}\n`;
}

/** Whether a service exists exactly as {@link writeService} would write it. */
export function hasService(place: Namespaces, { name, command }: Service, path: string): boolean {
    const file = join(place.services, name, "run");
    return existsSync(file) && readFileSync(file, "utf8") === runScript(command, path);
}

/** Stops one service and removes it. */
export async function removeService(place: Namespaces, name: string): Promise<void> {
    const dir = join(place.services, name);
    if (!existsSync(dir)) return;
    const pid = firstPid(place);
    if (pid !== undefined) await runInside(pid, ["sv", "-w", "10", "force-stop", dir]).catch(() => "");
    const old = join(place.run, `old-${name}`);
    rmSync(old, { recursive: true, force: true });
    renameSync(dir, old);
}

const script = (file: string, text: string): void => {
    writeFileSync(file, text);
    chmodSync(file, 0o755);
};

interface Launched {
    readonly pid: number;
    /** Releases the process, which waits for one line, once it has been recorded. It exits if we exit before that. */
    readonly go: () => void;
}

/** Starts a process in its own session that outlives this one, with its output in a log. */
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

export async function until<T>(what: string, seconds: number, look: () => T | undefined): Promise<T> {
    for (let waited = 0; waited < seconds * 10; waited++) {
        const seen = look();
        if (seen !== undefined) return seen;
        await sleep(100);
    }
    throw new Error(`${what}: not seen within ${seconds} s`);
}

/** Starts the namespaces with `services` unless they are running, and connects them. `init` is the init process's script. */
export async function startNamespaces(
    place: Namespaces,
    { init, services, path }: { init: string; services: readonly Service[]; path: string },
): Promise<void> {
    const log = join(place.logs, "node.log");
    if (firstPid(place) === undefined) {
        await stopLink(place);
        // runit's state from the previous run would only confuse it.
        rmSync(place.services, { recursive: true, force: true });
        for (const dir of [place.services, place.logs]) mkdirSync(dir, { recursive: true });
        for (const service of services) writeService(place, service, path);
        // Otherwise the kubelet would search for the container of every leftover cgroup, for 6 s each.
        await endOfCgroup(place);
        createCgroup(place.cgroup, { cpuWeight: place.cpuWeight });
        const initFile = join(place.run, "init");
        script(initFile, init);
        const flags = ["--net", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child=SIGKILL", "--mount-proc"];
        const parent = launch("unshare", [...flags, initFile], log);
        const children = `/proc/${parent.pid}/task/${parent.pid}/children`;
        const pid = await until(`the first process of ${place.title} (log: ${log})`, 10, () => {
            const text = existsSync(children) ? readFileSync(children, "utf8").trim() : "";
            return text === "" ? undefined : Number(text);
        });
        remember(firstFile(place.run), pid);
        parent.go();
    }
    await startLink(place);
}

/** Connects the namespaces to the host's network: outgoing through the host's own connections, incoming through loopback ports. */
async function startLink(place: Namespaces): Promise<void> {
    if (linkPidOf(place) !== undefined) return;
    const pid = firstPid(place);
    const log = join(place.logs, "link.log");
    const inward = place.forwards.length === 0 ? ["-t", "none"] : [];
    // pasta drops its permission to inspect other processes before it opens the namespace: pass it as open file descriptor 3.
    const network = openSync(`/proc/${pid ?? 0}/ns/net`, "r");
    const link = launch(
        "sh",
        [
            ...["-c", 'read -r noted && exec "$@" < /dev/null', "sh"],
            ...["pasta", "--foreground", "--runas", "0:0", "--netns-only", "--config-net", "--no-netns-quit"],
            ...place.forwards.flatMap((forward) => ["-t", `127.0.0.1/${forward}`]),
            ...inward,
            ...["-u", "none", "-T", "none", "-U", "none", "--netns", "/proc/self/fd/3"],
        ],
        log,
        [network],
    );
    closeSync(network);
    remember(linkFile(place.run), link.pid);
    link.go();
    await until(`the network link of ${place.title} (log: ${log})`, 10, () => {
        if (linkPidOf(place) === undefined) throw new Error(`pasta exited immediately: see ${log}`);
        return readFileSync(`/proc/${pid ?? 0}/net/route`, "utf8").includes("\t00000000\t") ? true : undefined;
    });
}

/** A link that outlived its namespaces still holds the ports, but forwards to processes that no longer exist. */
async function stopLink(place: Namespaces): Promise<void> {
    const link = linkPidOf(place);
    if (link === undefined) return;
    process.kill(link, "SIGTERM");
    await until(`the end of the network link of ${place.title}`, 10, () =>
        linkPidOf(place) === undefined ? true : undefined,
    );
}

/** Stops every process of the namespaces and removes what they left in the kernel. */
export async function stopNamespaces(place: Namespaces): Promise<void> {
    const pid = firstPid(place);
    if (pid !== undefined) {
        process.kill(pid, "SIGKILL");
        await until(`the end of ${place.title}`, 30, () => (firstPid(place) === undefined ? true : undefined));
    }
    await stopLink(place);
    rmSync(place.run, { recursive: true, force: true });
    await endOfCgroup(place);
}

const endOfCgroup = ({ cgroup, title }: Namespaces): Promise<true> =>
    until(`the end of the cgroup of ${title}`, 10, () => (removeCgroup(cgroup) ? true : undefined));
