/** docs/costs.md, from the examples and the policy pack's own estimate: `npm run docs` writes it. */
import { quotaOf } from "../components/cluster/capacity.plan";
import type { Stack } from "../components/config/schema";
import { estimate } from "../policies/cost";
import * as list from "../policies/price-list";
import { borrowed, groups, priceOf, regions } from "../policies/prices";
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
const balancer: Resource = { type: "aws:lb/loadBalancer:LoadBalancer", name: "entrance", urn: "entrance", props: {} };

/** The same resources in another region. */
export function movedTo(region: string, resources: readonly Resource[]): readonly Resource[] {
    return resources.map((each) =>
        each.type.startsWith("aws:") ? { ...each, props: { ...each.props, region } } : each,
    );
}

const usd = (value: number): string => `$${value.toFixed(0)}`;
const row = (what: string, cells: readonly string[]): string => `| ${[what, ...cells].join(" | ")} |`;

/** What has its own price in each region, instances apart; and what costs the same in all. */
const items = [...new Set(groups.flatMap((group) => Object.keys(group.usd)))];
const regional = items.filter((item) => priceOf(item, undefined) === undefined);
const global = items.filter((item) => !regional.includes(item));

function regionTable(): readonly string[] {
    const cell = (item: string, region: string): string => {
        const price = priceOf(item, region);
        return price === undefined ? "none" : `${String(price.usd)}${price.of === undefined ? "" : "*"}`;
    };
    return [
        row(
            "USD",
            regional.map((item) => `${item}, ${priceOf(item, "us-east-1")?.per ?? ""}`),
        ),
        row(
            "---",
            regional.map(() => "---:"),
        ),
        ...regions.map((region) =>
            row(
                region,
                regional.map((item) => cell(item, region)),
            ),
        ),
    ];
}

/** What each stack comes to in each region; a mark where something in it has no price there. */
function elsewhere(sized: readonly Sized[]): readonly string[] {
    const cell = (region: string, resources: readonly Resource[]): string => {
        const { totalUsd, unpriced } = estimate(movedTo(region, [...resources, balancer]));
        return unpriced.length === 0 ? usd(totalUsd) : `more than ${usd(totalUsd)}`;
    };
    return [
        row(
            "USD a month",
            sized.map(({ size }) => size),
        ),
        row(
            "---",
            sized.map(() => "---:"),
        ),
        ...regions.map((region) =>
            row(
                region,
                sized.map(({ resources }) => cell(region, resources)),
            ),
        ),
    ];
}

/** The whole text. */
export function costsDoc(sized: readonly Sized[]): string {
    const estimates = sized.map(({ resources }) => estimate(resources));
    const balancers = estimates.map(({ regions: [region = ""] }) => estimate(movedTo(region, [balancer])).totalUsd);
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
        "Generated from examples/prod-*.yaml, policies/prices.ts and policies/price-list.ts by `npm run docs`; change it there.",
        "",
        "On-demand list prices of the region that each example names, USD a month. Not in it: traffic, log and backup storage,",
        "snapshots, S3, images in ECR, metrics and alarms, messages of SNS, nodes of EKS Auto Mode, IOPS that a database's disk does not include,",
        "the first two yearly rotations of a KMS key (the price of a key each), taxes; nor discounts.",
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
            "region",
            estimates.map((each) => each.regions.join(", ")),
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
        row("load balancer of the ingress controller", balancers.map(usd)),
        row(
            "**all**",
            estimates.map(({ totalUsd }, index) => `**${usd(totalUsd + (balancers[index] ?? 0))}**`),
        ),
        "",
        "The figures are those that the policy pack holds against a budget (`monthly-cost-within-budget`), at the fewest",
        "nodes; a stack that scales to its most nodes pays for them.",
        "",
        "## The same stacks in other regions",
        "",
        'With the load balancer. "more than": the region has no price here for something in the stack, which the policy pack names.',
        "",
        ...elsewhere(sized),
        "",
        "## The prices",
        "",
        `Instances of EC2, RDS for PostgreSQL and ElastiCache are in policies/price-list.ts, which \`npm run prices\` writes from`,
        `the ${list.source},`,
        `of ${list.asOf}. Those of us-east-1 were compared with AWS's later prices: EC2 of 2026-07-20 (129`,
        "types, in Karpenter 1.15.2), RDS of 2026-04 (10 types) and ElastiCache of 2026-10-02 (9); all are the same. ElastiCache for Valkey costs a fifth less than Redis OSS, and is",
        "counted so. EKS in extended support costs six times the standard price.",
        "",
        ...regionTable(),
        "",
        ...Object.entries(borrowed).map(
            ([item, from]) =>
                `*: no source has a price for ${item} there. It is counted as in ${[...new Set(Object.values(from))].join(", ")}, as database instances cost the same in them, and the policy pack says so.`,
        ),
        "",
        row("in every region", ["USD"]),
        row("---", ["---:"]),
        ...global.map((item) => {
            const price = priceOf(item, undefined);
            return row(`${item}, ${price?.per ?? ""}`, [String(price?.usd ?? "")]);
        }),
        "",
        row("prices of", ["as of", "source"]),
        row("---", ["---", "---"]),
        ...groups.map(({ usd: prices, asOf, source }) => row(Object.keys(prices).join(", "), [asOf, source])),
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
