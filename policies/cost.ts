/** What a stack costs a month by prices.ts. Resources without a price are named, not guessed. */
import { called } from "./aws.ts";
import { hourly, hoursPerMonth, monthly, valkeyShare } from "./prices.ts";
import type { Resource } from "./rule.ts";
import { at, holdsUnknown, number, strings, text } from "./values.ts";

export interface CostLine {
    readonly what: string;
    /** USD a month. */
    readonly usd: number;
}

export interface Estimate {
    readonly totalUsd: number;
    readonly lines: readonly CostLine[];
    /** Resources of a priced type whose size has no price here. One that is not known yet is not among them. */
    readonly unpriced: readonly string[];
}

function perMonth(item: string | undefined, count = 1): number | undefined {
    const price = item === undefined || !Object.hasOwn(hourly, item) ? undefined : hourly[item];
    return price === undefined ? undefined : price * hoursPerMonth * count;
}

/** Sum, or undefined when a part has no price. */
function sum(...parts: readonly (number | undefined)[]): number | undefined {
    return parts.reduce((total, part) => (total === undefined || part === undefined ? undefined : total + part), 0);
}

/** The monthly price of each type that has one. */
const priced: Readonly<Record<string, (resource: Resource) => number | undefined>> = {
    "aws:eks/cluster:Cluster": () => perMonth("eks cluster"),
    "aws:ec2/natGateway:NatGateway": () => perMonth("nat gateway"),
    "aws:lb/loadBalancer:LoadBalancer": () => perMonth("load balancer"),
    "aws:ec2/eip:Eip": () => perMonth("public ipv4"),
    "aws:ec2/instance:Instance": ({ props }) => perMonth(text(at(props, "instanceType"))),
    "aws:eks/nodeGroup:NodeGroup": ({ props }) => {
        const count = number(at(props, "scalingConfig", "desiredSize"));
        const disk = (number(at(props, "diskSize")) ?? 20) * (monthly["gp3 GiB"] ?? 0);
        // EKS takes t3.medium where neither the group nor its launch template says.
        const usual = at(props, "launchTemplate") === undefined ? "t3.medium" : undefined;
        const node = sum(perMonth(strings(at(props, "instanceTypes"))[0] ?? usual), disk);
        return count === undefined || node === undefined ? undefined : count * node;
    },
    "aws:ebs/volume:Volume": ({ props }) => {
        const size = number(at(props, "size"));
        return size === undefined ? undefined : size * (monthly["gp3 GiB"] ?? 0);
    },
    "aws:rds/instance:Instance": ({ props }) => {
        const zones = at(props, "multiAz") === true ? 2 : 1;
        const storage = (number(at(props, "allocatedStorage")) ?? 20) * (monthly["rds gp3 GiB"] ?? 0) * zones;
        return sum(perMonth(text(at(props, "instanceClass")), zones), storage);
    },
    // A Multi-AZ cluster: a writer and two readable standbys, each with its own storage. Aurora's are ClusterInstances.
    "aws:rds/cluster:Cluster": ({ props }) => {
        const size = text(at(props, "dbClusterInstanceClass"));
        const storage = (number(at(props, "allocatedStorage")) ?? 0) * (monthly["rds gp3 GiB"] ?? 0) * 3;
        return size === undefined ? 0 : sum(perMonth(size, 3), storage);
    },
    "aws:rds/clusterInstance:ClusterInstance": ({ props }) => perMonth(text(at(props, "instanceClass"))),
    "aws:elasticache/replicationGroup:ReplicationGroup": ({ props }) => {
        const shards = number(at(props, "numNodeGroups")) ?? 1;
        const perShard = (number(at(props, "replicasPerNodeGroup")) ?? 0) + 1;
        const nodes = number(at(props, "numCacheClusters")) ?? shards * perShard;
        return perMonth(text(at(props, "nodeType")), nodes * (at(props, "engine") === "valkey" ? valkeyShare : 1));
    },
    "aws:kms/key:Key": () => monthly["kms key"],
    "aws:secretsmanager/secret:Secret": () => monthly["secret"],
    "aws:route53/zone:Zone": () => monthly["hosted zone"],
};

/** The properties that the prices go by. */
const sizes = [
    ...["instanceType", "instanceTypes", "instanceClass", "dbClusterInstanceClass", "nodeType"],
    ...["size", "scalingConfig"],
];

/** Estimates the resources that have a price; the cluster's own objects run on nodes that are counted once. */
export function estimate(resources: readonly Resource[]): Estimate {
    const lines: CostLine[] = [];
    const unpriced: string[] = [];
    for (const resource of resources) {
        const price = Object.hasOwn(priced, resource.type) ? priced[resource.type] : undefined;
        if (price === undefined) continue;
        const usd = price(resource);
        if (usd !== undefined) lines.push({ what: called(resource), usd });
        else if (!sizes.some((key) => holdsUnknown(at(resource.props, key)))) unpriced.push(called(resource));
    }
    return { totalUsd: lines.reduce((total, line) => total + line.usd, 0), lines, unpriced };
}
