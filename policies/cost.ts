/** What a stack costs a month by prices.ts. Resources without a price are named, not guessed. */
import { called } from "./aws.ts";
import { hoursPerMonth, priceOf, valkeyShare } from "./prices.ts";
import { regionOf, soleRegion } from "./region.ts";
import type { Resource } from "./rule.ts";
import { supportOf } from "./support.ts";
import { at, holdsUnknown, list, number, strings, text } from "./values.ts";

export interface CostLine {
    readonly what: string;
    /** USD a month. */
    readonly usd: number;
}

export interface Estimate {
    readonly totalUsd: number;
    readonly lines: readonly CostLine[];
    /** The regions whose prices are in it. */
    readonly regions: readonly string[];
    /** What of a priced type has no price here, and where. What is not known yet is not among it. */
    readonly unpriced: readonly string[];
    /** Prices of other regions, and what they stand for. */
    readonly borrowed: readonly string[];
}

/** So many of an item of prices.ts, for a month. Undefined where the resource does not say which or how many. */
interface Part {
    readonly item: string | undefined;
    readonly count: number | undefined;
}

const one = (item: string | undefined, count: number | undefined = 1): Part => ({ item, count });

function isPastStandardSupport(version: string | undefined): boolean {
    return version !== undefined && supportOf("eks", version).kind === "ended";
}

/** What RDS charges for a disk's IOPS, which have no price here: gp3 includes some of them, the other types none. */
function iopsOf(props: unknown, storageGiB: number, copies: number): readonly Part[] {
    const included = at(props, "storageType") !== "gp3" ? 0 : storageGiB < 400 ? 3000 : 12_000;
    const beyond = (number(at(props, "iops")) ?? 0) - included;
    return beyond <= 0 ? [] : [one("rds provisioned IOPS", beyond * copies)];
}

/** The disks of a launch template, GiB. */
function diskGiBOf({ props }: Resource): number {
    const disks = list(at(props, "blockDeviceMappings")).map((each) => number(at(each, "ebs", "volumeSize")) ?? 0);
    return disks.reduce((total, each) => total + each, 0);
}

/**
 * The disks of a node, GiB. A preview does not know yet which template a group is of: the largest of the stack's. Where nothing says
 * it, EKS takes 20.
 */
function nodeDiskGiB(props: unknown, stack: readonly Resource[]): number {
    const own = number(at(props, "diskSize"));
    const templates =
        at(props, "launchTemplate") === undefined
            ? []
            : stack.filter(({ type }) => type === "aws:ec2/launchTemplate:LaunchTemplate").map(diskGiBOf);
    return own ?? (Math.max(0, ...templates) || 20);
}

/** What is paid for in a resource of each type; the others of its stack are its second argument. */
const partsOf: Readonly<Record<string, (resource: Resource, stack: readonly Resource[]) => readonly Part[]>> = {
    "aws:eks/cluster:Cluster": ({ props }) => [
        // With support type STANDARD, AWS upgrades the cluster when standard support ends.
        one(
            isPastStandardSupport(text(at(props, "version"))) &&
                at(props, "upgradePolicy", "supportType") !== "STANDARD"
                ? "eks cluster, extended support"
                : "eks cluster",
        ),
    ],
    "aws:ec2/natGateway:NatGateway": () => [one("nat gateway")],
    "aws:lb/loadBalancer:LoadBalancer": () => [one("load balancer")],
    "aws:ec2/eip:Eip": () => [one("public ipv4")],
    "aws:ec2/instance:Instance": ({ props }) => [one(text(at(props, "instanceType")))],
    "aws:eks/nodeGroup:NodeGroup": ({ props }, stack) => {
        const count = number(at(props, "scalingConfig", "desiredSize"));
        const diskGiB = nodeDiskGiB(props, stack);
        // EKS takes t3.medium where neither the group nor its launch template says.
        const usual = at(props, "launchTemplate") === undefined ? "t3.medium" : undefined;
        const type = strings(at(props, "instanceTypes"))[0] ?? usual;
        return [one(type, count), one("gp3 GiB", count === undefined ? undefined : count * diskGiB)];
    },
    "aws:ebs/volume:Volume": ({ props }) => [one("gp3 GiB", number(at(props, "size")))],
    "aws:rds/instance:Instance": ({ props }) => {
        const zones = at(props, "multiAz") === true ? 2 : 1;
        const storageGiB = number(at(props, "allocatedStorage")) ?? 20;
        return [
            one(text(at(props, "instanceClass")), zones),
            one("rds gp3 GiB", storageGiB * zones),
            ...iopsOf(props, storageGiB, zones),
        ];
    },
    // A Multi-AZ cluster: a writer and two readable standbys, each with its own storage. Aurora's are ClusterInstances.
    "aws:rds/cluster:Cluster": ({ props }) => {
        const size = text(at(props, "dbClusterInstanceClass"));
        const storageGiB = number(at(props, "allocatedStorage")) ?? 0;
        return size === undefined
            ? []
            : [one(size, 3), one("rds gp3 GiB", storageGiB * 3), ...iopsOf(props, storageGiB, 3)];
    },
    "aws:rds/clusterInstance:ClusterInstance": ({ props }) => [one(text(at(props, "instanceClass")))],
    "aws:elasticache/replicationGroup:ReplicationGroup": ({ props }) => {
        const shards = number(at(props, "numNodeGroups")) ?? 1;
        const perShard = (number(at(props, "replicasPerNodeGroup")) ?? 0) + 1;
        const nodes = number(at(props, "numCacheClusters")) ?? shards * perShard;
        return [one(text(at(props, "nodeType")), nodes * (at(props, "engine") === "valkey" ? valkeyShare : 1))];
    },
    "aws:kms/key:Key": () => [one("kms key")],
    "aws:secretsmanager/secret:Secret": () => [one("secret")],
    "aws:route53/zone:Zone": () => [one("hosted zone")],
};

/** The types that have a price. */
export const pricedTypes: readonly string[] = Object.keys(partsOf);

/** The properties that the prices go by. */
const sizes = [
    ...["instanceType", "instanceTypes", "instanceClass", "dbClusterInstanceClass", "nodeType"],
    ...["size", "scalingConfig", "region", "availabilityZone", "arn"],
];

/** Whether a preview does not know yet what the price goes by. */
function notYetKnown({ props, provider }: Resource): boolean {
    return sizes.some((key) => holdsUnknown(at(props, key))) || holdsUnknown(at(provider, "region"));
}

interface Priced {
    readonly usd: number;
    readonly unpriced: readonly string[];
    readonly borrowed: readonly string[];
}

function priced(parts: readonly Part[], region: string | undefined): Priced {
    const unpriced: string[] = [];
    const borrowed: string[] = [];
    let usd = 0;
    for (const { item, count } of parts) {
        const price = item === undefined ? undefined : priceOf(item, region);
        if (count === undefined || price === undefined) {
            unpriced.push(
                region === undefined ? `${item ?? "no size"}, region unknown` : `${item ?? "no size"} in ${region}`,
            );
            continue;
        }
        usd += price.usd * count * (price.per === "hour" ? hoursPerMonth : 1);
        if (price.of !== undefined) borrowed.push(`${item ?? ""} in ${region ?? ""} as in ${price.of}`);
    }
    return { usd, unpriced, borrowed };
}

let last: { readonly resources: readonly Resource[]; readonly estimate: Estimate } | undefined;

/** Whether two lists have the same inputs: each stack rule gets its own list. */
function sameInputs(some: readonly Resource[], others: readonly Resource[]): boolean {
    return (
        some.length === others.length &&
        some.every(({ urn, props, provider }, index) => {
            const other = others[index];
            return urn === other?.urn && props === other.props && provider === other.provider;
        })
    );
}

/**
 * Estimates the resources that have a price; the cluster's own objects run on nodes that are counted once. Both cost rules
 * use it, and the second gets the first one's result.
 */
export function estimate(resources: readonly Resource[]): Estimate {
    if (last === undefined || !sameInputs(last.resources, resources)) {
        last = { resources, estimate: estimated(resources) };
    }
    return last.estimate;
}

function estimated(resources: readonly Resource[]): Estimate {
    const sole = soleRegion(resources);
    const lines: CostLine[] = [];
    const unpriced: string[] = [];
    const borrowed = new Set<string>();
    const regions = new Set<string>();
    for (const resource of resources) {
        const parts = Object.hasOwn(partsOf, resource.type) ? partsOf[resource.type]?.(resource, resources) : undefined;
        if (parts === undefined) continue;
        const region = regionOf(resource) ?? sole;
        if (region !== undefined) regions.add(region);
        const found = priced(parts, region);
        if (found.usd > 0) lines.push({ what: called(resource), usd: found.usd });
        for (const each of found.borrowed) borrowed.add(each);
        if (found.unpriced.length > 0 && !notYetKnown(resource))
            unpriced.push(`${called(resource)} (${found.unpriced.join(", ")})`);
    }
    const totalUsd = lines.reduce((total, line) => total + line.usd, 0);
    return { totalUsd, lines, regions: [...regions].sort(), unpriced, borrowed: [...borrowed] };
}

/** `at list prices of eu-central-1 (most: Cluster "k" $73)`, and what is not in the sum or not of the region. */
export function worded({ lines, regions, unpriced, borrowed }: Estimate): string {
    const most = [...lines].sort((a, b) => b.usd - a.usd).slice(0, 3);
    const top = most.map(({ what, usd }) => `${what} $${usd.toFixed(0)}`).join(", ");
    const where = regions.length === 0 ? "" : ` of ${regions.join(" and ")}`;
    const notes = [
        `most: ${top}`,
        ...(borrowed.length === 0 ? [] : [`priced as elsewhere: ${borrowed.join(", ")}`]),
        ...(unpriced.length === 0 ? [] : [`without a price: ${unpriced.join(", ")}`]),
    ];
    return `at list prices${where} (${notes.join("; ")})`;
}

/** The stack's own budget of AWS, in USD a month: 0 where it declares none, undefined while a preview does not know. */
export function declaredBudgetUsd(resources: readonly Resource[]): number | undefined {
    const budgets = resources.filter(({ type }) => type === "aws:budgets/budget:Budget").map(({ props }) => props);
    const wanted = { budgetType: "COST", timeUnit: "MONTHLY", limitUnit: "USD" };
    const monthly = budgets.filter((props) => Object.entries(wanted).every(([key, value]) => at(props, key) === value));
    if (monthly.length > 0) {
        const amounts = monthly.map((props) => at(props, "limitAmount"));
        return amounts.some(holdsUnknown)
            ? undefined
            : amounts.reduce<number>((sum, amount) => sum + (Number(text(amount)) || 0), 0);
    }
    const keys = [...Object.keys(wanted), "limitAmount"];
    return budgets.some((props) => keys.some((key) => holdsUnknown(at(props, key)))) ? undefined : 0;
}
