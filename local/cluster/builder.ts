/**
 * The builder: BuildKit in its own namespaces, one instance for all clusters of a cache. It starts with the first
 * cluster and stops with the last one; its cache is kept. In its namespaces each cluster's registry listens a second time,
 * on the same address and the same files as in the node, so a push never crosses a network.
 */
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withLock } from "../lock.ts";
import { run } from "../process.ts";
import type { Report } from "../report.ts";
import type { Toolchain } from "../toolchain/build.ts";
import * as configs from "./configs.ts";
import {
    firstFile,
    firstPid,
    hasService,
    initHead,
    type Namespaces,
    recall,
    removeService,
    runInside,
    startNamespaces,
    stopNamespaces,
    until,
    writeService,
} from "./namespaces.ts";
import type { Service } from "./services.ts";
import { builderPaths, type ClusterSpec, pathsOf, registryOf } from "./spec.ts";

const paths = builderPaths();

const namespaces: Namespaces = {
    title: "the image builder",
    run: paths.run,
    services: paths.services,
    logs: paths.logs,
    // Each cache directory has its own builder.
    cgroup: `orcheo-builder-${sha256(paths.dir).slice(0, 8)}`,
    forwards: [],
};

/** Mirror registry for docker.io: a separate loopback address, because the clusters' registry ports are configurable. */
export const MIRROR = "127.0.0.2:5000";

/** A cluster that uses the builder as long as its node is running. */
interface User {
    readonly cluster: string;
    /** File that records the init process of its node. */
    readonly node: string;
    readonly service: Service;
}

const userFile = (spec: ClusterSpec): string => join(paths.users, `${sha256(spec.stateDir).slice(0, 12)}.json`);

const users = (): { file: string; user: User }[] =>
    (existsSync(paths.users) ? readdirSync(paths.users) : [])
        .map((name) => join(paths.users, name))
        .map((file) => ({ file, user: JSON.parse(readFileSync(file, "utf8")) as User }));

const isLive = ({ node }: User): boolean => recall(node) !== undefined;

export const builderPid = (): number | undefined => firstPid(namespaces);

/** The names of the running clusters that use the builder. */
export const builderUsers = (): string[] =>
    users()
        .filter(({ user }) => isLive(user))
        .map(({ user }) => user.cluster);

/** Starts the builder unless it is running, and connects it to the cluster's registry. The node must be running. */
export function attachBuilder(spec: ClusterSpec, toolchain: Toolchain, report: Pick<Report, "note">): Promise<void> {
    return withLock(paths.lock, report, async () => {
        for (const dir of [paths.config, paths.logs, paths.run, paths.users, paths.registry])
            mkdirSync(dir, { recursive: true });
        const own: User = {
            cluster: spec.name,
            node: firstFile(pathsOf(spec).run),
            service: {
                name: `registry-${spec.ports.registry}`,
                command: [toolchain.bin("registry"), "serve", join(pathsOf(spec).config, "registry.yaml")],
            },
        };
        await removeDead();
        writeFileSync(userFile(spec), JSON.stringify(own));

        const { files, services } = planOf(toolchain);
        const key = sha256(JSON.stringify([files, services]));
        const keyFile = join(paths.run, "key");
        if (builderPid() !== undefined && (!existsSync(keyFile) || readFileSync(keyFile, "utf8") !== key)) {
            const others = builderUsers().filter((name) => name !== spec.name);
            if (others.length === 0) await stop();
            else
                report.note(
                    `an image builder of another version keeps running, because ${others.join(", ")} uses it; ` +
                        `\`make down\` there, then \`make up\` here starts this version's`,
                );
        }
        if (builderPid() === undefined) {
            for (const [name, text] of Object.entries(files)) writeFileSync(join(paths.config, name), text);
            // Build steps must be able to read this file.
            chmodSync(join(paths.config, "resolv.conf"), 0o644);
            mkdirSync(paths.run, { recursive: true });
            writeFileSync(keyFile, key);
        }
        const init = `${initHead(join(paths.config, "resolv.conf"))}exec runsvdir -P ${paths.services}\n`;
        const registries = users().map(({ user }) => user.service);
        await startNamespaces(namespaces, { init, services: [...services, ...registries], path: toolchain.path });
        await ensureService(own.service, toolchain.path);
        for (const address of [MIRROR, registryOf(spec)]) await listening(address);
        await answering(toolchain);
    });
}

/** Detaches the cluster, and stops the builder after its last user. The cache is kept. */
export function detachBuilder(spec: ClusterSpec, report: Pick<Report, "note">): Promise<void> {
    if (!existsSync(paths.dir)) return Promise.resolve();
    return withLock(paths.lock, report, async () => {
        const file = userFile(spec);
        const own = users().find((each) => each.file === file);
        if (own !== undefined) {
            await removeService(namespaces, own.user.service.name);
            rmSync(file);
        }
        await removeDead();
        if (builderUsers().length === 0) await stop();
    });
}

/** The files and services of the builder, independent of its users. */
function planOf(toolchain: Toolchain): { files: Record<string, string>; services: readonly Service[] } {
    const config = (file: string): string => join(paths.config, file);
    return {
        files: {
            "buildkitd.toml": configs.buildkit({
                root: paths.buildkit,
                socket: paths.socket,
                cgroup: namespaces.cgroup,
                runc: toolchain.bin("runc"),
                mirror: MIRROR,
            }),
            "mirror.yaml": configs.registry(paths.registry, MIRROR),
            "resolv.conf": configs.resolvConf(configs.hostNameServers()),
        },
        services: [
            { name: "buildkitd", command: [toolchain.bin("buildkitd"), "--config", config("buildkitd.toml")] },
            { name: "mirror", command: [toolchain.bin("registry"), "serve", config("mirror.yaml")] },
        ],
    };
}

/** Removes clusters that ended without detaching: killed, or the machine was switched off. */
async function removeDead(): Promise<void> {
    for (const { file, user } of users().filter((each) => !isLive(each.user))) {
        await removeService(namespaces, user.service.name);
        rmSync(file);
    }
}

/** Replaces the service if it belongs to another version or cluster; otherwise leaves it running. */
async function ensureService(service: Service, path: string): Promise<void> {
    if (hasService(namespaces, service, path)) return;
    await removeService(namespaces, service.name);
    writeService(namespaces, service, path);
}

async function stop(): Promise<void> {
    const pid = builderPid();
    // Lets BuildKit close its databases.
    if (pid !== undefined)
        await runInside(pid, ["sv", "-w", "10", "force-stop", join(paths.services, "buildkitd")]).catch(() => "");
    await stopNamespaces(namespaces);
}

/** Waits until a server in the builder's namespaces is listening. runit picks up new services every 5 s. */
async function listening(address: string): Promise<void> {
    await until(`the registry at ${address} (logs: ${paths.logs})`, 30, () =>
        listens(readFileSync(`/proc/${builderPid() ?? 0}/net/tcp`, "utf8"), address) ? true : undefined,
    );
}

/** Whether /proc/net/tcp has a socket listening on an IPv4 address and port. */
export function listens(table: string, address: string): boolean {
    const [ip = "", port = ""] = address.split(":");
    const hex = (value: string, digits: number): string =>
        Number(value).toString(16).toUpperCase().padStart(digits, "0");
    const local = `${ip
        .split(".")
        .reverse()
        .map((part) => hex(part, 2))
        .join("")}:${hex(port, 4)}`;
    return table.split("\n").some((line) => {
        const [, here, , state] = line.trim().split(/\s+/);
        return here === local && state === "0A";
    });
}

/** Waits until BuildKit responds: it opens its databases first. */
async function answering(toolchain: Toolchain): Promise<void> {
    const ask = (): Promise<unknown> =>
        run(toolchain.bin("buildctl"), ["--addr", `unix://${paths.socket}`, "debug", "workers"], {
            timeoutSeconds: 10,
        });
    for (const end = Date.now() + 60_000; ;) {
        try {
            await ask();
            return;
        } catch (cause) {
            if (Date.now() > end)
                throw new Error(`BuildKit does not respond (log: ${join(paths.logs, "buildkitd", "current")})`, {
                    cause,
                });
            await new Promise((done) => setTimeout(done, 300));
        }
    }
}

/** One line per component, in runit's format. */
export async function builderStatus(): Promise<string[]> {
    const pid = builderPid();
    if (pid === undefined) return ["builder: not running"];
    const services = readdirSync(paths.services).map((name) => join(paths.services, name));
    const states = (await runInside(pid, ["sv", "status", ...services]).catch(String)).trim().split("\n");
    return [
        `builder: running as process ${pid} for ${builderUsers().join(", ")}`,
        ...states.map((line) => `${line} (logs: ${paths.logs})`),
    ];
}

/** Runs a command in the builder's network namespace, where {@link MIRROR} listens. @throws when the builder is not running */
export function inBuilder(command: readonly string[], timeoutSeconds: number): Promise<string> {
    const pid = builderPid();
    if (pid === undefined) throw new Error("the image builder is not running: `make up` starts it");
    return runInside(pid, command, timeoutSeconds);
}

function sha256(text: string): string {
    return createHash("sha256").update(text).digest("hex");
}
