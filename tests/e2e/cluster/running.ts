/** What a running cluster does and refuses. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { clusterStatus } from "../../../local/cluster/cluster.ts";
import { buildAndPush } from "../../../local/cluster/images.ts";
import { nodeServices } from "../../../local/cluster/services.ts";
import { pathsOf, registryOf } from "../../../local/cluster/spec.ts";
import { run } from "../../../local/process.ts";
import {
    apply,
    ask,
    eventually,
    inClient,
    kube,
    NAMESPACE,
    outcome,
    pod,
    policy,
    shell,
    spec,
    toolchain,
} from "./harness.ts";

export function runningCluster(): void {
    test("its node is ready and every service of it runs", async () => {
        expect(await kube("get", "nodes", "--no-headers")).toMatch(/ Ready /);
        const status = await clusterStatus(spec, toolchain);
        const running = status
            .filter((line) => line.startsWith("run: "))
            .map((line) => /\/([\w-]+): \(pid/.exec(line)?.[1]);
        expect(running.slice(0, 9)).toEqual(nodeServices(spec, toolchain).map(({ name }) => name));
        // Those of other clusters may be there as well.
        expect(running.slice(9)).toEqual(
            expect.arrayContaining(["buildkitd", "mirror", `registry-${spec.ports.registry}`]),
        );
    });

    test("Pod Security refuses a pod that may become root", async () => {
        const bad = {
            apiVersion: "v1",
            kind: "Pod",
            metadata: { name: "bad", namespace: NAMESPACE },
            spec: { containers: [{ name: "a", image: await shell() }] },
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
        const log = readFileSync(join(pathsOf(spec).auditLogs, "audit.log"), "utf8");
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
            `FROM ${await shell()}\nRUN ["/bin/sh", "-c", "grep nameserver /etc/resolv.conf && mkdir /srv && echo built > /srv/index.html"]\n`,
        );
        const name = `${registryOf(spec)}/e2e/built:1`;
        await buildAndPush(spec, toolchain, context, name);
        await apply([pod("built", name, "cat /srv/index.html; sleep 3600")]);
        await kube("wait", "--namespace", NAMESPACE, "--for=condition=Ready", "pod/built", "--timeout=60s");
        expect(await kube("logs", "--namespace", NAMESPACE, "built")).toBe("built\n");
    });
}
