/** Its own Docker engine, in its own namespaces: the machine's interfaces, firewall and mounts stay as they are. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { attachBuilder, detachBuilder } from "../../local/cluster/builder.ts";
import * as configs from "../../local/cluster/configs.ts";
import {
    firstPid,
    initHead,
    type Namespaces,
    runInside,
    startNamespaces,
    stopNamespaces,
} from "../../local/cluster/namespaces.ts";
import { cgroupOf, clusterSpec, pathsOf, registryOf } from "../../local/cluster/spec.ts";
import { run } from "../../local/process.ts";
import type { Report } from "../../local/report.ts";
import type { Toolchain } from "../../local/toolchain/build.ts";

/** Beside those of the embedded clusters; `api` leads to the tests' own identity provider on 8443. */
export const spec = clusterSpec("compose", { api: 26449, registry: 25009, http: 20089, https: 20449 });
const paths = pathsOf(spec);
export const socket = join(spec.stateDir, "docker.sock");

const namespaces: Namespaces = {
    title: "the Docker engine",
    run: paths.run,
    services: paths.services,
    logs: paths.logs,
    cgroup: cgroupOf(spec),
    // As an embedded cluster's node.
    cpuWeight: 8,
    forwards: [
        `${spec.ports.registry}:${spec.ports.registry}`,
        ...[`${spec.ports.http}:80`, `${spec.ports.https}:443`, `${spec.ports.api}:8443`],
    ],
};

const containerdSocket = "/run/containerd.sock";
const containerd = (): string => `version = 3
root = "${join(paths.containerd, "root")}"
state = "/run/containerd"
# Without CAP_SYS_RESOURCE no process may lower its OOM score.
oom_score = 0
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime"]

[grpc]
address = "${containerdSocket}"
`;

const daemon = (toolchain: Toolchain): object => ({
    "data-root": join(spec.stateDir, "docker"),
    "exec-root": "/run/docker",
    pidfile: "/run/docker.pid",
    hosts: [`unix://${socket}`],
    containerd: containerdSocket,
    "exec-opts": ["native.cgroupdriver=cgroupfs"],
    "cgroup-parent": `/${cgroupOf(spec)}`,
    bip: "10.77.0.1/24",
    "default-address-pools": [{ base: "10.78.0.0/16", size: 24 }],
    "userland-proxy-path": toolchain.bin("docker-proxy"),
});

/** Starts the engine, the registry that it pulls from, and the image builder that pushes there. */
export async function startEngine(toolchain: Toolchain, report: Report): Promise<void> {
    for (const dir of [paths.config, paths.logs, paths.run, paths.containerd, paths.registry])
        mkdirSync(dir, { recursive: true });
    const config = (file: string): string => join(paths.config, file);
    writeFileSync(config("containerd.toml"), containerd());
    writeFileSync(config("daemon.json"), JSON.stringify(daemon(toolchain)));
    writeFileSync(config("registry.yaml"), configs.registry(paths.registry, registryOf(spec)));
    writeFileSync(config("resolv.conf"), configs.resolvConf(configs.hostNameServers()));
    if (firstPid(namespaces) === undefined) rmSync(socket, { force: true });
    await startNamespaces(namespaces, {
        init: `${initHead(config("resolv.conf"))}exec runsvdir -P ${paths.services}\n`,
        services: [
            { name: "containerd", command: [toolchain.bin("containerd"), "--config", config("containerd.toml")] },
            { name: "dockerd", command: [toolchain.bin("dockerd"), "--config-file", config("daemon.json")] },
            { name: "registry", command: [toolchain.bin("registry"), "serve", config("registry.yaml")] },
        ],
        path: toolchain.path,
    });
    await attachBuilder(spec, toolchain, report);
    for (const end = Date.now() + 120_000; ;) {
        if ((await engine("GET", "/_ping").catch(String)) === "OK") return;
        if (Date.now() > end) throw new Error(`the Docker engine does not answer: see ${paths.logs}/dockerd`);
        await new Promise((done) => setTimeout(done, 500));
    }
}

/** One request to the engine's API. */
export const engine = (method: string, path: string, timeoutSeconds = 60): Promise<string> =>
    run(
        "curl",
        [
            ...["--silent", "--show-error", "--fail", "--max-time", String(timeoutSeconds)],
            ...["--unix-socket", socket, "--request", method, `http://docker${path}`],
        ],
        { timeoutSeconds: timeoutSeconds + 5 },
    );

/** Runs a command beside the engine, where the processes of its containers can be seen. */
export const besideEngine = (...command: readonly string[]): Promise<string> => {
    const pid = firstPid(namespaces);
    if (pid === undefined) throw new Error("the Docker engine is not running");
    return runInside(pid, command, 60);
};

/** Stops the engine with its containers and removes its data; the registry's files stay for the next run. */
export async function stopEngine(report: Report): Promise<void> {
    await detachBuilder(spec, report);
    await stopNamespaces(namespaces);
    for (const dir of ["docker", "containerd", "docker.sock"])
        rmSync(join(spec.stateDir, dir), { recursive: true, force: true });
}
