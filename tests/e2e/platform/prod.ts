/** The Kubernetes half of prod, on the same cluster. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { projectDir } from "../../../local/paths.ts";
import { run } from "../../../local/process.ts";
import { committedFile, readStackFile } from "../../../local/pulumi.ts";
import { merge, type Settings, settingsOf } from "../../../local/settings.ts";
import { answerOf, createWorkflow, dispatch, ended } from "../orcheo.ts";
import { attempt, callerAt, environmentOf, env, exec, kube, NAMESPACE, up } from "./harness.ts";

export function prod(): void {
    const namespace = "orcheo-prod";
    const host = "orcheo-prod.localhost";
    const objects = (items: readonly object[]): Promise<string> =>
        run("kubectl", ["apply", "-f", "-"], { env, input: JSON.stringify({ apiVersion: "v1", kind: "List", items }) });

    /** Prod's own settings without AWS, with the dev stack's server as a database of somebody else's. */
    function prodSettings(): Settings {
        const own = settingsOf(readStackFile(committedFile("prod")), "prod");
        const rest = Object.fromEntries(
            Object.entries(own).filter(([key]) => !["aws", "database", "cache"].includes(key)),
        );
        const small = { cpuRequestMillis: 50, cpuLimitMillis: 1500, memoryRequestMiB: 384, memoryLimitMiB: 1024 };
        const source = { kind: "directory", path: join(projectDir, "tests", "canvas-app") };
        return merge(rest, {
            kubernetes: { namespace, namespaceKind: "existing" },
            host,
            entrance: { tls: { kind: "clusterIssuer", name: "orcheo-local-ca" } },
            images: { canvas: { source } },
            database: {
                kind: "external",
                url: { kind: "secret", name: "database", key: "url" },
                authority: { kind: "secret", name: "database", key: "ca.crt" },
                reach: {
                    kind: "pods",
                    namespace: NAMESPACE,
                    podLabels: { "app.kubernetes.io/component": "postgres" },
                },
            },
            cache: { kind: "valkey" },
            api: { resources: small },
            worker: { concurrency: 1, resources: small },
        });
    }

    test("comes up with a database of somebody else's over verified TLS, at production replica counts", async () => {
        await exec("postgres-0", "psql", "-h", "/tmp", "-U", "postgres", "-c", "create database prod owner orcheo");
        const decoded = async (secret: string, key: string): Promise<string> =>
            Buffer.from(
                await kube("get", "secret", secret, "-o", `jsonpath={.data.${key.replaceAll(".", "\\.")}}`),
                "base64",
            ).toString();
        const secrets = await kube("get", "secrets", "-o", "name");
        const passwords = /secret\/(postgres-secret-\S+)/.exec(secrets)?.[1] ?? "";
        const password = await decoded(passwords, "postgres-password");
        const url = `postgresql://orcheo:${password}@postgres.${NAMESPACE}.svc:5432/prod`;
        await objects([
            {
                apiVersion: "v1",
                kind: "Namespace",
                metadata: { name: namespace, labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
            },
            {
                apiVersion: "v1",
                kind: "Secret",
                metadata: { name: "database", namespace },
                stringData: { url, "ca.crt": await decoded("postgres-tls", "ca.crt") },
            },
            {
                apiVersion: "networking.k8s.io/v1",
                kind: "NetworkPolicy",
                metadata: { name: "prod-to-postgres", namespace: NAMESPACE },
                spec: {
                    podSelector: { matchLabels: { "app.kubernetes.io/component": "postgres" } },
                    policyTypes: ["Ingress"],
                    ingress: [
                        {
                            from: [
                                { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } } },
                            ],
                            ports: [{ port: 5432 }],
                        },
                    ],
                },
            },
        ]);
        const { bootstrapToken } = await up(prodSettings(), "prod");
        const ready = await run(
            "kubectl",
            [
                "--namespace",
                namespace,
                "get",
                "deployments",
                "-o",
                "jsonpath={range .items[*]}{.metadata.name}={.status.readyReplicas} {end}",
            ],
            { env },
        );
        expect(ready.trim().split(" ").sort()).toEqual(["api=3", "beat=1", "canvas=2", "worker=3"]);
        const caller = await callerAt(host, String(bootstrapToken));
        const workflow = await createWorkflow(caller, "0.33", "e2e-prod");
        expect(answerOf(await ended(caller, await dispatch(caller, workflow)))).toBe(42);
        const inDatabase = await exec(
            "postgres-0",
            ...["psql", "-h", "/tmp", "-U", "postgres", "-d", "prod", "-Atc"],
            "select bool_and(ssl) from pg_stat_ssl join pg_stat_activity using (pid) where datname = 'prod' and usename = 'orcheo'",
        );
        expect(inDatabase.output.trim()).toBe("t");
        const away = ["destroy", "--exclude-protected", "--yes", "--non-interactive"];
        expect((await attempt("pulumi", away, environmentOf("prod"))).code).toBe(0);
        await run("kubectl", ["delete", "namespace", namespace, "--timeout=120s"], { env });
    });
}
