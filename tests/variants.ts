/** Stacks that differ from dev in what lies around them: the way in, secrets, namespace, pods. */
import { settingsOf } from "./harness";

const dev = settingsOf("dev");
const acme = { kind: "acme", email: "ops@example.com" };
const route53 = { region: "eu-central-1", hostedZoneId: "Z0123456789" };
const role = (name: string): string => `arn:aws:iam::111122223333:role/${name}`;
const acm = {
    kind: "acm",
    certificateArns: [
        "arn:aws:acm:eu-central-1:111122223333:certificate/1",
        "arn:aws:acm:eu-central-1:111122223333:certificate/2",
    ],
};
const loadBalancer = {
    scheme: "internet-facing",
    inboundCidrs: ["198.51.100.0/24"],
    webAclArn: "arn:aws:wafv2:eu-central-1:111122223333:regional/webacl/orcheo/1",
    accessLogsBucket: "example-logs",
};
const envoy = { ingressNamespace: "envoy-gateway-system", ingressPodLabels: { "app.kubernetes.io/name": "envoy" } };
const subnets = { ingressCidrs: ["10.0.0.0/20"] };

const remote = (property: string) => ({ key: "orcheo/prod", property });
export const externalSecrets = {
    kind: "externalSecrets",
    store: { scope: "cluster", name: "aws" },
    values: {
        vaultEncryptionKey: remote("vault"),
        authBootstrapServiceToken: remote("bootstrap"),
        authJwtSecret: remote("jwt"),
        chatkitTokenSigningKey: remote("chatkit"),
    },
    rotation: { kind: "reloader" },
};

/** Settings of pods that use every key. */
export const pods = {
    all: {
        nodeSelector: { "kubernetes.io/arch": "arm64" },
        tolerations: [{ key: "dedicated", operator: "Equal", value: "orcheo", effect: "NoSchedule" }],
        affinity: {
            nodeAffinity: {
                requiredDuringSchedulingIgnoredDuringExecution: {
                    nodeSelectorTerms: [
                        {
                            matchExpressions: [
                                { key: "node.kubernetes.io/instance-type", operator: "In", values: ["m7g.large"] },
                            ],
                        },
                    ],
                },
            },
            podAntiAffinity: {
                preferredDuringSchedulingIgnoredDuringExecution: [
                    {
                        weight: 100,
                        podAffinityTerm: {
                            topologyKey: "kubernetes.io/hostname",
                            labelSelector: { matchLabels: { "app.kubernetes.io/name": "orcheo" } },
                        },
                    },
                ],
            },
        },
        labels: { "cost-center": "42" },
        annotations: { "example.com/scrape": "no" },
        extraEnv: { TZ: "Europe/Berlin" },
        envFrom: [{ kind: "configMap", name: "team-settings", prefix: "TEAM_" }],
    },
    worker: {
        tolerations: [{ key: "spot", operator: "Exists" }],
        priorityClassName: "batch",
        runtimeClassName: "gvisor",
        volumes: [
            { name: "models", mountPath: "/models", source: { kind: "claim", name: "models" } },
            { name: "cache", mountPath: "/models-cache", readOnly: false, source: { kind: "claim", name: "cache" } },
            { name: "rules", mountPath: "/rules", source: { kind: "configMap", name: "rules" } },
            { name: "keys", mountPath: "/keys", source: { kind: "secret", name: "keys" } },
        ],
    },
};

/** Not one of the variants, of which each is run by many tests. */
export const monitored = {
    ...dev,
    monitoring: { kind: "prometheusOperator", labels: { release: "kube-prometheus-stack" } },
};

const publicKey = [
    "-----BEGIN PUBLIC KEY-----",
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEGTqxOFXbLzN3rbHoBeAGBSZTM6cT",
    "FHhJISX7eIK4Ctj/tm6nndcxL8GrQnvbZ74JSTKrgThsOhjKocwOmfK9Rg==",
    "-----END PUBLIC KEY-----",
    "",
].join("\n");

/** Images of which only signed ones run. */
export function signedOnlyBy(signer: object, more: object = {}) {
    const names = ["backend", "canvas", "postgres", "pgbouncer", "valkey", "backup"];
    const images = names.map(
        (each) => [each, `ghcr.io/example/orcheo/${each}:1.4.2@sha256:${"a".repeat(64)}`] as const,
    );
    const admission = { kind: "policyController", signer, ...more };
    return { ...dev, images: { kind: "published", ...Object.fromEntries<string>(images), admission } };
}
export const byKey = { kind: "key", publicKey };
export const signedOnlyByKey = signedOnlyBy(byKey);

const alerting = (key: string) => ({ name: "alerting", key });

/** Every kind of notification, and the entrance probed from outside. */
export const notified = {
    ...dev,
    monitoring: {
        ...monitored.monitoring,
        probe: { prober: "blackbox-exporter.monitoring.svc:9115", websocketModule: "orcheo_websocket" },
        notifications: {
            email: {
                to: ["on-call@example.com", "team@example.com"],
                from: "orcheo@example.com",
                smarthost: "smtp.example.com:587",
                username: "orcheo",
                password: alerting("smtp-password"),
            },
            slack: { url: alerting("slack-url"), channel: "#alerts", severities: ["warning"] },
            pagerDuty: { routingKey: alerting("pagerduty-key") },
            webhook: { url: alerting("webhook-url") },
            deadMansSwitch: { url: alerting("switch-url") },
        },
    },
};

/** The same without the operator. */
export const notifiedByFiles = {
    ...dev,
    monitoring: {
        kind: "annotations",
        notifications: notified.monitoring.notifications,
        probe: notified.monitoring.probe,
    },
};

/** Metrics are sent. */
export const exported = {
    ...dev,
    monitoring: { kind: "otlp", endpoint: "https://otel.example.com/v1/metrics" },
};

/** Traces to pods of the cluster, with credentials and a CA of their own. */
export const traced = {
    ...dev,
    tracing: {
        kind: "otlp",
        endpoint: "https://otel.monitoring.svc:4318/v1/traces",
        headers: { kind: "secret", name: "otel-credentials" },
        authority: { kind: "file", path: "certificates/private-ca.pem" },
        reach: { kind: "pods", namespace: "monitoring", podLabels: { app: "otel" } },
    },
};

export const variants = {
    "Traefik with ACME over http": {
        ...dev,
        entrance: { tls: { ...acme, solver: { kind: "http01" } } },
    },
    "Traefik's Gateway with ACME over http": {
        ...dev,
        entrance: {
            controller: {
                kind: "traefikGateway",
                gateway: { kind: "created", className: "traefik", httpPort: 8000, httpsPort: 8443 },
            },
            tls: { ...acme, solver: { kind: "http01" } },
        },
    },
    "Envoy Gateway with ACME by DNS": {
        ...dev,
        network: envoy,
        entrance: {
            controller: { kind: "envoyGateway", gateway: { kind: "created", className: "envoy" } },
            tls: { ...acme, solver: { kind: "route53", ...route53, roleArn: role("acme") } },
        },
    },
    "a Gateway that exists": {
        ...dev,
        network: envoy,
        entrance: {
            controller: {
                kind: "envoyGateway",
                gateway: {
                    kind: "existing",
                    name: "shared",
                    namespace: "edge",
                    httpsSection: "https",
                    httpSection: "http",
                },
            },
            tls: { kind: "gateway" },
        },
    },
    "ACME with cert-manager's own credentials": {
        ...dev,
        entrance: { tls: { ...acme, solver: { kind: "route53Ambient", ...route53 } } },
    },
    "an AWS load balancer of an Ingress": {
        ...dev,
        network: subnets,
        entrance: { controller: { kind: "awsLoadBalancer", ...loadBalancer }, tls: acm },
    },
    "an AWS load balancer of a Gateway": {
        ...dev,
        network: subnets,
        entrance: {
            controller: { kind: "awsGateway", gateway: { kind: "created", className: "alb", ...loadBalancer } },
            tls: acm,
        },
    },
    "backups to a store of one's own": {
        ...dev,
        backup: {
            kind: "s3",
            bucket: "orcheo-backups",
            endpoint: "https://minio.example.com:9000",
            authority: { kind: "secret", name: "minio-tls" },
            reach: { kind: "addresses", cidrs: ["10.9.0.0/24"] },
            credentials: { kind: "secret", name: "minio-keys" },
        },
    },
    "a connection pooler": { ...dev, database: { kind: "statefulset", pooler: { kind: "pgbouncer" } } },
    "everything from elsewhere": {
        ...dev,
        kubernetes: { context: "orcheo-local", namespaceKind: "existing", namespace: "team-a" },
        registry: {
            prefix: "registry.example.com/orcheo",
            pull: { kind: "credentials", username: "puller" },
            mirrors: { "docker.io": "mirror.example.com/hub" },
        },
        outbound: {
            proxy: {
                httpUrl: "http://proxy.example.com:3128",
                httpsUrl: "http://proxy.example.com:3128",
                direct: [".example.com"],
            },
            caBundleFile: "certificates/private-ca.pem",
        },
        secrets: externalSecrets,
        network: { enforcement: "probed" },
        pods,
        serviceAccounts: {
            api: { kind: "existing", name: "team-api" },
            worker: { kind: "created", annotations: { "eks.amazonaws.com/role-arn": role("worker") } },
        },
    },
} as const;

export type Variant = keyof typeof variants;

/** The one variant that pulls with a password, and what a run of it needs besides its settings. */
export const password = {
    otherKeys: { "orcheo:registryPassword": "hunter2-of-the-registry" },
    of: (name: Variant) =>
        name === "everything from elsewhere"
            ? { otherKeys: password.otherKeys, secretKeys: Object.keys(password.otherKeys) }
            : {},
};
