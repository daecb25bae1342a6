/** Every connection that the policies open, in words: whatever is added, widened or lost shows here. */
import { describe, expect, it } from "vitest";
import { pooledLabel } from "../../../components/kubernetes/labels";
import { planEnforcement, planNetworkPolicies } from "../../../components/network/network.plan";
import { parseStack } from "../../../components/stack/read";
import { awsPrograms, everythingExisting, everythingNew } from "../../aws-programs";
import { settingsOf } from "../../harness";
import { variants } from "../../variants";

interface Selector {
    readonly matchLabels?: Readonly<Record<string, string>>;
    readonly matchExpressions?: readonly { key: string; operator: string; values: readonly string[] }[];
}
interface Peer {
    readonly podSelector?: Selector;
    readonly namespaceSelector?: Selector;
    readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}
interface Rule {
    readonly from?: readonly Peer[];
    readonly to?: readonly Peer[];
    readonly ports?: readonly { readonly port: number; readonly protocol: string }[];
}
interface Spec {
    readonly podSelector: Selector;
    readonly policyTypes: readonly string[];
    readonly ingress?: readonly Rule[];
    readonly egress?: readonly Rule[];
}

const component = "app.kubernetes.io/component";

/** The stack's own pods by their role, others by their labels. */
function selected({ matchLabels = {}, matchExpressions = [] }: Selector): string {
    const roles = matchExpressions.flatMap(({ key, operator, values }) => {
        if (key === pooledLabel) return operator === "Exists" ? ["with pooler"] : ["without pooler"];
        expect([key, operator]).toEqual([component, "In"]);
        return values;
    });
    const { [component]: role, ...rest } = matchLabels;
    if (role !== undefined) expect(rest).toEqual({ "app.kubernetes.io/name": "orcheo" });
    const own = role === undefined ? Object.entries(matchLabels).map((pair) => pair.join("=")) : [role];
    return [...own, ...roles].join(" ") || "all";
}

function shown({ podSelector, namespaceSelector, ipBlock }: Peer): string {
    if (ipBlock !== undefined) return [ipBlock.cidr, ...(ipBlock.except ?? [])].join(" -");
    const pods = podSelector === undefined ? "all" : selected(podSelector);
    if (namespaceSelector === undefined) return pods;
    const [[key, namespace], ...more] = Object.entries(namespaceSelector.matchLabels ?? {}) as [[string, string]];
    expect([key, more]).toEqual(["kubernetes.io/metadata.name", []]);
    return `${namespace}/${pods}`;
}

const ports = ({ ports: all }: Rule): string =>
    all === undefined ? "any port" : all.map(({ port, protocol }) => `${port}/${protocol}`).join(" ");

function stackOf(settings: object) {
    const { stack, problems } = parseStack({ stack: "dev", keys: [], json: JSON.stringify(settings), secret: true });
    if (stack === undefined || problems.length > 0) throw new Error(JSON.stringify(problems));
    return stack;
}

/** By policy, such as `canvas <- traefik/app=traefik: 8443/TCP`. */
function opened(settings: object): Record<string, readonly string[]> {
    const policies = Object.entries(planNetworkPolicies(stackOf(settings))) as [string, Spec][];
    return Object.fromEntries(
        policies.map(([name, { podSelector, policyTypes, ingress, egress }]) => {
            const pods = selected(podSelector);
            const rules = [
                ...(ingress ?? []).map(
                    (rule) => `${pods} <- ${(rule.from ?? []).map(shown).join(", ")}: ${ports(rule)}`,
                ),
                ...(egress ?? []).map((rule) => `${pods} -> ${(rule.to ?? []).map(shown).join(", ")}: ${ports(rule)}`),
            ];
            return [name, [`${pods}: ${policyTypes.join(", ")}`, ...rules]];
        }),
    );
}

const dev = settingsOf("dev");
const prod = settingsOf("prod");
const autoMode = awsPrograms.find(([name]) => name === "Auto Mode")?.[1].settings as Record<string, unknown>;
const backend = "api worker beat init ->";
const outside =
    "0.0.0.0/0 -10.0.0.0/8 -100.64.0.0/10 -127.0.0.0/8 -169.254.0.0/16 -172.16.0.0/12 -192.168.0.0/16, " +
    "::/0 -::1/128 -fc00::/7 -fe80::/10 -64:ff9b::a00:0/104 -64:ff9b::6440:0/106 -64:ff9b::7f00:0/104 " +
    "-64:ff9b::a9fe:0/112 -64:ff9b::ac10:0/108 -64:ff9b::c0a8:0/112 -64:ff9b:1::/48";
const dns = "kube-system/all: 53/UDP 53/TCP";
const agent = "169.254.170.23/32, fd00:ec2::23/128: 80/TCP";
const subnets = "10.20.0.0/20, 10.20.16.0/20, 10.20.32.0/20";

/** Egress of the backend and of the backup, without the line of policy types. */
const leaving = (settings: object): Record<string, readonly string[]> => {
    const { "backend-out": own = [], "backup-out": dumps = [] } = opened(settings);
    return { backend: own.slice(1), backup: dumps.slice(1) };
};

describe("the stack's own pods", () => {
    it("on a laptop", () => {
        expect(opened(dev)).toEqual({
            "deny-all": ["all: Ingress, Egress"],
            canvas: ["canvas: Ingress", "canvas <- traefik/app.kubernetes.io/name=traefik: 8443/TCP"],
            api: ["api: Ingress", "api <- traefik/app.kubernetes.io/name=traefik, worker, beat: 8443/TCP"],
            postgres: ["postgres: Ingress", "postgres <- api, worker, beat, init: 5432/TCP"],
            valkey: ["valkey: Ingress", "valkey <- api, worker, beat, init: 6379/TCP"],
            "backend-out": [
                "api worker beat init: Egress",
                `${backend} postgres: 5432/TCP`,
                `${backend} valkey: 6379/TCP`,
                `${backend} api: 8443/TCP`,
                `${backend} ${dns}`,
                `${backend} ${outside}: any port`,
            ],
        });
    });

    it("with a pooler: those that use it reach PostgreSQL through it alone, and those that started without it still do", () => {
        const database = { kind: "statefulset", pooler: { kind: "pgbouncer" } };
        const {
            postgres,
            pgbouncer,
            "pgbouncer-out": onward,
            "backend-out": direct,
            "pooled-out": through,
        } = opened({ ...dev, database });
        const start = (role: string) => `${role} without pooler`;
        expect(postgres?.slice(1)).toEqual([
            `postgres <- ${["api", "worker", "beat", "init"].map(start).join(", ")}, pgbouncer: 5432/TCP`,
        ]);
        expect(pgbouncer?.slice(1)).toEqual(["pgbouncer <- api, worker, beat, init: 6432/TCP"]);
        expect(onward?.slice(1)).toEqual(["pgbouncer -> postgres: 5432/TCP", `pgbouncer -> ${dns}`]);
        const rest = [`valkey: 6379/TCP`, "api: 8443/TCP", dns, `${outside}: any port`];
        expect(direct?.slice(1)).toEqual(
            ["postgres: 5432/TCP", ...rest].map((to) => `api worker beat init without pooler -> ${to}`),
        );
        expect(through?.slice(1)).toEqual(
            ["pgbouncer: 6432/TCP", ...rest].map((to) => `api worker beat init with pooler -> ${to}`),
        );
    });

    it("a pooler in front of a public server may reach public addresses by the server's port", () => {
        const pooler = { kind: "pgbouncer" };
        const url = { kind: "secret", name: "theirs" };
        const { "pgbouncer-out": onward } = opened({ ...dev, database: { kind: "external", url, port: 6000, pooler } });
        expect(onward?.slice(1)).toEqual([`pgbouncer -> ${outside}: 6000/TCP`, `pgbouncer -> ${dns}`]);
    });

    it("on AWS: the private subnets by the servers' ports, and the agent for credentials", () => {
        expect(Object.keys(opened(prod)).sort()).toEqual(["api", "backend-out", "backup-out", "canvas", "deny-all"]);
        expect(leaving(prod)).toEqual({
            backend: [
                `${backend} ${subnets}: 5432/TCP`,
                `${backend} ${subnets}: 6379/TCP`,
                `${backend} api: 8443/TCP`,
                `${backend} ${dns}`,
                `${backend} ${outside}: any port`,
                `${backend} ${agent}`,
            ],
            backup: [
                `backup -> ${subnets}: 5432/TCP`,
                `backup -> ${dns}`,
                `backup -> ${outside}: 443/TCP`,
                `backup -> ${agent}`,
            ],
        });
    });

    it("by IRSA, which needs no agent", () => {
        const lines = Object.values(leaving(everythingExisting)).flat();
        expect(lines).toContain(`backup -> 10.20.0.0/16: 5432/TCP`);
        expect(lines.filter((line) => line.includes("169.254.170.23/32") || line.includes(":ec2:"))).toEqual([]);
    });

    it("in Auto Mode, whose nodes answer DNS and enforce policies only when configured to", () => {
        const nodes = "kube-system/all, 10.100.0.10/32, 172.20.0.10/32: 53/UDP 53/TCP";
        const { backend: own, backup } = leaving(autoMode);
        expect([own, backup]).toEqual([
            expect.arrayContaining([`${backend} ${nodes}`]),
            expect.arrayContaining([`backup -> ${nodes}`]),
        ]);
        expect(planEnforcement(stackOf(autoMode))).toMatchObject({
            metadata: { name: "amazon-vpc-cni", namespace: "kube-system" },
            data: { "enable-network-policy-controller": "true" },
        });
        for (const settings of [dev, prod, everythingNew]) expect(planEnforcement(stackOf(settings))).toBeUndefined();
    });
});

describe("settings open what they name, and nothing else", () => {
    const url = { kind: "secret", name: "theirs" };
    const addresses = { kind: "addresses", cidrs: ["10.9.0.0/24"] };
    const pods = { kind: "pods", namespace: "data", podLabels: { app: "pg", tier: "db" } };
    const store = variants["backups to a store of one's own"].backup;
    const proxy = { httpUrl: "http://10.7.0.1:3128", httpsUrl: "http://10.7.0.1:3129" };
    const identity = { ...store, credentials: { kind: "identity" } };
    const external = { kind: "external", url };

    /** Proxies, and the ports that are opened for a store that is reached by http. */
    const inTheClear: readonly [object, string][] = [
        [{ httpUrl: "http://proxy.example.com:3128", httpsUrl: "http://proxy.example.com:3129" }, "80/TCP 3128/TCP"],
        [{ httpUrl: "http://proxy.example.com" }, "80/TCP"],
        [{ httpUrl: "https://proxy.example.com" }, "80/TCP 443/TCP"],
        [{ httpsUrl: "http://proxy.example.com:3129" }, "80/TCP"],
    ];

    it.each<[string, object, Record<string, readonly string[]>]>([
        [
            "an ingress controller elsewhere",
            {
                network: {
                    ingressNamespace: "edge",
                    ingressPodLabels: { app: "envoy", tier: "edge" },
                    ingressCidrs: ["10.1.0.0/24"],
                },
            },
            {
                canvas: ["canvas: Ingress", "canvas <- edge/app=envoy tier=edge, 10.1.0.0/24: 8443/TCP"],
                api: ["api: Ingress", "api <- edge/app=envoy tier=edge, 10.1.0.0/24, worker, beat: 8443/TCP"],
            },
        ],
        [
            "DNS elsewhere",
            { network: { dnsNamespace: "dns", dnsPort: 5353, dnsCidrs: ["169.254.20.10/32"] } },
            { "backend-out": [`${backend} dns/all, 169.254.20.10/32: 5353/UDP 5353/TCP`] },
        ],
        [
            "private ranges",
            { network: { privateCidrs: ["10.1.0.0/16"] } },
            { "backend-out": [`${backend} ${outside}, 10.1.0.0/16: any port`] },
        ],
        [
            "servers of others on private addresses and in pods",
            { database: { ...external, reach: pods }, cache: { ...external, port: 6390, reach: addresses } },
            { "backend-out": [`${backend} data/app=pg tier=db: 5432/TCP`, `${backend} 10.9.0.0/24: 6390/TCP`] },
        ],
        ["servers of others in public, which are reached anyway", { database: external, cache: external }, {}],
        [
            "backups to a store on private addresses",
            { backup: store },
            {
                postgres: ["postgres: Ingress", "postgres <- api, worker, beat, init, backup: 5432/TCP"],
                "backup-out": [
                    "backup: Egress",
                    "backup -> postgres: 5432/TCP",
                    `backup -> ${dns}`,
                    `backup -> ${outside}, 10.9.0.0/24: 9000/TCP`,
                ],
            },
        ],
        [
            "backups of a public database, as an identity of the cluster, through a proxy on private addresses",
            { backup: identity, database: external, outbound: { proxy }, network: { privateCidrs: ["10.7.0.0/24"] } },
            {
                "backend-out": [`${backend} ${outside}, 10.7.0.0/24: any port`],
                "backup-out": [
                    "backup: Egress",
                    `backup -> ${outside}: 5432/TCP`,
                    `backup -> ${dns}`,
                    `backup -> ${outside}, 10.9.0.0/24, 10.7.0.0/24: 9000/TCP 3129/TCP`,
                    `backup -> ${agent}`,
                ],
            },
        ],
        [
            "backups to a store in pods, and private ranges that are the workflows'",
            {
                backup: { ...store, port: 9000, reach: { kind: "pods", namespace: "minio", podLabels: { app: "s3" } } },
                network: { privateCidrs: ["10.1.0.0/16"] },
            },
            {
                postgres: ["postgres: Ingress", "postgres <- api, worker, beat, init, backup: 5432/TCP"],
                "backend-out": [`${backend} ${outside}, 10.1.0.0/16: any port`],
                "backup-out": [
                    "backup: Egress",
                    "backup -> postgres: 5432/TCP",
                    `backup -> ${dns}`,
                    "backup -> minio/app=s3: 9000/TCP",
                ],
            },
        ],
        [
            "private ranges without a proxy, which are not the backup's",
            { backup: store, network: { privateCidrs: ["10.1.0.0/16"] } },
            {
                postgres: ["postgres: Ingress", "postgres <- api, worker, beat, init, backup: 5432/TCP"],
                "backend-out": [`${backend} ${outside}, 10.1.0.0/16: any port`],
                "backup-out": [
                    "backup: Egress",
                    "backup -> postgres: 5432/TCP",
                    `backup -> ${dns}`,
                    `backup -> ${outside}, 10.9.0.0/24: 9000/TCP`,
                ],
            },
        ],
        [
            "a server of traces in the cluster, by the port of its pods",
            {
                tracing: {
                    kind: "otlp",
                    endpoint: "https://otel.monitoring.svc/v1/traces",
                    port: 4318,
                    reach: { kind: "pods", namespace: "monitoring", podLabels: { app: "otel" } },
                },
            },
            { "traces-out": ["api worker: Egress", "api worker -> monitoring/app=otel: 4318/TCP"] },
        ],
        [
            "a server of traces on private addresses",
            {
                tracing: {
                    kind: "otlp",
                    endpoint: "https://otel.internal.example/v1/traces",
                    reach: { kind: "addresses", cidrs: ["10.9.0.4/32"] },
                },
            },
            { "traces-out": ["api worker: Egress", "api worker -> 10.9.0.4/32: 443/TCP"] },
        ],
        [
            "a server of metrics in the cluster",
            {
                monitoring: {
                    kind: "otlp",
                    endpoint: "https://otel.monitoring.svc:4318/v1/metrics",
                    reach: { kind: "pods", namespace: "monitoring", podLabels: { app: "otel" } },
                },
            },
            { "metrics-out": ["api worker beat: Egress", "api worker beat -> monitoring/app=otel: 4318/TCP"] },
        ],
        [
            "a public server of traces, which is open anyway",
            { tracing: { kind: "otlp", endpoint: "https://otel.example.com/v1/traces" } },
            {},
        ],
        [
            "an issuer on private addresses",
            {
                auth: {
                    signIn: {
                        ...{ kind: "oidc", issuer: "https://id.example.com:8443", clientId: "o", audience: "o" },
                        reach: addresses,
                    },
                },
            },
            { "issuer-out": ["api: Egress", "api -> 10.9.0.0/24: 8443/TCP"] },
        ],
        ...inTheClear.map(([own, opens], index): [string, object, Record<string, readonly string[]>] => [
            `backups in the clear through the proxy for http (${index})`,
            { backup: { ...store, endpoint: "http://10.9.0.1", plainHttp: true }, outbound: { proxy: own } },
            {
                postgres: ["postgres: Ingress", "postgres <- api, worker, beat, init, backup: 5432/TCP"],
                "backup-out": [
                    "backup: Egress",
                    "backup -> postgres: 5432/TCP",
                    `backup -> ${dns}`,
                    `backup -> ${outside}, 10.9.0.0/24: ${opens}`,
                ],
            },
        ]),
    ])("%s", (_, settings, expected) => {
        const before = opened(dev);
        const changed = Object.entries(opened({ ...dev, ...settings })).flatMap(([name, lines]) => {
            const added = lines.filter((line) => before[name]?.includes(line) !== true);
            // A policy that lets in is shown whole.
            return added.length === 0 ? [] : [[name, name.endsWith("-out") && name in before ? added : lines]];
        });
        expect(Object.fromEntries(changed)).toEqual(expected);
    });
});
