/** The embedded cluster, from nothing to nothing: a real one of its own beside whatever else runs on the machine. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clusterStatus, kubectl, startCluster, stopCluster } from "../../local/cluster/cluster.ts";
import { ensureSystemImages } from "../../local/cluster/images.ts";
import { inNode, linkPid, nodePid } from "../../local/cluster/node.ts";
import { clusterSpec, pathsOf, registryOf } from "../../local/cluster/spec.ts";
import { run } from "../../local/process.ts";
import { consoleReport } from "../../local/report.ts";
import { ensureToolchain, type Toolchain } from "../../local/toolchain/build.ts";

const spec = clusterSpec("e2e", { api: 26443, registry: 25000, http: 20080, https: 20443 });
const report = consoleReport();
const NAMESPACE = "probe";

let toolchain: Toolchain;
let shell: string;
let before: Traces;

/** What a cluster could leave behind on the machine. */
interface Traces {
    interfaces: string[];
    mounts: string[];
    firewall: string;
    cgroups: string[];
}

async function traces(): Promise<Traces> {
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

const kube = (...args: string[]): Promise<string> => kubectl(spec, toolchain, args);
const apply = (objects: readonly object[]): Promise<string> =>
    kubectl(spec, toolchain, ["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
const outcome = (work: Promise<string>): Promise<string> => work.catch((error: unknown) => String(error));

async function eventually<T>(seconds: number, look: () => Promise<T>, fits: (seen: T) => boolean): Promise<T> {
    for (let waited = 0; ; waited++) {
        const seen = await look();
        if (fits(seen) || waited >= seconds) return seen;
        await sleep(1000);
    }
}

const pod = (name: string, command: string, extra: { volumes?: object[]; mounts?: object[] } = {}) => ({
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
                image: shell,
                command: ["/bin/sh", "-c", command],
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

beforeAll(async () => {
    toolchain = await ensureToolchain(["cluster", "add-ons"], report);
    // What an interrupted run of this test left.
    await stopCluster(spec, report, { deleteData: true });
    before = await traces();
    await startCluster(spec, toolchain, report);
    shell = (await ensureSystemImages(spec, toolchain)).get("volume-helper") ?? "";
    await apply([
        {
            apiVersion: "v1",
            kind: "Namespace",
            metadata: { name: NAMESPACE, labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
        },
    ]);
    const claim = {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: { name: "data", namespace: NAMESPACE },
        spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "16Mi" } } },
    };
    const volume = {
        volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }],
        mounts: [{ name: "data", mountPath: "/data" }],
    };
    await apply([
        claim,
        pod("server", "echo kept > /data/index.html; exec httpd -f -p 8080 -h /data", volume),
        pod("client", "sleep 3600"),
        {
            apiVersion: "v1",
            kind: "Service",
            metadata: { name: "server", namespace: NAMESPACE },
            spec: { selector: { app: "server" }, ports: [{ port: 80, targetPort: 8080 }] },
        },
    ]);
    await kube("wait", "--namespace", NAMESPACE, "--for=condition=Ready", "pod", "--all", "--timeout=120s");
});

afterAll(async () => {
    await stopCluster(spec, report, { deleteData: true });
});

const inClient = (command: string): Promise<string> =>
    outcome(kube("exec", "--namespace", NAMESPACE, "client", "--", "/bin/sh", "-c", command));

/** Names the Service, so that DNS, kube-proxy and the network policy all have their part. */
const ask = (): Promise<string> =>
    inClient("printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 3 server.probe.svc.cluster.local 80");

const policy = (name: string, spec_: object) => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace: NAMESPACE },
    spec: spec_,
});

describe("a running cluster", () => {
    test("its node is ready and every service of it runs", async () => {
        expect(await kube("get", "nodes", "--no-headers")).toMatch(/ Ready /);
        const status = await clusterStatus(spec, toolchain);
        expect(status.filter((line) => line.startsWith("run: "))).toHaveLength(10);
    });

    test("Pod Security refuses a pod that may become root", async () => {
        const bad = {
            apiVersion: "v1",
            kind: "Pod",
            metadata: { name: "bad", namespace: NAMESPACE },
            spec: { containers: [{ name: "a", image: shell }] },
        };
        expect(await outcome(apply([bad]))).toContain('violates PodSecurity "restricted');
    });

    test("a pod runs as its user and cannot write to its root", async () => {
        expect(await inClient("id -u; touch /here")).toMatch(/Read-only file system/);
    });

    test("nobody without a certificate is answered, but for health", async () => {
        const api = `https://127.0.0.1:${spec.ports.api}`;
        const ca = join(pathsOf(spec).pki, "cluster-ca.crt");
        const status = (path: string): Promise<string> =>
            run("curl", ["-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", ca, `${api}${path}`]);
        expect([await status("/livez"), await status("/api/v1/secrets")]).toEqual(["200", "401"]);
    });

    test("Secrets are encrypted in etcd", async () => {
        await kube(
            "create",
            "secret",
            "generic",
            "s",
            "--namespace",
            NAMESPACE,
            "--from-literal=k=plain-words-never-stored",
        );
        const found = await run("grep", ["-rlaF", "plain-words-never-stored", pathsOf(spec).etcd]).catch(
            () => "nothing found",
        );
        expect(found).toBe("nothing found");
    });

    test("changes are in the audit log, the contents of Secrets are not", () => {
        const log = readFileSync(join(pathsOf(spec).logs, "audit.log"), "utf8");
        expect(log).toContain('"resource":"secrets"');
        expect(log).not.toContain("plain-words-never-stored");
    });

    test("metrics-server measures pods", async () => {
        const top = await eventually(
            90,
            () => outcome(kube("top", "pods", "--namespace", NAMESPACE, "--no-headers")),
            (seen) => seen.includes("server"),
        );
        expect(top).toMatch(/server\s+\d+m\s+\d+Mi/);
    });

    test("network policies are enforced: refused under deny-all, let through by a rule", async () => {
        expect(await ask()).toContain("kept");
        await apply([
            policy("deny-all", { podSelector: { matchLabels: { app: "server" } }, policyTypes: ["Ingress"] }),
        ]);
        expect(await eventually(30, ask, (seen) => !seen.includes("kept"))).toMatch(/timed out|refused/);
        await apply([
            policy("allow-client", {
                podSelector: { matchLabels: { app: "server" } },
                ingress: [{ from: [{ podSelector: { matchLabels: { app: "client" } } }], ports: [{ port: 8080 }] }],
                policyTypes: ["Ingress"],
            }),
        ]);
        expect(await eventually(30, ask, (seen) => seen.includes("kept"))).toContain("kept");
    });

    test("BuildKit builds with the network and pushes what a pod then runs", async () => {
        const context = join(pathsOf(spec).run, "context");
        await run("mkdir", ["-p", context]);
        writeFileSync(
            join(context, "Dockerfile"),
            `FROM ${shell}\nRUN ["/bin/sh", "-c", "grep nameserver /etc/resolv.conf && mkdir /srv && echo built > /srv/index.html"]\n`,
        );
        const name = `${registryOf(spec)}/e2e/built:1`;
        await run(toolchain.bin("buildctl"), [
            "--addr",
            `unix://${pathsOf(spec).buildkitSocket}`,
            "build",
            "--frontend=dockerfile.v0",
            "--local",
            `context=${context}`,
            "--local",
            `dockerfile=${context}`,
            "--output",
            `type=image,name=${name},push=true`,
        ]);
        const built = pod("built", "cat /srv/index.html; sleep 3600");
        await apply([
            {
                ...built,
                spec: {
                    ...built.spec,
                    containers: built.spec.containers.map((container) => ({ ...container, image: name })),
                },
            },
        ]);
        await kube("wait", "--namespace", NAMESPACE, "--for=condition=Ready", "pod/built", "--timeout=60s");
        expect(await kube("logs", "--namespace", NAMESPACE, "built")).toBe("built\n");
    });
});

describe("what happens to a cluster", () => {
    test("a second start changes nothing and is quick to say so", async () => {
        const [node, link] = [nodePid(spec), linkPid(spec)];
        await startCluster(spec, toolchain, report);
        expect([nodePid(spec), linkPid(spec)]).toEqual([node, link]);
    });

    test.each(["etcd", "kube-apiserver", "containerd", "kubelet", "kube-router", "registry", "buildkitd"])(
        "%s comes back after kill -9",
        async (name) => {
            const pidFile = join(pathsOf(spec).services, name, "supervise", "pid");
            const pid = readFileSync(pidFile, "utf8").trim();
            await inNode(spec, ["kill", "-9", pid]);
            const next = await eventually(
                20,
                () => Promise.resolve(readFileSync(pidFile, "utf8").trim()),
                (seen) => seen !== "" && seen !== pid,
            );
            expect(next).not.toBe(pid);
            await startCluster(spec, toolchain, report);
            expect(await eventually(30, ask, (seen) => seen.includes("kept"))).toContain("kept");
        },
    );

    test("its link to the host comes back with the next start", async () => {
        process.kill(linkPid(spec) ?? 0, "SIGKILL");
        await eventually(
            5,
            () => Promise.resolve(linkPid(spec)),
            (seen) => seen === undefined,
        );
        await startCluster(spec, toolchain, report);
        expect(await kube("get", "--raw", "/readyz")).toBe("ok");
    });

    test("after the loss of the whole node the next start brings the pods back with their data", async () => {
        process.kill(nodePid(spec) ?? 0, "SIGKILL");
        await eventually(
            10,
            () => Promise.resolve(nodePid(spec)),
            (seen) => seen === undefined,
        );
        await startCluster(spec, toolchain, report);
        // These pods have no controller: the kubelet starts the same ones again.
        expect(await eventually(300, ask, (seen) => seen.includes("kept"))).toContain("kept");
    });

    test("stopped, it leaves the machine as it was and keeps its data", async () => {
        await stopCluster(spec, report);
        expect(await traces()).toEqual(before);
        expect(readdirSync(spec.stateDir)).toContain("etcd");
    });
});
