/** What the end-to-end tests of the embedded cluster share: the cluster, its clients, and a pod to try things in. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { kubectl, startCluster } from "../../../local/cluster/cluster.ts";
import { ensureSystemImages } from "../../../local/cluster/images.ts";
import { run } from "../../../local/process.ts";
import { consoleReport } from "../../../local/report.ts";
import { ensureToolchain } from "../../../local/toolchain/build.ts";
import { clusterOfThisFile } from "../clusters.ts";

export const spec = clusterOfThisFile();
export const report = consoleReport();
export const NAMESPACE = "probe";

export const toolchain = await ensureToolchain(["cluster", "add-ons"], report);

export const start = () => startCluster(spec, toolchain, report);

/** The image of every pod here: a shell and the small programs of busybox. */
export const shell = async (): Promise<string> =>
    (await ensureSystemImages(spec, toolchain)).get("volume-helper") ?? "";

/** What a cluster could leave behind on the machine. */
export interface Traces {
    interfaces: string[];
    mounts: string[];
    firewall: string;
    cgroups: string[];
}

export async function traces(): Promise<Traces> {
    const links = JSON.parse(await run("ip", ["-json", "link"])) as { ifname: string }[];
    return {
        interfaces: links.map(({ ifname }) => ifname).sort(),
        mounts: readFileSync("/proc/self/mounts", "utf8")
            .split("\n")
            .filter((line) => line.includes("orcheo") || line.includes("kubelet")),
        // Counters differ from moment to moment, rules must not.
        firewall: (await run("iptables-save", [])).replaceAll(/^#.*$|\[\d+:\d+\]/gm, ""),
        cgroups: readdirSync("/sys/fs/cgroup")
            .flatMap((name) => [name, ...subfolders(join("/sys/fs/cgroup", name))])
            .filter((name) => name.includes("orcheo-e2e")),
    };
}

const subfolders = (dir: string): string[] =>
    readdirSync(dir, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name);

export const kube = (...args: string[]): Promise<string> => kubectl(spec, toolchain, args);
export const apply = (objects: readonly object[]): Promise<string> =>
    kubectl(spec, toolchain, ["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
export const outcome = (work: Promise<string>): Promise<string> => work.catch((error: unknown) => String(error));

export async function eventually<T>(seconds: number, look: () => Promise<T>, fits: (seen: T) => boolean): Promise<T> {
    for (let waited = 0; ; waited++) {
        const seen = await look();
        if (fits(seen) || waited >= seconds) return seen;
        await sleep(1000);
    }
}

/** A pod that the strictest Pod Security level admits. */
export const pod = (
    name: string,
    image: string,
    command: string,
    extra: { volumes?: object[]; mounts?: object[] } = {},
) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: NAMESPACE, labels: { app: name } },
    spec: {
        automountServiceAccountToken: false,
        terminationGracePeriodSeconds: 1,
        securityContext: {
            runAsNonRoot: true,
            runAsUser: 1000,
            fsGroup: 1000,
            seccompProfile: { type: "RuntimeDefault" },
        },
        containers: [
            {
                name: "shell",
                image,
                // The first process of a container ignores a signal that it does not handle, and would end only by SIGKILL.
                command: ["/bin/sh", "-c", `trap 'exit 0' TERM; { ${command}; } & wait`],
                securityContext: {
                    allowPrivilegeEscalation: false,
                    readOnlyRootFilesystem: true,
                    capabilities: { drop: ["ALL"] },
                },
                volumeMounts: extra.mounts ?? [],
            },
        ],
        volumes: extra.volumes ?? [],
    },
});

export const inClient = (command: string): Promise<string> =>
    outcome(kube("exec", "--namespace", NAMESPACE, "client", "--", "/bin/sh", "-c", command));

/** Names the Service, so that DNS, kube-proxy and the network policy all have their part. */
export const ask = (): Promise<string> =>
    inClient("printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 3 server.probe.svc.cluster.local 80");

export const policy = (name: string, rules: object) => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace: NAMESPACE },
    spec: rules,
});
