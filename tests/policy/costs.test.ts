/** The estimate, its prices, and the two rules that use it. */
import { describe, expect, test } from "vitest";

import { declaredBudgetUsd, estimate } from "../../policies/cost.ts";
import { findings } from "../../policies/findings.ts";
import { policyPack } from "../../policies/pack.ts";
import * as list from "../../policies/price-list.ts";
import { groups, priceOf, regions } from "../../policies/prices.ts";
import { contentsOf } from "../../policies/read.ts";
import { regionOf } from "../../policies/region.ts";
import type { Resource } from "../../policies/rule.ts";
import { rules } from "../../policies/table.ts";
import { UNKNOWN } from "../../policies/values.ts";

const resource = (type: string, name: string, props: object, provider?: object): Resource => ({
    type: `aws:${type}`,
    ...{ name, urn: `urn:pulumi:prod::shop::aws:${type}::${name}`, props: { ...props } },
    provider: provider === undefined ? undefined : { ...provider },
});
const database = (props: object, provider?: object): Resource =>
    resource(
        "rds/instance:Instance",
        "db",
        { instanceClass: "db.t4g.medium", allocatedStorage: 50, ...props },
        provider,
    );
const usd = (...resources: readonly Resource[]): number => estimate(resources).totalUsd;

describe("prices", () => {
    test("every instance has a price in at least one region, and all prices are positive", () => {
        for (const [type, prices] of Object.entries(list.hourly)) {
            expect(prices, type).toHaveLength(regions.length);
            const given = prices.filter((price) => price !== null);
            expect(given.length, type).toBeGreaterThan(0);
            for (const price of given) expect(price, type).toBeGreaterThan(0);
        }
    });

    test("a price has one group, with its source and a date in the past", () => {
        const seen = new Set<string>();
        for (const { usd: prices, source, asOf } of groups) {
            expect(source).not.toBe("");
            expect(new Date(asOf).toISOString()).toMatch(new RegExp(`^${asOf}`));
            expect(Date.parse(asOf)).toBeLessThan(Date.now());
            for (const [item, price] of Object.entries(prices)) {
                const priced = typeof price === "number" ? { everywhere: price } : price;
                for (const [region, each] of Object.entries(priced)) {
                    expect(each, item).toBeGreaterThan(0);
                    expect(seen.has(`${item} ${region}`), `${item} ${region}`).toBe(false);
                    seen.add(`${item} ${region}`);
                }
            }
        }
        expect(list.asOf).toMatch(/^20\d\d-\d\d-\d\d$/);
    });

    test.each(regions)("%s has the prices of what every stack on AWS needs", (region) => {
        for (const item of ["t4g.large", "db.t4g.medium", "cache.t4g.small", "nat gateway", "eks cluster", "kms key"])
            expect(priceOf(item, region)?.usd, item).toBeGreaterThan(0);
    });

    // Why prices.ts borrows the price of their storage.
    test("database instances cost the same in us-east-1, us-east-2 and us-west-2", () => {
        for (const [type, prices] of Object.entries(list.hourly)) {
            if (!type.startsWith("db.")) continue;
            const [first, ...others] = ["us-east-1", "us-east-2", "us-west-2"].map(
                (name) => prices[regions.findIndex((region) => region === name)],
            );
            for (const other of others) expect(other ?? first, type).toBe(first);
        }
    });

    test("extended support costs six times the standard price", () => {
        const [standard, extended] = ["eks cluster", "eks cluster, extended support"].map((item) =>
            priceOf(item, undefined),
        );
        expect(extended?.usd).toBeCloseTo(6 * (standard?.usd ?? 0), 10);
    });

    test("no price is taken from the members of an object, or from a region that is not in the list", () => {
        for (const item of ["constructor", "__proto__", "toString"])
            expect(priceOf(item, "eu-central-1")).toBeUndefined();
        for (const region of ["constructor", "__proto__", "length", "mars-1", undefined])
            expect(priceOf("m7g.large", region), region).toBeUndefined();
    });
});

describe("the region of a resource", () => {
    test.each<[string, object, object | undefined, string | undefined]>([
        ["its provider's", {}, { region: "eu-central-1" }, "eu-central-1"],
        ["its own first", { region: "eu-west-1" }, { region: "eu-central-1" }, "eu-west-1"],
        ["its zone's", { availabilityZone: "ap-southeast-2b" }, undefined, "ap-southeast-2"],
        ["its ARN's", { arn: "arn:aws:rds:sa-east-1:111122223333:db:db" }, undefined, "sa-east-1"],
        ["none of a global service's ARN", { arn: "arn:aws:iam::111122223333:role/r" }, undefined, undefined],
        ["none of a local zone", { availabilityZone: "us-west-2-lax-1a" }, undefined, undefined],
        ["none while it is unknown", { region: UNKNOWN }, undefined, undefined],
    ])("is %s", (_, props, provider, region) => {
        expect(regionOf(database(props, provider))).toBe(region);
    });
});

describe("the estimate", () => {
    test("adds up the prices of the region, and names what it cannot price", () => {
        const there = { region: "eu-central-1" };
        const {
            totalUsd,
            unpriced,
            regions: of,
        } = estimate([
            database({ multiAz: true }, there),
            database({ instanceClass: "db.x9.mega" }, there),
            resource("eks/cluster:Cluster", "k", {}, there),
        ]);
        // Two zones of 0.074 $/h, three times 50 GiB at 0.137 $, and the cluster at 0.10 $/h.
        expect(totalUsd).toBeCloseTo(0.074 * 730 * 2 + 50 * 0.137 * 3 + 73, 6);
        expect(unpriced).toEqual(['Instance "db" (db.x9.mega in eu-central-1)']);
        expect(of).toEqual(["eu-central-1"]);
    });

    test("names the IOPS of a database that are paid for beside its disk", () => {
        const there = { region: "eu-central-1" };
        const unpriced = (props: Record<string, unknown>) => estimate([database(props, there)]).unpriced;
        expect(unpriced({ storageType: "gp3", allocatedStorage: 100, iops: 3000 })).toEqual([]);
        expect(unpriced({ storageType: "gp3", allocatedStorage: 400, iops: 12_000 })).toEqual([]);
        const named = ['Instance "db" (rds provisioned IOPS in eu-central-1)'];
        expect(unpriced({ storageType: "gp3", allocatedStorage: 400, iops: 12_001 })).toEqual(named);
        expect(unpriced({ storageType: "io2", allocatedStorage: 400, iops: 1000 })).toEqual(named);
        const cluster = { dbClusterInstanceClass: "db.m7g.large", storageType: "gp3", allocatedStorage: 400 };
        const inCluster = (iops: number) =>
            estimate([resource("rds/cluster:Cluster", "db", { ...cluster, iops }, there)]).unpriced;
        expect(inCluster(12_000)).toEqual([]);
        expect(inCluster(20_000)).toEqual(['Cluster "db" (rds provisioned IOPS in eu-central-1)']);
    });

    test("prices each resource in its own region", () => {
        const [paulo, ireland] = [database({}, { region: "us-east-1" }), database({}, { region: "ap-northeast-1" })];
        const both = estimate([paulo, ireland]);
        expect(both.totalUsd).toBeCloseTo(0.065 * 730 + 50 * 0.115 + 0.101 * 730 + 50 * 0.138, 6);
        expect(both.regions).toEqual(["ap-northeast-1", "us-east-1"]);
    });

    test("takes the region of the other resources where one has none, if they have only one", () => {
        const [here, there] = ["eu-west-1", "eu-west-2"].map((region) => database({ region }));
        if (here === undefined || there === undefined) throw new Error("two databases");
        expect(usd(here, database({}))).toBeCloseTo(2 * usd(here), 6);
        expect(estimate([here, there, database({})]).unpriced).toEqual([
            'Instance "db" (db.t4g.medium, region unknown, rds gp3 GiB, region unknown)',
        ]);
    });

    test.each([
        [
            "a region outside the list",
            "mars-north-1",
            0,
            ["db.t4g.medium in mars-north-1", "rds gp3 GiB in mars-north-1"],
        ],
        ["a region without one price", "ap-southeast-2", 0.102 * 730, ["rds gp3 GiB in ap-southeast-2"]],
    ])("%s is named, and not priced as another", (_, region, known, missing) => {
        const { totalUsd, unpriced, borrowed } = estimate([database({ region })]);
        expect(totalUsd).toBeCloseTo(known, 6);
        expect(unpriced).toEqual([`Instance "db" (${missing.join(", ")})`]);
        expect(borrowed).toEqual([]);
    });

    test("a price of another region is marked as such", () => {
        const { totalUsd, borrowed } = estimate([database({ region: "us-west-2" })]);
        expect(totalUsd).toBeCloseTo(0.065 * 730 + 50 * 0.115, 6);
        expect(borrowed).toEqual(["rds gp3 GiB in us-west-2 as in us-east-1"]);
    });

    test("values that are unknown in a preview are not named", () => {
        const { unpriced } = estimate([database({ instanceClass: UNKNOWN, region: "eu-central-1" })]);
        expect(unpriced).toEqual([]);
    });

    test.each([
        ["1.31", undefined, 438],
        ["1.33", undefined, 438],
        ["1.33", "EXTENDED", 438],
        // AWS upgrades it instead.
        ["1.33", "STANDARD", 73],
        ["1.24", undefined, 438],
        ["1.35", undefined, 73],
        ["1.99", undefined, 73],
        [undefined, undefined, 73],
        [UNKNOWN, undefined, 73],
    ])("a cluster of version %s with support %s costs %d", (version, supportType, monthly) => {
        const upgradePolicy = supportType === undefined ? undefined : { supportType };
        expect(usd(resource("eks/cluster:Cluster", "k", { version, upgradePolicy }))).toBeCloseTo(monthly, 6);
    });

    test.each<[string, object, object[], number]>([
        ["of its own", { diskSize: 30 }, [], 30],
        ["of its launch template", { launchTemplate: { id: UNKNOWN } }, [{ volumeSize: 50 }], 50],
        [
            "of its launch template, the second too",
            { launchTemplate: {} },
            [{ volumeSize: 50 }, { volumeSize: 100 }],
            150,
        ],
        ["that EKS gives it", { launchTemplate: {} }, [], 20],
        ["that EKS gives it beside another group's template", {}, [{ volumeSize: 50 }], 20],
    ])("nodes are paid for with the disk %s", (_, given, disks, diskGiB) => {
        const there = { region: "eu-central-1" };
        const blockDeviceMappings = disks.map((ebs) => ({ ebs }));
        const template = resource("ec2/launchTemplate:LaunchTemplate", "t", { blockDeviceMappings }, there);
        const group = { instanceTypes: ["t4g.large"], scalingConfig: { desiredSize: 3 }, ...given };
        const nodes = 3 * (priceOf("t4g.large", "eu-central-1")?.usd ?? 0) * 730;
        const total = usd(template, resource("eks/nodeGroup:NodeGroup", "g", group, there));
        expect(total - nodes).toBeCloseTo(3 * diskGiB * 0.0952, 6);
    });

    test("a cache of Valkey costs a fifth less", () => {
        const group = (engine: string): number =>
            usd(
                resource("elasticache/replicationGroup:ReplicationGroup", "c", {
                    ...{ engine, nodeType: "cache.t4g.small", numCacheClusters: 2, region: "us-east-1" },
                }),
            );
        expect(group("redis")).toBeCloseTo(0.032 * 730 * 2);
        expect(group("valkey")).toBeCloseTo(0.032 * 730 * 2 * 0.8);
    });
});

describe("the rules", () => {
    const large = database({ instanceClass: "db.r6g.xlarge", region: "eu-central-1" });
    const budget = (limitAmount: string): Resource =>
        resource("budgets/budget:Budget", "b", {
            budgetType: "COST",
            timeUnit: "MONTHLY",
            limitUnit: "USD",
            limitAmount,
        });
    const costs = (resources: readonly Resource[], config: object = {}): readonly string[] =>
        findings(
            resources.map((each) => ({ file: "f", line: 1, resource: each })),
            rules.filter(({ name }) => name.startsWith("monthly-cost")),
            { config },
        ).map(({ rule, level }) => `${rule} ${level}`);

    test("both rules share one estimate, and another stack gets its own", () => {
        const stack = [resource("eks/cluster:Cluster", "k", { version: "1.37", region: "eu-central-1" })];
        const again = stack.map((each) => ({ ...each, sources: {} }));
        expect(estimate(again)).toBe(estimate(stack));
        const other = [resource("ec2/natGateway:NatGateway", "n", { region: "eu-central-1" })];
        expect(estimate(other).totalUsd).not.toBe(estimate(stack).totalUsd);
        expect(estimate([...stack, ...other]).totalUsd).toBeGreaterThan(estimate(stack).totalUsd);
    });

    test("without a budget there is an estimate, which is advisory", () => {
        expect(costs([large])).toEqual(["monthly-cost-estimate advisory"]);
        expect(costs([large], { "monthly-cost-estimate": { fromUsd: 10_000 } })).toEqual([]);
        expect(costs([database({ region: "eu-central-1" })])).toEqual([]);
    });

    test("a budget in the pack's config is mandatory and replaces the estimate", () => {
        expect(costs([large], { "monthly-cost-within-budget": { budgetUsd: 100 } })).toEqual([
            "monthly-cost-within-budget mandatory",
        ]);
        expect(costs([large], { "monthly-cost-within-budget": { budgetUsd: 10_000 } })).toEqual([]);
    });

    test("so is the stack's own budget", () => {
        expect(declaredBudgetUsd([budget("300")])).toBe(300);
        expect(declaredBudgetUsd([budget("many")])).toBe(0);
        const unknown = { ...budget("300"), props: { ...budget("300").props, limitAmount: UNKNOWN } };
        expect(declaredBudgetUsd([unknown])).toBeUndefined();
        expect(costs([large, unknown])).toEqual([]);
        expect(costs([large, budget("100")])).toEqual(["monthly-cost-within-budget mandatory"]);
        expect(costs([large, budget("10000")])).toEqual([]);
        expect(costs([database({ region: "mars-1" }), budget("10000")])).toEqual(["monthly-cost-estimate advisory"]);
    });

    test("an export of a stack has the region of its provider", () => {
        const provider = "urn:pulumi:prod::shop::pulumi:providers:aws::aws";
        const { type, urn, props: inputs } = database({ instanceClass: "db.r6g.xlarge" });
        const resources = [
            { urn: provider, type: "pulumi:providers:aws", inputs: { region: "eu-north-1" } },
            { urn, type, inputs, provider: `${provider}::11111111-2222-3333-4444-555555555555` },
        ];
        const { located } = contentsOf(JSON.stringify({ deployment: { resources } }), "f");
        const found = findings(located, rules, { config: { "monthly-cost-within-budget": { budgetUsd: 300 } } });
        const said = found.filter(({ rule }) => rule === "monthly-cost-within-budget").map(({ message }) => message);
        expect(said[0]).toContain("of $300 a month at list prices of eu-north-1");
        expect(said[1]).toContain('There is no price for Instance "db" (rds gp3 GiB in eu-north-1)');
    });

    test("the SDK gets the levels: one rule that only reports, and one that blocks", () => {
        const { policies } = policyPack(rules, () => undefined);
        const levels = policies.map(({ name, enforcementLevel }) => [name, enforcementLevel]);
        expect(levels).toContainEqual(["monthly-cost-estimate", "advisory"]);
        expect(levels).toContainEqual(["monthly-cost-within-budget", "mandatory"]);
    });
});
