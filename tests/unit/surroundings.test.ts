/** Where pods run, what they see, whom they trust, and what is taken from elsewhere. */
import { output } from "@pulumi/pulumi";
import { beforeAll, describe, expect, it } from "vitest";
import { planDeployment, planInitialisation } from "../../components/backend/backend.plan";
import { planCanvas } from "../../components/canvas/canvas.plan";
import { parseStack } from "../../components/stack/read";
import type { Stack } from "../../components/config/schema";
import { planPostgres } from "../../components/database/postgres.plan";
import { planImage } from "../../components/images/images.plan";
import { planPlacement } from "../../components/kubernetes/placement.plan";
import { mirrored } from "../../components/images/registry.plan";
import { planExternalSecret, planRotation } from "../../components/secrets/secrets.plan";
import { caText, runBoth, settingsOf, type Registered, type Run } from "../harness";
import { externalSecrets, password, pods, variants } from "../variants";
import { proxyEnvironment } from "../../components/kubernetes/proxy.plan";

function stackOf(settings: object = {}): Stack {
    const json = JSON.stringify({ ...settingsOf("dev"), ...settings });
    const { stack, problems } = parseStack({ stack: "dev", keys: [], json, secret: false });
    if (stack === undefined || problems.length > 0) throw new Error(JSON.stringify(problems));
    return stack;
}

const shared = { namespace: "orcheo", image: "i", serviceAccountName: "a", certificateSecret: "c" };
const server = { url: { kind: "value" as const, value: output("") }, trust: { kind: "stack" as const } };
const backend = { ...shared, secretName: "s", servers: { database: server, cache: server } };
const data = { ...shared, passwordSecret: "s", configMap: "m", claimName: "d" };

function postgres(stack: Stack) {
    const { database } = stack;
    if (database.kind !== "statefulset") throw new Error(database.kind);
    return planPostgres(stack, database, data);
}

type Fields = Record<string, unknown>;
const at = (value: unknown, ...path: (string | number)[]): unknown =>
    path.reduce<unknown>((here, key) => (here as Fields | undefined)?.[key], value);
const podOf = (workload: unknown): unknown => at(workload, "spec", "template");
const specOf = (workload: unknown): unknown => at(podOf(workload), "spec");

describe("why a container ended", () => {
    it("is in its pod's status, but for the servers, which a changed template would restart", () => {
        const policies = (workload: unknown) => {
            const { initContainers = [], containers } = specOf(workload) as Record<string, Fields[]>;
            return [...initContainers, ...(containers ?? [])].map((each) => each["terminationMessagePolicy"]);
        };
        const logs = "FallbackToLogsOnError";
        for (const role of ["api", "worker", "beat"] as const)
            expect(policies(planDeployment(role, stackOf(), backend)), role).toEqual([logs]);
        expect(policies(planInitialisation(stackOf(), backend))).toEqual([logs]);
        expect(policies(postgres(stackOf()))).toEqual([undefined]);
    });
});

describe("placement", () => {
    it("is nothing by default", () => {
        const bare = specOf(planDeployment("worker", stackOf(), backend));
        for (const key of ["nodeSelector", "tolerations", "affinity", "priorityClassName", "runtimeClassName"])
            expect(bare).not.toHaveProperty(key);
        expect(at(bare, "containers", 0)).not.toHaveProperty("envFrom");
        expect(podOf(planDeployment("worker", stackOf(), backend))).not.toHaveProperty("metadata.annotations");
    });

    it("of a workload comes on top of that of all", () => {
        const stack = stackOf({ pods });
        expect(planPlacement("api", stack)).toMatchObject({ tolerations: [{ key: "dedicated" }], volumes: [] });
        const worker = specOf(planDeployment("worker", stack, backend));
        expect(worker).toMatchObject({
            nodeSelector: { "kubernetes.io/arch": "arm64" },
            tolerations: [
                { key: "dedicated", operator: "Equal", value: "orcheo", effect: "NoSchedule" },
                { key: "spot", operator: "Exists" },
            ],
            affinity: pods.all.affinity,
            priorityClassName: "batch",
            runtimeClassName: "gvisor",
        });
        expect(at(worker, "containers", 0)).toMatchObject({
            envFrom: [{ prefix: "TEAM_", configMapRef: { name: "team-settings" } }],
        });
        const own = { pods: { ...pods, worker: { affinity: {}, nodeSelector: { "kubernetes.io/arch": "amd64" } } } };
        expect(planPlacement("worker", stackOf(own))).toMatchObject({
            affinity: {},
            nodeSelector: { "kubernetes.io/arch": "amd64" },
        });
    });

    it.each([
        ["api", planDeployment("api", stackOf({ pods }), backend)],
        ["worker", planDeployment("worker", stackOf({ pods }), backend)],
        ["beat", planDeployment("beat", stackOf({ pods }), backend)],
        ["init", planInitialisation(stackOf({ pods }), backend)],
        ["canvas", planCanvas(stackOf({ pods }), shared)],
        ["postgres", postgres(stackOf({ pods }))],
    ])("of all reaches %s", (role, workload) => {
        expect(podOf(workload)).toMatchObject({
            metadata: {
                labels: { "cost-center": "42", "app.kubernetes.io/component": role },
                annotations: { "example.com/scrape": "no" },
            },
            spec: { nodeSelector: { "kubernetes.io/arch": "arm64" } },
        });
        expect(at(specOf(workload), "containers", 0, "env")).toContainEqual({ name: "TZ", value: "Europe/Berlin" });
    });

    it("volumes are mounted read-only unless configured otherwise, under their own names", () => {
        const worker = specOf(planDeployment("worker", stackOf({ pods }), backend));
        expect(at(worker, "volumes")).toEqual(
            expect.arrayContaining([
                { name: "extra-models", persistentVolumeClaim: { claimName: "models" } },
                { name: "extra-rules", configMap: { name: "rules" } },
                { name: "extra-keys", secret: { secretName: "keys", defaultMode: 0o440 } },
            ]),
        );
        expect(at(worker, "containers", 0, "volumeMounts")).toEqual(
            expect.arrayContaining([
                { name: "extra-models", mountPath: "/models", readOnly: true },
                { name: "extra-cache", mountPath: "/models-cache", readOnly: false },
            ]),
        );
    });

    it("environment cannot replace what the stack sets", () => {
        const stack = stackOf({
            pods: { all: { extraEnv: { ORCHEO_AUTH_MODE: "optional", A: "all", B: "all" } } },
            api: { extraEnv: { B: "api" } },
        });
        const env = at(specOf(planDeployment("api", stack, backend)), "containers", 0, "env") as Fields[];
        expect(Object.fromEntries(env.map(({ name, value }) => [name, value]))).toMatchObject({
            ORCHEO_AUTH_MODE: "required",
            A: "all",
            B: "api",
        });
        expect(new Set(env.map(({ name }) => name)).size).toBe(env.length);
    });
});

describe("outbound connections", () => {
    const httpUrl = "http://proxy.example.com:3128";

    it("the cluster's own names never go through the proxy", () => {
        expect(proxyEnvironment(stackOf())).toEqual({});
        const NO_PROXY =
            "localhost,127.0.0.1,::1,api,canvas,postgres,valkey,api.orcheo,canvas.orcheo,postgres.orcheo,valkey.orcheo,.svc,.cluster.local,.example.com";
        expect(proxyEnvironment(stackOf({ outbound: { proxy: { httpUrl, direct: [".example.com"] } } }))).toEqual({
            HTTP_PROXY: httpUrl,
            http_proxy: httpUrl,
            NO_PROXY,
            no_proxy: NO_PROXY,
        });
    });

    it("image builds ask the proxy too, and build arguments can overrule it", () => {
        const outbound = { proxy: { httpUrl, httpsUrl: httpUrl } };
        expect(planImage("backend", stackOf({ outbound }))).toMatchObject({ args: { HTTPS_PROXY: httpUrl } });
        const images = { kind: "build", buildArgs: { HTTPS_PROXY: "http://other.example.com:1" } };
        expect(planImage("backend", stackOf({ outbound, images }))).toMatchObject({
            args: { HTTPS_PROXY: "http://other.example.com:1" },
        });
    });

    it("private authorities join the image's own before the process starts", () => {
        const spec = specOf(planDeployment("api", stackOf(), { ...backend, trustConfigMap: "ca" }));
        expect(at(spec, "initContainers")).toMatchObject([
            {
                name: "trust",
                image: "i",
                command: [
                    "sh",
                    "-c",
                    "cat /etc/ssl/certs/ca-certificates.crt /etc/orcheo/private-ca/private-ca.crt > /etc/orcheo/trust/ca-bundle.crt",
                ],
                securityContext: { readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
                volumeMounts: [
                    { name: "trust", mountPath: "/etc/orcheo/trust" },
                    { name: "private-ca", mountPath: "/etc/orcheo/private-ca", readOnly: true },
                ],
            },
        ]);
        expect(at(spec, "containers", 0, "env")).toEqual(
            expect.arrayContaining(
                ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"].map(
                    (name) => ({ name, value: "/etc/orcheo/trust/ca-bundle.crt" }),
                ),
            ),
        );
        expect(specOf(planDeployment("api", stackOf(), backend))).not.toHaveProperty("initContainers");
    });
});

describe("mirrors", () => {
    const { registry } = stackOf({
        registry: {
            prefix: "registry.example.com/orcheo",
            mirrors: {
                "docker.io": "mirror.example.com/hub",
                "ghcr.io": "mirror.example.com/ghcr",
                "ghcr.io/team": "mirror.example.com/team",
            },
        },
    });

    it.each([
        ["debian:trixie-slim", "mirror.example.com/hub/library/debian:trixie-slim"],
        ["library/debian", "mirror.example.com/hub/library/debian"],
        ["docker.io/library/debian@sha256:0", "mirror.example.com/hub/library/debian@sha256:0"],
        ["ghcr.io/others/api:1", "mirror.example.com/ghcr/others/api:1"],
        ["ghcr.io/team/api:1", "mirror.example.com/team/api:1"],
        ["ghcr.io/teams/api:1", "mirror.example.com/ghcr/teams/api:1"],
        ["quay.io/team/api:1", "quay.io/team/api:1"],
        ["localhost:5000/debian", "localhost:5000/debian"],
        ["localhost/debian", "localhost/debian"],
    ])("%s is %s", (image, expected) => {
        expect(mirrored(image, { registry })).toBe(expected);
    });

    it("stand in front of the base image and of published ones", () => {
        const mirrors = { "docker.io": "mirror.example.com/hub", "ghcr.io": "mirror.example.com/ghcr" };
        const registry = { prefix: "registry.example.com/orcheo", mirrors };
        expect(planImage("valkey", stackOf({ registry }))).toMatchObject({
            args: { BASE_IMAGE: "mirror.example.com/hub/library/debian:trixie-slim" },
        });
        const digest = `sha256:${"0".repeat(64)}`;
        const ref = (name: string) => `ghcr.io/a/${name}@${digest}`;
        const [backend, canvas, postgres, valkey] = ["b", "c", "p", "v"].map(ref);
        const images = { kind: "published", backend, canvas, postgres, valkey };
        expect(planImage("backend", stackOf({ registry, images }))).toEqual({
            kind: "published",
            ref: `mirror.example.com/ghcr/a/b@${digest}`,
        });
    });
});

describe("secrets from other sources", () => {
    const { secrets } = stackOf({ secrets: externalSecrets });

    it("the External Secrets Operator gets the location of each value", () => {
        if (secrets.kind !== "externalSecrets") throw new Error(secrets.kind);
        expect(planExternalSecret(secrets, "orcheo")).toMatchObject({
            apiVersion: "external-secrets.io/v1",
            kind: "ExternalSecret",
            metadata: { name: "orcheo-application", annotations: { "pulumi.com/waitFor": "condition=Ready" } },
            spec: {
                refreshInterval: "1h0m0s",
                secretStoreRef: { kind: "ClusterSecretStore", name: "aws" },
                target: { name: "orcheo-application", creationPolicy: "Owner", deletionPolicy: "Retain" },
                data: [
                    { secretKey: "vault-encryption-key", remoteRef: { key: "orcheo/prod", property: "vault" } },
                    {
                        secretKey: "auth-bootstrap-service-token",
                        remoteRef: { key: "orcheo/prod", property: "bootstrap" },
                    },
                    { secretKey: "auth-jwt-secret", remoteRef: { key: "orcheo/prod", property: "jwt" } },
                    { secretKey: "chatkit-token-signing-key", remoteRef: { key: "orcheo/prod", property: "chatkit" } },
                ],
            },
        });
    });

    it.each([
        [30, "30m0s"],
        [60, "1h0m0s"],
        [90, "1h30m0s"],
    ])(
        "are read again every %s minutes from a store of the namespace or of the cluster",
        (refreshMinutes, interval) => {
            if (secrets.kind !== "externalSecrets") throw new Error(secrets.kind);
            const store = { scope: "namespace", name: "team" } as const;
            expect(planExternalSecret({ ...secrets, refreshMinutes, store }, "orcheo").spec).toMatchObject({
                refreshInterval: interval,
                secretStoreRef: { kind: "SecretStore", name: "team" },
            });
        },
    );

    it("keys of a Secret that exists become the files that the image reads, only those that a role needs", () => {
        const existing = { kind: "existing", name: "team", keys: { vaultEncryptionKey: "VAULT" } };
        const stack = stackOf({ secrets: existing });
        const applicationSecret = {
            secretName: "team",
            keys: {
                "vault-encryption-key": "VAULT",
                "auth-bootstrap-service-token": "auth-bootstrap-service-token",
                "auth-jwt-secret": "auth-jwt-secret",
                "chatkit-token-signing-key": "chatkit-token-signing-key",
            },
        };
        const sources = (role: "worker" | "beat") => {
            const volumes = at(specOf(planDeployment(role, stack, { ...backend, applicationSecret })), "volumes");
            return at(
                (volumes as Fields[]).find(({ name }) => name === "secrets"),
                "projected",
                "sources",
            );
        };
        const own = ["postgres-dsn", "redis-url"].map((key) => ({ key, path: key }));
        expect(sources("worker")).toEqual([
            { secret: { name: "s", items: own } },
            {
                secret: {
                    name: "team",
                    items: [
                        { key: "VAULT", path: "vault-encryption-key" },
                        { key: "chatkit-token-signing-key", path: "chatkit-token-signing-key" },
                    ],
                },
            },
        ]);
        expect(sources("beat")).toEqual([{ secret: { name: "s", items: own } }]);
    });

    it("a rotation restarts by Reloader, or by the next update", () => {
        expect(planRotation(secrets)).toEqual({
            deployment: { "secret.reloader.stakater.com/reload": "orcheo-application" },
            pods: {},
        });
        const existing = stackOf({
            secrets: { kind: "existing", name: "team", rotation: { kind: "onUpdate", generation: "7" } },
        });
        expect(planRotation(existing.secrets)).toEqual({ deployment: {}, pods: { "orcheo/secrets-generation": "7" } });
        expect(planDeployment("beat", existing, backend)).toMatchObject({
            spec: { template: { metadata: { annotations: { "orcheo/secrets-generation": "7" } } } },
        });
        expect(planRotation(stackOf().secrets)).toEqual({ deployment: {}, pods: {} });
    });
});

describe("the program with everything external", () => {
    const name = "everything from elsewhere";
    let run: Run;
    beforeAll(async () => {
        run = await runBoth({ stack: "dev", settings: variants[name], ...password.of(name) });
    }, 60_000);

    const kind = ({ type }: Registered) => type.slice(type.lastIndexOf(":") + 1);
    const find = (wanted: string, called: string) =>
        run.resources.find((each) => kind(each) === wanted && each.name === called);

    it("makes neither namespace, quota nor the secrets that live elsewhere", () => {
        for (const wanted of ["ResourceQuota", "LimitRange", "RandomBytes"])
            expect(run.resources.filter((each) => kind(each) === wanted)).toEqual([]);
        expect(find("Namespace", "cluster-namespace")?.options.protect).toBe(false);
        expect(find("Deployment", "api")?.inputs).toMatchObject({ metadata: { namespace: "team-a" } });
        const given = find("Secret", "backend-secret")?.inputs;
        expect(Object.keys(at(given, "stringData", "value") as Fields)).toEqual(["postgres-dsn", "redis-url"]);
    });

    it("runs as the accounts that are configured", () => {
        expect(specOf(find("Deployment", "api")?.inputs)).toMatchObject({ serviceAccountName: "team-api" });
        expect(find("ServiceAccount", "api-account")).toBeUndefined();
        expect(find("ServiceAccount", "worker-account")?.inputs).toMatchObject({
            metadata: { annotations: { "eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/worker" } },
            automountServiceAccountToken: false,
        });
    });

    it("pulls with the password, which is nowhere but in its Secret", () => {
        const secret = find("Secret", "cluster-pull");
        expect(secret?.inputs).toMatchObject({
            metadata: { name: "registry-pull" },
            type: "kubernetes.io/dockerconfigjson",
        });
        expect(Object.keys(secret?.inputs["stringData"] as Fields)).toContain("value");
        const json: unknown = JSON.parse(String(at(secret?.inputs, "stringData", "value", ".dockerconfigjson")));
        const auth = Buffer.from(`puller:${password.otherKeys["orcheo:registryPassword"]}`).toString("base64");
        expect(json).toEqual({
            auths: {
                "registry.example.com": {
                    username: "puller",
                    password: password.otherKeys["orcheo:registryPassword"],
                    auth,
                },
            },
        });
        for (const workload of ["api", "worker", "beat", "canvas"])
            expect(specOf(find("Deployment", workload)?.inputs)).toMatchObject({
                imagePullSecrets: [{ name: "registry-pull" }],
            });
        const elsewhere = run.resources.filter((each) => each !== secret);
        expect(JSON.stringify([elsewhere, run.outputs])).not.toContain(password.otherKeys["orcheo:registryPassword"]);
    });

    it("shows where the bootstrap token is", () => {
        expect(at(run.outputs, "bootstrapToken")).toMatch(
            / get secret orcheo-application --output jsonpath='\{\.data\.auth-bootstrap-service-token\}' /,
        );
    });

    it("gives the private CAs to pods with outbound connections only", () => {
        const trusting = run.resources
            .filter((each) => JSON.stringify(each.inputs).includes("SSL_CERT_FILE"))
            .map((each) => each.name);
        expect(trusting.sort()).toEqual(["api", "backend-init", "beat", "worker"]);
        expect(at(find("ConfigMap", "backend-private-ca")?.inputs, "data")).toEqual({
            "private-ca.crt": caText,
        });
    });
});
