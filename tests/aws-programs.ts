/** Prod on AWS in the ways that config offers, and what the tests ask of its resources. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import type { Resource } from "../policies/rule";
import { settingsOf, type Program, type Registered, type Run } from "./harness";

type Settings = Record<string, unknown>;

const account = "111122223333";
const role = (name: string) => `arn:aws:iam::${account}:role/${name}`;
const key = (id: string) => `arn:aws:kms:eu-central-1:${account}:key/${id}`;

function prod(sections: Settings, aws: Settings): Settings {
    const given = settingsOf("prod");
    return { ...given, ...sections, aws: { ...(given["aws"] as Settings), ...aws } };
}

const nodes = {
    kind: "managed",
    architecture: "arm64",
    instanceTypes: ["m7g.large"],
    autoscaler: "clusterAutoscaler",
};
const published = Object.fromEntries(
    ["backend", "canvas", "postgres", "valkey", "backup"].map((name) => [
        name,
        `ghcr.io/a/${name}@sha256:${"d".repeat(64)}`,
    ]),
);

export const zones = ["eu-central-1a", "eu-central-1b", "eu-central-1c"];

/** An empty account. */
export const everythingNew = prod(
    {
        images: { kind: "build", platforms: ["linux/arm64"] },
        database: {
            kind: "rds",
            instanceClass: "db.m6gd.large",
            storageGiB: 100,
            deployment: { kind: "cluster" },
            caBundleFile: "certificates/rds.pem",
        },
    },
    {
        network: { kind: "new", cidr: "10.30.0.0/16", zones },
        cluster: { kind: "new", nodes, publicCidrs: ["198.51.100.7/32"] },
        bucket: { kind: "new", objectLockDays: 30 },
        budgetUsdPerMonth: 1200,
        dns: {
            zoneId: "Z0123456789ABCDEFGHIJ",
            target: { kind: "alias", name: "lb.eu-central-1.elb.amazonaws.com", zoneId: "Z3F0SRJ5LGBH90" },
        },
    },
);

/** Whatever can be there already is. */
export const everythingExisting = prod(
    {
        images: { kind: "published", ...published },
        database: { ...(settingsOf("prod")["database"] as Settings), securityGroupId: "sg-00000000000000001" },
        cache: { ...(settingsOf("prod")["cache"] as Settings), securityGroupId: "sg-00000000000000002" },
    },
    {
        network: { kind: "stackReference", stack: "organization/network/prod", cidrs: ["10.20.0.0/16"] },
        cluster: { kind: "stackReference", stack: "organization/cluster/prod", kubeconfigOutput: "kubeconfig" },
        identities: {
            kind: "irsa",
            oidcProviderArn: `arn:aws:iam::${account}:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/0123`,
        },
        keys: { dataKeyArn: key("data"), vaultKeyArn: key("vault") },
        roles: { backend: role("backend"), backup: role("backup") },
        bucket: { kind: "existing", name: "their-bucket" },
        registry: false,
        dns: { zoneId: "Z0123456789ABCDEFGHIJ", target: { kind: "cname", name: "lb.example.com" } },
    },
);

/** The vault of another account. */
export const otherVault = "arn:aws:backup:eu-central-1:444455556666:backup-vault:orcheo";

/** An instance whose backups are in another region and another account too. */
const careful = prod(
    { database: { ...(settingsOf("prod")["database"] as Settings), blueGreenUpdates: true } },
    {
        backupPlan: {
            copies: [
                { kind: "region", region: "eu-west-1" },
                { kind: "vault", arn: otherVault },
            ],
        },
    },
);

/** Its metrics go through a collector to Amazon Managed Service for Prometheus. */
export const measured = prod(
    {
        monitoring: {
            kind: "otlp",
            endpoint: "https://collector.monitoring.svc:4318/v1/metrics",
            authority: { kind: "configMap", name: "collector-ca" },
            reach: {
                kind: "pods",
                namespace: "monitoring",
                podLabels: { "app.kubernetes.io/name": "opentelemetry-collector" },
            },
        },
    },
    { prometheus: { writer: { namespace: "monitoring", serviceAccount: "opentelemetry-collector" } } },
);

export const awsPrograms: readonly (readonly [string, Program])[] = [
    ["Pulumi.prod.yaml", { stack: "prod" }],
    ["everything new", { stack: "prod", settings: everythingNew }],
    ["everything existing", { stack: "prod", settings: everythingExisting }],
    [
        "Auto Mode",
        {
            stack: "prod",
            // The default of aws.cluster.nodes.
            settings: prod({}, { cluster: { kind: "new" }, identities: { kind: "podIdentity" } }),
        },
    ],
    ["copies of backups, blue/green updates", { stack: "prod", settings: careful }],
    ["a managed Prometheus", { stack: "prod", settings: measured }],
];

export const sizes = ["small", "medium", "large"] as const;

export function exampleOf(size: (typeof sizes)[number]): Settings {
    const file = parse(readFileSync(`examples/prod-${size}.yaml`, "utf8")) as { config: Record<string, Settings> };
    return file.config["orcheo:stack"] ?? {};
}

/** How Pulumi marks a secret on its way to the engine. */
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

function isRecord(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value with each secret in it replaced by `otherwise`. */
export function withSecrets(value: unknown, otherwise: (secret: unknown) => unknown): unknown {
    if (Array.isArray(value)) return value.map((each: unknown) => withSecrets(each, otherwise));
    if (!isRecord(value)) return value;
    if (Object.values(value).includes(secretSignature)) return otherwise(withSecrets(value["value"], otherwise));
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, withSecrets(each, otherwise)]));
}

/** The inputs as the provider gets them. */
export function plain(inputs: Registered["inputs"]): Registered["inputs"] {
    const all = withSecrets(inputs, (secret) => secret);
    return isRecord(all) ? all : {};
}

/** As the engine hands a resource to the pack: secrets are plain there. */
export function asResources({ resources }: Run): Resource[] {
    const providers = new Map(
        resources
            .filter(({ type }) => type.startsWith("pulumi:providers:"))
            .map((each) => [each.type, plain(each.inputs)]),
    );
    return resources.map((each: Registered) => ({
        type: each.type,
        name: each.name,
        urn: each.options.urn,
        props: plain(each.inputs),
        options: { protect: each.options.protect },
        provider: providers.get(`pulumi:providers:${each.type.split(":")[0] ?? ""}`),
    }));
}

/** Every string in a value, those inside JSON text too. */
export function stringsIn(value: unknown): string[] {
    if (Array.isArray(value)) return value.flatMap(stringsIn);
    if (isRecord(value)) return Object.values(value).flatMap(stringsIn);
    if (typeof value !== "string") return [];
    return /^[[{]/.test(value) ? stringsIn(JSON.parse(value)) : [value];
}
