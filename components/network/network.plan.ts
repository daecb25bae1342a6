import type { types } from "@pulumi/kubernetes";
import type { Backup } from "../config/derived";
import { inAutoMode, poolerOf } from "../config/kinds";
import { ports } from "../config/ports";
import type { Stack } from "../config/schema";
import { objectLabels, pooledLabel, selector, type Role } from "../kubernetes/labels";
import {
    otlpPort,
    planScraperIngress,
    telemetryOf,
    type MonitoringSettings,
    type TelemetrySettings,
} from "../monitoring/monitoring.plan";
import { peersOf, poolerReach, reachOf, type Reach, type ReachSettings } from "./reach.plan";
export { probeResources } from "./probe.plan";
export { backendReachOf, reachOf, type ReachSettings } from "./reach.plan";

type Spec = types.input.networking.v1.NetworkPolicySpec;
type Peer = types.input.networking.v1.NetworkPolicyPeer;
type Egress = types.input.networking.v1.NetworkPolicyEgressRule;

/** Non-public addresses, which workflows must not reach unless configured. */
export const privateRanges = {
    v4: ["10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"],
    v6: ["::1/128", "fc00::/7", "fe80::/10"],
};

/**
 * Ranges of IPv6 through which a NAT64 gateway reaches IPv4 addresses: those of the private ranges behind the
 * well-known prefix, and all of the local-use prefix.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6052
 * @see https://www.rfc-editor.org/rfc/rfc8215
 */
export function translatedRanges(v4: readonly string[]): string[] {
    const translated = v4.map((cidr) => {
        const [address = "", bits = ""] = cidr.split("/");
        const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
        const group = (high: number, low: number) => (high * 256 + low).toString(16);
        return `64:ff9b::${group(a, b)}:${group(c, d)}/${96 + Number(bits)}`;
    });
    return [...translated, "64:ff9b:1::/48"];
}

/**
 * The agent that hands AWS credentials to pods, on every node: at one address of each family.
 *
 * @see https://docs.aws.amazon.com/eks/latest/userguide/pod-id-agent-setup.html
 */
const podIdentityAgent = {
    to: ["169.254.170.23/32", "fd00:ec2::23/128"].map((cidr) => ({ ipBlock: { cidr } })),
    ports: [{ port: 80, protocol: "TCP" }],
};

const backendRoles: readonly Role[] = ["api", "worker", "beat", "init"];
const tcp = (port: number) => [{ port, protocol: "TCP" }];
const pods = (role: Role): Peer => ({ podSelector: { matchLabels: selector(role) } });

/** The ingress controller's pods, and its addresses when it is outside the pod network. */
export function controllerPeers(network: Stack["network"]): Peer[] {
    return [
        {
            namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": network.ingressNamespace } },
            podSelector: { matchLabels: network.ingressPodLabels },
        },
        ...network.ingressCidrs.map((cidr) => ({ ipBlock: { cidr } })),
    ];
}

export type NetworkSettings = MonitoringSettings &
    TelemetrySettings &
    ReachSettings &
    Pick<Stack, "auth" | "backup" | "network" | "outbound">;

/**
 * Name and spec of every policy: deny everything, then allow the listed connections.
 *
 * ingress controller -> canvas, api · api, worker, beat, init -> Postgres, Valkey, DNS and the outside · worker and beat
 * -> api · api, worker -> peers, server of traces · scraper -> metrics of api, worker, beat, canvas · backup -> Postgres, DNS and its store · Postgres, Valkey and canvas -> nothing.
 * With a pooler: api, worker, beat, init -> pooler -> Postgres. Only those that started without it still reach Postgres themselves, to finish their work.
 */
export function planNetworkPolicies(stack: NetworkSettings): Record<string, Spec> {
    const controller = controllerPeers(stack.network);
    const backends = backendRoles.map(pods);
    const { backup } = stack;
    const pooled = poolerOf(stack) !== undefined;
    const clients = [
        ...(pooled ? [...backendRoles.map(withoutPooler), pods("pgbouncer")] : backends),
        ...(backup === undefined ? [] : [pods("backup")]),
    ];
    return {
        "deny-all": { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
        canvas: allow("canvas", controller, ports.canvas),
        api: allow("api", [...controller, pods("worker"), pods("beat")], ports.api),
        ...(stack.database.kind === "statefulset" && {
            postgres: allow("postgres", clients, reachOf(stack, "database").port),
        }),
        ...(stack.cache.kind === "valkey" && { valkey: allow("valkey", backends, reachOf(stack, "cache").port) }),
        "backend-out": planBackend(stack, reachOf(stack, "database"), pooled ? "DoesNotExist" : undefined),
        ...(pooled && {
            "pooled-out": planBackend(stack, poolerReach, "Exists"),
            pgbouncer: allow("pgbouncer", backends, poolerReach.port),
            "pgbouncer-out": {
                podSelector: { matchLabels: selector("pgbouncer") },
                policyTypes: ["Egress"],
                egress: [toDatabase(stack), toDns(stack)],
            },
        }),
        ...planIssuer(stack),
        ...planTelemetry(stack),
        ...planScraperIngress(stack),
        ...(stack.network.enforcement === "probed" && {
            "network-probe": {
                podSelector: { matchLabels: selector("network-probe") },
                policyTypes: ["Egress"],
                egress: [toDns(stack)],
            },
        }),
        ...(stack.network.peers.length > 0 && { "peers-out": planPeers(stack.network) }),
        ...(backup !== undefined && {
            "backup-out": {
                podSelector: { matchLabels: selector("backup") },
                policyTypes: ["Egress"],
                egress: planBackupEgress(backup, stack),
            },
        }),
    };
}

/** @param label  whether the pods have the label of those that use the pooler; undefined: all of them */
function planBackend(stack: NetworkSettings, database: Reach, label?: "Exists" | "DoesNotExist"): Spec {
    const roles = { key: "app.kubernetes.io/component", operator: "In", values: [...backendRoles] };
    return {
        podSelector: {
            matchExpressions: [roles, ...(label === undefined ? [] : [{ key: pooledLabel, operator: label }])],
        },
        policyTypes: ["Egress"],
        egress: [
            ...[database, reachOf(stack, "cache")]
                .filter(({ to }) => to.length > 0)
                .map(({ to, port }) => ({ to, ports: tcp(port) })),
            { to: [pods("api")], ports: tcp(ports.api) },
            toDns(stack),
            { to: [...outside, ...privateAddresses(stack.network)] },
            ...(stack.aws?.identities.kind === "podIdentity" ? [podIdentityAgent] : []),
        ],
    };
}

/** Those that started without the pooler. */
const withoutPooler = (role: Role): Peer => ({
    podSelector: {
        matchLabels: selector(role),
        matchExpressions: [{ key: pooledLabel, operator: "DoesNotExist" }],
    },
});

/** The server itself, wherever it is. */
function toDatabase(stack: NetworkSettings): Egress {
    const { to, port } = reachOf(stack, "database");
    return { to: to.length > 0 ? to : [...outside], ports: tcp(port) };
}

const outside: readonly Peer[] = [
    { ipBlock: { cidr: "0.0.0.0/0", except: privateRanges.v4 } },
    { ipBlock: { cidr: "::/0", except: [...privateRanges.v6, ...translatedRanges(privateRanges.v4)] } },
];

const privateAddresses = (network: Stack["network"]): Peer[] =>
    network.privateCidrs.map((cidr) => ({ ipBlock: { cidr } }));

/** Where EKS puts the DNS of a new cluster, by the network of its VPC. In Auto Mode no pod stands behind it, but each node. */
const autoModeDns = ["10.100.0.10/32", "172.20.0.10/32"];

function toDns({ network, aws }: Pick<Stack, "aws" | "network">): Egress {
    const { dnsNamespace, dnsPort, dnsCidrs } = network;
    const addresses = [...dnsCidrs, ...(inAutoMode(aws) ? autoModeDns : [])];
    return {
        to: [
            { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": dnsNamespace } } },
            ...addresses.map((cidr) => ({ ipBlock: { cidr } })),
        ],
        ports: [
            { port: dnsPort, protocol: "UDP" },
            { port: dnsPort, protocol: "TCP" },
        ],
    };
}

/** The issuer's keys, which the API alone reads; of a public issuer nothing is left to open. */
function planIssuer({ auth: { signIn } }: Pick<Stack, "auth">): Record<string, Spec> {
    if (signIn.kind === "tokensOnly") return {};
    const to = peersOf(signIn.reach);
    if (to.length === 0) return {};
    const url = new URL(signIn.jwksUrl ?? signIn.issuer);
    const port = signIn.reach.kind === "pods" ? signIn.reach.port : Number(url.port || 443);
    return {
        "issuer-out": {
            podSelector: { matchLabels: selector("api") },
            policyTypes: ["Egress"],
            egress: [{ to, ports: tcp(port) }],
        },
    };
}

/** Egress to the servers of traces and metrics, for the roles that send them. A public server needs none. */
function planTelemetry(stack: NetworkSettings): Record<string, Spec> {
    const policies = telemetryOf(stack).flatMap(({ signal, target, roles }) => {
        const to = peersOf(target.reach);
        if (to.length === 0) return [];
        const spec = {
            podSelector: {
                matchExpressions: [{ key: "app.kubernetes.io/component", operator: "In", values: [...roles] }],
            },
            policyTypes: ["Egress"],
            egress: [{ to, ports: tcp(otlpPort(target)) }],
        };
        return [[`${signal}-out`, spec] as const];
    });
    return Object.fromEntries(policies);
}

/** The database, DNS, and the store or the proxy in front of it, each by its port. */
function planBackupEgress(settings: Backup, stack: NetworkSettings): Egress[] {
    const { aws, outbound } = stack;
    const store = peersOf(settings.reach);
    const proxied = outbound.proxy === undefined ? [] : privateAddresses(stack.network);
    const byAgent = settings.credentials?.kind !== "secret" && aws?.identities.kind !== "irsa";
    return [
        toDatabase(stack),
        toDns(stack),
        {
            to: settings.reach.kind === "pods" ? store : [...outside, ...store, ...proxied],
            ports: settings.storePorts.flatMap(tcp),
        },
        ...(byAgent ? [podIdentityAgent] : []),
    ];
}

/** Pods that workflows call. The API executes nodes too; beat and initialisation make no calls. */
function planPeers(network: Stack["network"]): Spec {
    const executing: readonly Role[] = ["api", "worker"];
    return {
        podSelector: {
            matchExpressions: [{ key: "app.kubernetes.io/component", operator: "In", values: [...executing] }],
        },
        policyTypes: ["Egress"],
        egress: network.peers.map(({ namespace, podLabels, ports }) => ({
            to: peersOf({ kind: "pods", namespace, podLabels }),
            ports: ports.flatMap(tcp),
        })),
    };
}

function allow(role: Role, from: Peer[], port: number): Spec {
    return {
        podSelector: { matchLabels: selector(role) },
        policyTypes: ["Ingress"],
        ingress: [{ from, ports: tcp(port) }],
    };
}

/**
 * Makes EKS Auto Mode enforce network policies; without it they are accepted but have no effect.
 *
 * @see https://docs.aws.amazon.com/eks/latest/userguide/auto-net-pol.html
 */
export function planEnforcement({ aws }: Pick<Stack, "aws">): types.input.core.v1.ConfigMap | undefined {
    if (!inAutoMode(aws)) return undefined;
    const labels = objectLabels();
    return {
        metadata: { name: "amazon-vpc-cni", namespace: "kube-system", labels },
        data: { "enable-network-policy-controller": "true" },
    };
}
