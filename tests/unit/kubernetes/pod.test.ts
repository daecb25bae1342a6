/** Whole pods, so that a lost restriction, volume or limit shows. */
import { output, type Output } from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { planClaim } from "../../../components/kubernetes/claim.plan";
import { proxyEnvironment } from "../../../components/kubernetes/proxy.plan";
import { planPullSecret, pullSecretName } from "../../../components/kubernetes/pull-secret.plan";
import { literal, planPod, type ContainerPlan, type PodPlan } from "../../../components/kubernetes/pod.plan";
import { trustEnvironment } from "../../../components/kubernetes/trust.plan";
import * as volumes from "../../../components/kubernetes/volumes.plan";
import { parseStack } from "../../../components/stack/read";
import { settingsOf } from "../../harness";

function stackOf(settings: object = {}) {
    const json = JSON.stringify({ ...settingsOf("dev"), ...settings });
    const { stack, problems } = parseStack({ stack: "dev", keys: [], json, secret: false });
    if (stack === undefined || problems.length > 0) throw new Error(JSON.stringify(problems));
    return stack;
}

const resources = {
    cpuRequestMillis: 100,
    cpuLimitMillis: 2000,
    memoryRequestMiB: 384,
    memoryLimitMiB: 1024,
    ephemeralRequestMiB: 64,
};
const container: ContainerPlan = { name: "beat", image: "i@sha256:1", resources, mounts: [] };
const pod = (more: Partial<PodPlan> = {}, settings: object = {}) =>
    planPod({
        role: "beat",
        stack: stackOf(settings),
        serviceAccountName: "beat",
        containers: [container],
        terminationGraceSeconds: 30,
        ...more,
    });
const selector = { "app.kubernetes.io/name": "orcheo", "app.kubernetes.io/component": "beat" };
const spread = ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map((topologyKey) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: "ScheduleAnyway",
    labelSelector: { matchLabels: selector },
}));
const labels = { ...selector, "app.kubernetes.io/part-of": "orcheo", "app.kubernetes.io/managed-by": "pulumi" };
const restricted = {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    runAsNonRoot: true,
    capabilities: { drop: ["ALL"] },
    seccompProfile: { type: "RuntimeDefault" },
};

describe("a pod", () => {
    it("has no rights, no token and no more than its container asks for", () => {
        expect(pod()).toEqual({
            metadata: { labels },
            spec: {
                serviceAccountName: "beat",
                automountServiceAccountToken: false,
                enableServiceLinks: false,
                securityContext: {
                    ...{ runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000 },
                    fsGroupChangePolicy: "OnRootMismatch",
                    seccompProfile: { type: "RuntimeDefault" },
                },
                terminationGracePeriodSeconds: 30,
                topologySpreadConstraints: spread,
                containers: [
                    {
                        ...{ name: "beat", image: "i@sha256:1", imagePullPolicy: "IfNotPresent", env: [] },
                        resources: {
                            requests: { cpu: "100m", memory: "384Mi", "ephemeral-storage": "64Mi" },
                            limits: { cpu: "2", memory: "1Gi", "ephemeral-storage": "256Mi" },
                        },
                        securityContext: restricted,
                        terminationMessagePolicy: "FallbackToLogsOnError",
                        volumeMounts: [],
                    },
                ],
                volumes: [],
            },
        });
    });

    it("has what its plan and the section pods add, each volume once", () => {
        const probe = (path: string) => ({ httpGet: { path, port: 1 } });
        const tmp = volumes.scratch("tmp", "/tmp", 512);
        const shm = volumes.scratch("shm", "/dev/shm", 64, "Memory");
        const full: ContainerPlan = {
            ...container,
            command: ["run", "$(HOME)"],
            args: ["$$", "$HOME"],
            env: { MODE: "required", TEXT: "a$(B)" },
            port: { name: "https", number: 8443 },
            mounts: [tmp, shm, volumes.claim("data", "beat-data", "/data")],
            probes: { startup: probe("/s"), readiness: probe("/r"), liveness: probe("/l") },
            preStopSeconds: 5,
        };
        const settings = {
            registry: { prefix: "127.0.0.1:5000/orcheo", pull: { kind: "secret", name: "theirs" } },
            kubernetes: { context: "orcheo-local", podUser: "assigned" },
            pods: {
                all: {
                    labels: { team: "a" },
                    extraEnv: { MODE: "optional", TZ: "UTC" },
                    envFrom: [
                        { kind: "configMap", name: "settings", prefix: "A_" },
                        { kind: "secret", name: "keys" },
                    ],
                    volumes: [{ name: "ca", mountPath: "/ca", source: { kind: "configMap", name: "ca" } }],
                },
                beat: { annotations: { "example.com/a": "all", "example.com/b": "own" } },
            },
        };
        const init: ContainerPlan = { ...container, name: "first", mounts: [tmp] };
        const { metadata, spec } = pod(
            { containers: [full], initContainers: [init], annotations: { "example.com/a": "plan" } },
            settings,
        );
        expect(metadata).toEqual({
            labels: { team: "a", ...labels },
            annotations: { "example.com/a": "plan", "example.com/b": "own" },
        });
        expect(spec).toMatchObject({ imagePullSecrets: [{ name: "theirs" }] });
        // The platform fills in the ids.
        expect(Object.keys((spec as { securityContext: object }).securityContext)).toEqual([
            ...["runAsNonRoot", "fsGroupChangePolicy", "seccompProfile"],
        ]);
        expect((spec as { volumes: unknown }).volumes).toEqual([
            { name: "tmp", emptyDir: { sizeLimit: "512Mi" } },
            { name: "shm", emptyDir: { sizeLimit: "64Mi", medium: "Memory" } },
            { name: "data", persistentVolumeClaim: { claimName: "beat-data" } },
            { name: "extra-ca", configMap: { name: "ca" } },
        ]);
        const [own] = (spec as { containers: unknown[] }).containers;
        expect(own).toEqual({
            ...{ name: "beat", image: "i@sha256:1", imagePullPolicy: "IfNotPresent" },
            command: ["run", "$$(HOME)"],
            args: ["$$$", "$HOME"],
            env: [
                { name: "MODE", value: "required" },
                { name: "TZ", value: "UTC" },
                { name: "TEXT", value: "a$$(B)" },
            ],
            envFrom: [{ prefix: "A_", configMapRef: { name: "settings" } }, { secretRef: { name: "keys" } }],
            ports: [{ name: "https", containerPort: 8443, protocol: "TCP" }],
            resources: {
                requests: { cpu: "100m", memory: "384Mi", "ephemeral-storage": "64Mi" },
                // Logs and /tmp; /dev/shm counts as memory.
                limits: { cpu: "2", memory: "1Gi", "ephemeral-storage": "768Mi" },
            },
            securityContext: restricted,
            terminationMessagePolicy: "FallbackToLogsOnError",
            volumeMounts: [
                { name: "tmp", mountPath: "/tmp" },
                { name: "shm", mountPath: "/dev/shm" },
                { name: "data", mountPath: "/data" },
                { name: "extra-ca", mountPath: "/ca", readOnly: true },
            ],
            ...{ startupProbe: probe("/s"), readinessProbe: probe("/r"), livenessProbe: probe("/l") },
            lifecycle: { preStop: { sleep: { seconds: 5 } } },
        });
        expect((spec as { initContainers: unknown[] }).initContainers).toMatchObject([
            { name: "first", securityContext: restricted, volumeMounts: [{ name: "tmp" }, { name: "extra-ca" }] },
        ]);
    });

    it.each([
        ["Always", false],
        ["OnFailure", true],
        ["Never", true],
    ] as const)("that restarts %s is kept apart from meshes, unless configured: %s", (restartPolicy, apart) => {
        const { metadata, spec } = pod({ restartPolicy });
        expect(spec).toMatchObject({ restartPolicy });
        const mesh = { "sidecar.istio.io/inject": "false" };
        expect(metadata).toEqual(
            apart ? { labels: { ...mesh, ...labels }, annotations: { "linkerd.io/inject": "disabled" } } : { labels },
        );
        const all = { annotations: { "linkerd.io/inject": "enabled" }, labels: { "sidecar.istio.io/inject": "true" } };
        expect(pod({ restartPolicy }, { pods: { all } }).metadata).toEqual({
            labels: { ...all.labels, ...labels },
            annotations: all.annotations,
        });
    });

    it.each([
        ["$(A)", "$$(A)"],
        ["$$(A)", "$$$$(A)"],
        ["a$", "a$"],
        ["$A$", "$A$"],
    ])("hands %s on as it stands", (value, written) => {
        expect(literal(value)).toBe(written);
    });
});

describe("volumes", () => {
    const group = 0o440;
    it.each([
        [
            () => volumes.secretFiles([{ secretName: "s", keys: ["a", { key: "B", path: "b" }] }]),
            {
                volume: {
                    name: "secrets",
                    projected: {
                        sources: [
                            {
                                secret: {
                                    name: "s",
                                    items: [
                                        { key: "a", path: "a" },
                                        { key: "B", path: "b" },
                                    ],
                                },
                            },
                        ],
                        defaultMode: group,
                    },
                },
                mount: { name: "secrets", mountPath: "/run/secrets/orcheo", readOnly: true },
            },
        ],
        [
            () => volumes.serverCertificate("t"),
            {
                volume: { name: "tls", secret: { secretName: "t", defaultMode: group } },
                mount: { name: "tls", mountPath: "/etc/orcheo/tls", readOnly: true },
            },
        ],
        [
            // Never the key beside it.
            () => volumes.stackCa("t"),
            {
                volume: {
                    name: "ca",
                    secret: { secretName: "t", items: [{ key: "ca.crt", path: "ca.crt" }], defaultMode: group },
                },
                mount: { name: "ca", mountPath: "/etc/orcheo/ca", readOnly: true },
            },
        ],
        [
            () => volumes.configFiles("conf", "c", "/etc/x"),
            {
                volume: { name: "conf", configMap: { name: "c", defaultMode: group } },
                mount: { name: "conf", mountPath: "/etc/x", readOnly: true },
            },
        ],
    ])("hold what is named, readable by the group and not writable: %#", (make, expected) => {
        expect(make()).toEqual(expected);
    });

    it("with the CA of a server are made for CAs of one's own only", () => {
        const file = { items: [{ key: "k", path: "ca.crt" }], defaultMode: group };
        const mount = { name: "db", mountPath: "/ca", readOnly: true };
        const trusted = (trust: volumes.Trust) => volumes.trusted("db", trust, "/ca");
        expect(trusted({ kind: "stack" })).toEqual([]);
        expect(trusted({ kind: "system" })).toEqual([]);
        expect(trusted({ kind: "secret", name: "s", key: "k" })).toEqual([
            { volume: { name: "db", secret: { secretName: "s", ...file } }, mount },
        ]);
        expect(trusted({ kind: "configMap", name: "c", key: "k" })).toEqual([
            { volume: { name: "db", configMap: { name: "c", ...file } }, mount },
        ]);
    });

    it("that keep data are claimed apart from their StatefulSet, of the class that is set", () => {
        const args = { role: "postgres", namespace: "orcheo", version: "1.0.0", storageGiB: 20 } as const;
        const spec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "20Gi" } } };
        expect(planClaim(args)).toMatchObject({
            metadata: {
                name: "postgres-data",
                namespace: "orcheo",
                annotations: { "pulumi.com/skipAwait": "true" },
            },
        });
        expect(planClaim(args).spec).toEqual(spec);
        expect(planClaim({ ...args, storageClass: "fast" }).spec).toEqual({ ...spec, storageClassName: "fast" });
    });
});

it("every client of the backend's image is given the bundle of CAs", () => {
    expect(Object.keys(trustEnvironment).sort()).toEqual([
        ...["AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"],
    ]);
});

it("destinations without the proxy that nobody has checked are refused", () => {
    const stack = stackOf();
    const outbound = { ...stack.outbound, proxy: { httpUrl: "http://proxy.example.com", direct: ["10.0.0.0/8"] } };
    expect(() => proxyEnvironment({ ...stack, outbound })).toThrow("was not checked: 10.0.0.0/8");
});

describe("the pull secret", () => {
    const pull = { kind: "credentials", username: "puller" } as const;
    const stack = (more: object) => {
        const registry = { prefix: "r.example.com:5000/team/orcheo", pull: more } as unknown as object;
        return { ...stackOf(), registry: { ...stackOf().registry, ...registry } };
    };

    it.each([
        [{ kind: "anonymous" }, undefined],
        [{ kind: "secret", name: "theirs" }, "theirs"],
        [pull, "registry-pull"],
    ])("of %j is named %s", (kind, name) => {
        expect(pullSecretName(stack(kind))).toBe(name);
    });

    it.each([
        [undefined, "r.example.com:5000"],
        ["https://index.docker.io/v1/", "https://index.docker.io/v1/"],
    ])("logs in to one registry and is a secret (server %s)", async (server, host) => {
        const made = planPullSecret(stack(pull), { ...pull, server }, output("p4ss"), "orcheo");
        expect(made).toMatchObject({
            metadata: { name: "registry-pull", namespace: "orcheo" },
            type: "kubernetes.io/dockerconfigjson",
        });
        const text = (made.stringData as Record<string, Output<string>>)[".dockerconfigjson"];
        const known = await new Promise<string>((done) => text?.apply(done));
        const auth = Buffer.from("puller:p4ss").toString("base64");
        expect(JSON.parse(known)).toEqual({ auths: { [host]: { username: "puller", password: "p4ss", auth } } });
        const { isSecret } = text as unknown as { isSecret: Promise<boolean> };
        expect(await isSecret).toBe(true);
    });
});
