/** docs/costs.md, from the examples and the policy pack's own estimate: `npm run docs` writes it. */
import { quotaOf } from "../components/cluster/capacity.plan";
import type { Stack } from "../components/config/schema";
import { estimate } from "../policies/cost";
import { groups, pricesOf, region } from "../policies/prices";
import type { Resource } from "../policies/rule";

export interface Sized {
    readonly size: string;
    readonly stack: Stack;
    readonly resources: readonly Resource[];
}

const parts: readonly (readonly [string, RegExp])[] = [
    ["nodes", /^NodeGroup /],
    ["EKS control plane", /^Cluster /],
    ["database (two zones)", /^Instance /],
    ["cache", /^ReplicationGroup /],
    ["NAT gateways and their addresses", /^(NatGateway|Eip) /],
    ["KMS keys and secrets", /^(Key|Secret) /],
];

/** The load balancer of the ingress controller, which the cluster asks AWS for by itself. */
const balancer = estimate([{ type: "aws:lb/loadBalancer:LoadBalancer", name: "entrance", urn: "entrance", props: {} }]);

const usd = (value: number): string => `$${value.toFixed(0)}`;

/** The whole text. */
export function costsDoc(sized: readonly Sized[]): string {
    const estimates = sized.map(({ resources }) => estimate(resources));
    const row = (what: string, cells: readonly string[]) => `| ${[what, ...cells].join(" | ")} |`;
    const described = (of: (stack: Stack) => string) => sized.map(({ stack }) => of(stack));
    const sums = parts.map(([what, pattern]) =>
        row(
            what,
            estimates.map(({ lines }) =>
                usd(lines.filter((line) => pattern.test(line.what)).reduce((total, line) => total + line.usd, 0)),
            ),
        ),
    );
    return [
        "# What it costs",
        "",
        "Generated from examples/prod-*.yaml and policies/prices.ts by `npm run docs`; change it there.",
        "",
        `On-demand list prices of ${region} as of ${pricesOf}, USD a month. Not in it: traffic, log and backup storage,`,
        "snapshots, S3, metrics and alarms, taxes; nor discounts.",
        "",
        row(
            "",
            sized.map(({ size }) => `[${size}](../examples/prod-${size}.yaml)`),
        ),
        row(
            "---",
            sized.map(() => "---:"),
        ),
        row(
            "API replicas",
            described(({ api }) => `${api.scaling.minReplicas} to ${api.scaling.maxReplicas}`),
        ),
        row(
            "runs at a time",
            described(({ worker }) => String(worker.replicas * worker.concurrency)),
        ),
        row("nodes, at least", described(nodesOf)),
        row(
            "database",
            described(({ database }) => (database.kind === "rds" ? database.instanceClass : "")),
        ),
        row(
            "cache",
            described(({ cache }) => (cache.kind === "elasticache" ? `${cache.nodes} x ${cache.nodeType}` : "")),
        ),
        ...sums,
        row(
            "**the stack**",
            estimates.map(({ totalUsd }) => `**${usd(totalUsd)}**`),
        ),
        row(
            "load balancer of the ingress controller",
            estimates.map(() => usd(balancer.totalUsd)),
        ),
        row(
            "**all**",
            estimates.map(({ totalUsd }) => `**${usd(totalUsd + balancer.totalUsd)}**`),
        ),
        "",
        "The figures are those that the policy pack holds against a budget (`monthly-cost-within-budget`), at the fewest",
        "nodes; a stack that scales to its most nodes pays for them.",
        "",
        "## The prices",
        "",
        "ElastiCache for Valkey is a fifth cheaper than the prices of Redis OSS below, and is counted so.",
        "",
        row("USD", ["", "compared with"]),
        row("---:", ["---", "---"]),
        ...groups.flatMap(({ comparedWith, per, usd: prices }) =>
            Object.entries(prices).map(([what, price]) => row(String(price), [`${what}, ${per}`, comparedWith])),
        ),
        "",
        "## Next to other ways to run it",
        "",
        "The containerization strategy that this project started from gives, for a month:",
        "",
        "| platform | USD a month | what is given up against the stack above |",
        "| --- | ---: | --- |",
        "| Docker Compose on a VPS | 20 to 100 | one machine: its failure is an outage, backups and upgrades are your own |",
        "| AWS ECS Fargate | 50 to 300, by usage | the database and the cache are not in it |",
        "| Google Cloud Run | 10 to 200, light loads | workers and beat must never scale to zero, WebSockets are cut |",
        "| managed Kubernetes | 200 to 1000 and more | |",
        "",
        "It advises small teams to start on a VPS (about $50 for 4 cores and 8 GB) and to move to Kubernetes beyond three to",
        "five replicas. That is sound: the least of the three sizes buys two or three zones for everything, not speed.",
        "",
    ].join("\n");
}

function nodesOf({ aws }: Stack): string {
    const nodes = aws?.cluster.kind === "new" && aws.cluster.nodes.kind === "managed" ? aws.cluster.nodes : undefined;
    return nodes === undefined ? "" : `${nodes.minNodes} x ${nodes.instanceTypes.join(", ")}`;
}

/** Cores (thousandths) and MiB that a node leaves to pods, after the system and the kubelet's reserve. */
const nodeSizes: Readonly<Record<string, { readonly cpuMillis: number; readonly memoryMiB: number }>> = {
    "t4g.large": { cpuMillis: 1780, memoryMiB: 6800 },
    "m7g.xlarge": { cpuMillis: 3770, memoryMiB: 14_500 },
};

/** What the most nodes leave over once every workload is at its peak; negative when it does not fit. */
export function spareAtPeak(stack: Stack): { readonly cpuMillis: number; readonly memoryMiB: number } {
    const nodes =
        stack.aws?.cluster.kind === "new" && stack.aws.cluster.nodes.kind === "managed"
            ? stack.aws.cluster.nodes
            : undefined;
    const size = nodeSizes[nodes?.instanceTypes[0] ?? ""];
    if (nodes === undefined || size === undefined) throw new Error("no managed nodes of a known size");
    const { need } = quotaOf(stack);
    return {
        cpuMillis: nodes.maxNodes * size.cpuMillis - need.cpuRequestMillis,
        memoryMiB: nodes.maxNodes * size.memoryMiB - need.memoryRequestMiB,
    };
}
