/** The Kubernetes half of prod, on the same cluster: database, secrets and certificate of someone else's. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { clusterInfo } from "../../../local/cluster/cluster.ts";
import { projectDir } from "../../../local/paths.ts";
import { pulumiDir } from "../../../local/platform.ts";
import { run } from "../../../local/process.ts";
import { committedFile, readStackFile } from "../../../local/pulumi.ts";
import { merge, type Settings, settingsOf } from "../../../local/settings.ts";
import { endurance } from "../endurance.ts";
import {
    answerOf,
    ask,
    createWorkflow,
    dispatch,
    ended,
    type Entrance,
    socketStatus,
    verifiedCertificate,
} from "../orcheo.ts";
import { directory, publish, renew, startAuthority } from "./acme.ts";
import { by, envoyClass, envoyNetwork, installEnvoyGateway, throughEnvoy } from "./envoy.ts";
import { enableGatewayApi, gatewayClass } from "./gateway.ts";
import {
    apply,
    attempt,
    callerAt,
    environmentOf,
    env,
    eventually,
    exec,
    kube,
    NAMESPACE,
    putSettings,
    redirectOf,
    spec,
    up,
} from "./harness.ts";
import { expectOnlyPooled, losesPoolerPod, pooler } from "./pooler.ts";
import { createSecret, installExternalSecrets, rotateSecret, startSecretsManager } from "./secrets-manager.ts";
import { strictNamespace } from "./servers.ts";
import { answersDuring, replicasDuring } from "./watching.ts";

const namespace = "orcheo-prod";
const host = "orcheo-prod.localhost";
const store = "aws-secrets-manager";
const secret = "orcheo/prod";

const inProd = (...args: string[]): Promise<string> => run("kubectl", ["--namespace", namespace, ...args], { env });
const hex = (): string => `a${randomBytes(32).toString("hex").slice(1)}`;
const first = { vault: hex(), bootstrap: hex(), jwt: hex(), chatkit: hex() };
const second = { ...first, bootstrap: hex() };

/** Prod's own settings without AWS, with the dev stack's server as a database of someone else's. */
function prodSettings(): Settings {
    const own = settingsOf(readStackFile(committedFile("prod")), "prod");
    const rest = Object.fromEntries(Object.entries(own).filter(([key]) => !["aws", "database", "cache"].includes(key)));
    const small = { cpuRequestMillis: 50, cpuLimitMillis: 1500, memoryRequestMiB: 384, memoryLimitMiB: 1024 };
    const source = { kind: "directory", path: join(projectDir, "tests", "canvas-app") };
    const remote = (property: string) => ({ key: secret, property });
    return merge(rest, {
        kubernetes: { namespace, namespaceKind: "existing" },
        host,
        entrance: {
            tls: {
                kind: "acme",
                email: "ops@example.com",
                server: directory,
                caBundleFile: clusterInfo(spec).caFile,
                solver: { kind: "http01" },
            },
        },
        images: { canvas: { source } },
        database: {
            kind: "external",
            url: { kind: "secret", name: "database", key: "url" },
            authority: { kind: "secret", name: "database", key: "ca.crt" },
            reach: { kind: "pods", namespace: NAMESPACE, podLabels: { "app.kubernetes.io/component": "postgres" } },
        },
        cache: { kind: "valkey" },
        secrets: {
            kind: "externalSecrets",
            store: { scope: "cluster", name: store },
            refreshMinutes: 1,
            values: {
                vaultEncryptionKey: remote("vault"),
                authBootstrapServiceToken: remote("bootstrap"),
                authJwtSecret: remote("jwt"),
                chatkitTokenSigningKey: remote("chatkit"),
            },
        },
        // No more than that: the start of a pod is load enough for the autoscaler on a small machine.
        api: { resources: small, scaling: { maxReplicas: 3 } },
        worker: { concurrency: 1, resources: small },
    });
}

/** A database on the dev stack's server, and the way there. */
async function databaseOfSomebodyElse(): Promise<void> {
    await exec("postgres-0", "psql", "-h", "/tmp", "-U", "postgres", "-c", "create database prod owner orcheo");
    const decoded = async (name: string, key: string): Promise<string> =>
        Buffer.from(
            await kube("get", "secret", name, "-o", `jsonpath={.data.${key.replaceAll(".", "\\.")}}`),
            "base64",
        ).toString();
    const secrets = await kube("get", "secrets", "-o", "name");
    const passwords = /secret\/(postgres-secret-\S+)/.exec(secrets)?.[1] ?? "";
    const url = `postgresql://orcheo:${await decoded(passwords, "postgres-password")}@postgres.${NAMESPACE}.svc:5432/prod`;
    const prodPods = { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } } };
    await apply([
        strictNamespace(namespace),
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
                ingress: [{ from: [prodPods], ports: [{ port: 5432 }] }],
            },
        },
    ]);
}

/** Has the certificate renewed; @returns what signed the new one, once it is served. */
async function renewed(entrance: Entrance): Promise<string> {
    const { serialNumber } = await verifiedCertificate(entrance);
    await renew("entrance", namespace);
    const next = await eventually(
        120,
        () => verifiedCertificate(entrance),
        (seen) => seen.serialNumber !== serialNumber,
    );
    expect(next.serialNumber).not.toBe(serialNumber);
    // What answered the authority goes away again.
    const solver = ["-l", "acme.cert-manager.io/http01-solver=true", "-o", "name"];
    const left = () => inProd("get", "pods,services,ingresses", ...solver);
    expect(await eventually(60, left, (names) => names === "")).toBe("");
    return next.issuer;
}

/** What holds behind every controller. */
async function servesAsAnyEntrance(visitor: Entrance, httpPort: number): Promise<void> {
    const { status, headers } = await ask(visitor, "GET", "/api/system/health");
    expect(status).toBe(200);
    expect(headers.toLowerCase()).toContain("strict-transport-security: max-age=31536000");
    const target = new RegExp(`^301 https://${host}:${spec.ports.https}/x\\?y=1$`);
    expect(await redirectOf(host, "/x?y=1", httpPort)).toMatch(target);
    for (const path of ["/internal/x", "/api/internal/x"])
        expect((await ask(visitor, "POST", path, {})).status, path).toBeGreaterThanOrEqual(400);
    const large = { name: "x".repeat(33 * 1024 * 1024), handle: "e2e-large", actor: "e2e" };
    expect((await ask(visitor, "POST", "/api/workflows", large)).status).toBe(413);
    const workflow = await createWorkflow(visitor, "0.33", `e2e-${httpPort}`);
    expect(await socketStatus(visitor, workflow.id)).toBe(101);
    expect(answerOf(await ended(visitor, await dispatch(visitor, workflow)))).toBe(42);
}

interface Routed {
    readonly kind: string;
    readonly metadata: { readonly name: string };
    readonly status?: { readonly parents?: readonly Verdict[]; readonly ancestors?: readonly Verdict[] };
}
interface Verdict {
    readonly controllerName: string;
    readonly conditions: readonly { readonly type: string; readonly status: string; readonly message: string }[];
}

/** What Envoy Gateway says against routes and policies, or that it says nothing of them. */
async function refusedByEnvoy(): Promise<string[]> {
    const kinds = "httproutes,backendtlspolicies,backendtrafficpolicies";
    const { items } = JSON.parse(await inProd("get", kinds, "-o", "json")) as { items: readonly Routed[] };
    expect(items.map(({ kind }) => kind)).toContain("BackendTrafficPolicy");
    return items.flatMap(({ kind, metadata, status }) => {
        const said = [...(status?.parents ?? []), ...(status?.ancestors ?? [])]
            .filter(({ controllerName }) => controllerName.startsWith("gateway.envoyproxy.io/"))
            .flatMap(({ conditions }) => conditions);
        const against = said.filter((each) => each.status !== "True").map(({ type, message }) => `${type}: ${message}`);
        return (said.length > 0 ? against : ["nothing"]).map((text) => `${kind} ${metadata.name}: ${text}`);
    });
}

const podNames = async (): Promise<string[]> =>
    (await inProd("get", "pods", "-l", "app.kubernetes.io/component in (api, worker, beat)", "-o", "name"))
        .trim()
        .split("\n");

export function prod(): void {
    let caller: Entrance;
    let authority: string;
    let settings = prodSettings();

    beforeAll(async () => {
        await databaseOfSomebodyElse();
        await startSecretsManager();
        await createSecret(secret, first);
        await installExternalSecrets(store);
        authority = await startAuthority();
        await publish(host);
    });

    test("comes up with a database of someone else's over verified TLS, at production replica counts", async () => {
        const { bootstrapToken } = await up(settings, "prod", authority);
        const counts = "jsonpath={range .items[*]}{.metadata.name}={.status.readyReplicas} {end}";
        const ready = async (): Promise<string> =>
            (await inProd("get", "deployments", "-o", counts)).trim().split(" ").sort().join(" ");
        const all = "api=3 beat=1 canvas=2 worker=3";
        // On a busy machine a probe fails now and then.
        expect(await eventually(60, ready, (found) => found === all)).toBe(all);
        caller = await callerAt(host, String(bootstrapToken), authority);
        const workflow = await createWorkflow(caller, "0.33", "e2e-prod");
        expect(answerOf(await ended(caller, await dispatch(caller, workflow)))).toBe(42);
        const inDatabase = await exec(
            "postgres-0",
            ...["psql", "-h", "/tmp", "-U", "postgres", "-d", "prod", "-Atc"],
            "select bool_and(ssl) from pg_stat_ssl join pg_stat_activity using (pid) where datname = 'prod' and usename = 'orcheo'",
        );
        expect(inDatabase.output.trim()).toBe("t");
    });

    test("its certificate comes from an ACME authority, which asked over http, and is renewed", async () => {
        expect((await verifiedCertificate(caller)).issuer).toContain("Pebble Intermediate CA");
        expect(await renewed(caller)).toContain("Pebble Intermediate CA");
    });

    test("one update takes a rotated secret of Secrets Manager, a pooler and the Gateway API, one pod at a time, while requests go on", async () => {
        expect(caller.token).toBe(first.bootstrap);
        await rotateSecret(secret, second);
        const inCluster = async (): Promise<string> => {
            const path = "jsonpath={.data.auth-bootstrap-service-token}";
            return Buffer.from(await inProd("get", "secret", "orcheo-application", "-o", path), "base64").toString();
        };
        await enableGatewayApi();
        // The operator asks once a minute.
        expect(await eventually(90, inCluster, (seen) => seen === second.bootstrap)).toBe(second.bootstrap);
        const statusWith = async (token: string): Promise<number> =>
            (await ask({ ...caller, token }, "GET", "/api/workflows")).status;
        expect([await statusWith(first.bootstrap), await statusWith(second.bootstrap)]).toEqual([200, 401]);

        const before = await podNames();
        const rotation = { kind: "onUpdate", generation: "2" };
        const gateway = { kind: "created", className: gatewayClass, httpPort: 8000, httpsPort: 8443 };
        const entrance = { controller: { kind: "traefikGateway", gateway } };
        settings = merge(settings, { secrets: { rotation }, database: { pooler }, entrance });
        const update = up(settings, "prod", authority);
        const [replicas, answers, lists] = await Promise.all([
            replicasDuring(update, namespace, ["api", "worker"]),
            answersDuring(update, caller),
            answersDuring(update, caller, "/api/workflows"),
        ]);
        const left = async (): Promise<string[]> => (await podNames()).filter((name) => before.includes(name));
        expect(await eventually(120, left, (names) => names.length === 0)).toEqual([]);
        // New pods refuse the former token. Traefik may take the Ingress away before it serves the route that it has accepted,
        // docs/kubernetes.md says for how long.
        const notFound = (seen: readonly number[]): number => seen.filter((status) => status === 404).length;
        expect(answers.filter((status) => ![200, 404].includes(status))).toEqual([]);
        expect(lists.filter((status) => ![200, 401, 404].includes(status))).toEqual([]);
        expect(Math.max(notFound(answers), notFound(lists))).toBeLessThanOrEqual(4);
        expect(await inProd("get", "ingresses", "-o", "name")).toBe("");
        expect(Math.min(...replicas.map(({ ready }) => ready))).toBe(3);
        expect(Math.max(...replicas.map(({ all }) => all))).toBe(4);
        expect([await statusWith(first.bootstrap), await statusWith(second.bootstrap)]).toEqual([401, 200]);
        caller = { ...caller, token: second.bootstrap };
        const workflow = await createWorkflow(caller, "0.33", "e2e-rotated");
        expect(answerOf(await ended(caller, await dispatch(caller, workflow)))).toBe(42);
        await expectOnlyPooled("prod", namespace);
    });

    test("a pooler pod that is deleted costs no run and no request", async () => {
        await losesPoolerPod(caller, namespace);
    });

    if (endurance)
        test.each([
            ["its own password is rotated", "rotated", { pooler: { ...pooler, passwordGeneration: 2 } }],
            ["new pods connect without it", "unused", { pooler: { ...pooler, used: false } }],
            ["it is removed", "removed", { pooler: { kind: "none" } }],
        ])("the pooler's end, while requests go on: %s", async (_, step, database) => {
            settings = merge(settings, { database });
            const update = up(settings, "prod", authority);
            const answers = await Promise.all(
                ["/api/system/health", "/api/workflows"].map((path) => answersDuring(update, caller, path)),
            );
            await update;
            expect([...new Set(answers.flat())]).toEqual([200]);
            const workflow = await createWorkflow(caller, "0.33", `e2e-pooler-${step}`);
            expect(answerOf(await ended(caller, await dispatch(caller, workflow)))).toBe(42);
            const selector = "app.kubernetes.io/component=pgbouncer";
            const left = await inProd("get", "deployments", "-l", selector, "-o", "name");
            expect(left === "").toBe(database.pooler.kind === "none");
        });

    test("what answers through the Gateway API is what answers through an Ingress, and its certificate is renewed", async () => {
        await servesAsAnyEntrance(caller, spec.ports.http);
        expect(await renewed(caller)).toContain("Pebble Intermediate CA");
    });

    if (endurance)
        test("moves to Envoy Gateway, which verifies the pods too", async () => {
            await installEnvoyGateway();
            const controller = { kind: "envoyGateway", gateway: { kind: "created", className: envoyClass } };
            // Not by `up`, which waits for an answer of Traefik.
            const file = join(pulumiDir(spec), "Pulumi.prod.yaml");
            const before = settingsOf(readStackFile(file), file);
            putSettings(file, merge(before, { network: envoyNetwork, entrance: { controller } }));
            const { code, output } = await attempt(
                "pulumi",
                ["up", "--yes", "--non-interactive"],
                environmentOf("prod"),
            );
            expect(code, output.slice(-3000)).toBe(0);
            await throughEnvoy("orcheo", async (https, http) => {
                const visitor = by(https, caller);
                const statusBecomes = async (wanted: number): Promise<void> => {
                    const look = () => ask(visitor, "GET", "/api/system/health");
                    const seen = await eventually(60, look, ({ status }) => status === wanted);
                    expect(seen.status, JSON.stringify(seen.body)).toBe(wanted);
                };
                await statusBecomes(200);
                expect(await eventually(60, refusedByEnvoy, (said) => said.length === 0)).toEqual([]);
                await servesAsAnyEntrance(visitor, http);
                // Pods that answer with a certificate for another name get nothing.
                const expected = (hostname: string) => `{"spec": {"validation": {"hostname": "${hostname}"}}}`;
                const rename = (hostname: string) =>
                    inProd("patch", "backendtlspolicy", "api", "--type=merge", "--patch", expected(hostname));
                await rename("somebody-else");
                await statusBecomes(503);
                await rename("api");
                await statusBecomes(200);
            });
        });

    test("goes away again", async () => {
        const away = ["destroy", "--exclude-protected", "--yes", "--non-interactive"];
        expect((await attempt("pulumi", away, environmentOf("prod"))).code).toBe(0);
        await run("kubectl", ["delete", "namespace", namespace, "--timeout=120s"], { env });
    });
}
