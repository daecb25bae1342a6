import { beforeAll, describe, expect, it } from "vitest";
import { parseStack } from "../../components/stack/read";
import { estimate, pricedTypes } from "../../policies/cost";
import { everythingNew, exampleOf, measured, plain, sizes } from "../aws-programs";
import { costsDoc, movedTo, spareAtPeak, type Sized } from "../costs-doc";
import { runBoth, type Run } from "../harness";
import { byUse, free, uncounted } from "../paid-types";

async function sizedOf(size: (typeof sizes)[number]): Promise<Sized> {
    const settings = exampleOf(size);
    const { stack, problems } = parseStack({ stack: "prod", keys: [], json: JSON.stringify(settings), secret: false });
    if (stack === undefined || problems.length > 0) throw new Error(JSON.stringify(problems));
    const { resources } = await runBoth({ stack: "prod", settings });
    return {
        size,
        stack,
        resources: resources.map(({ type, name, inputs, options }) => ({
            type,
            name,
            urn: options.urn,
            props: plain(inputs),
        })),
    };
}

it("nothing that costs money is left out of the estimate unsaid", async () => {
    const found: Run["resources"][number][] = [];
    for (const settings of [everythingNew, measured, ...sizes.map((size) => exampleOf(size))]) {
        const { resources } = await runBoth({ stack: "prod", settings });
        found.push(...resources.filter(({ type }) => type.startsWith("aws:")));
    }
    const rest = found.filter(({ type }) => !pricedTypes.includes(type));
    const names = rest.map(({ type }) => type.replace(/^aws:(\w+)\/\w+:/, "$1/"));
    // A type that is new here: give it a price in policies/cost.ts, or say which of the two it is.
    expect([...new Set(names)].sort()).toEqual([...byUse, ...free].sort());
    const priced = found.filter(({ type }) => pricedTypes.includes(type));
    expect(priced.flatMap(({ type, inputs }) => uncounted(type, plain(inputs)))).toEqual([]);
    // Only endpoints of this kind cost nothing.
    const endpoints = rest.filter(({ type }) => type === "aws:ec2/vpcEndpoint:VpcEndpoint");
    expect(new Set(endpoints.map(({ inputs }) => inputs["vpcEndpointType"]))).toEqual(new Set(["Gateway"]));
});

describe("the three sizes", () => {
    const sized: Sized[] = [];
    beforeAll(async () => {
        for (const size of sizes) sized.push(await sizedOf(size));
    }, 120_000);

    it("stay within the budget that each sets itself, and everything has a price", () => {
        for (const { size, stack, resources } of sized) {
            const { totalUsd, unpriced, borrowed, regions } = estimate(resources);
            expect(unpriced, size).toEqual([]);
            expect(borrowed, size).toEqual([]);
            expect(regions, size).toEqual([stack.aws?.region]);
            expect(totalUsd, size).toBeGreaterThan(100);
            expect(totalUsd, size).toBeLessThan(stack.aws?.budgetUsdPerMonth ?? 0);
        }
    });

    it("have the price of their region, not of us-east-1", () => {
        for (const { size, resources } of sized) {
            const [here, there] = [estimate(resources), estimate(movedTo("us-east-1", resources))];
            expect(here.totalUsd / there.totalUsd, size).toBeGreaterThan(1.1);
        }
    });

    it("fit on their nodes at the peak", () => {
        for (const { size, stack } of sized) {
            expect(spareAtPeak(stack).cpuMillis, `${size}: cores`).toBeGreaterThan(0);
            expect(spareAtPeak(stack).memoryMiB, `${size}: memory`).toBeGreaterThan(0);
        }
    });

    // `npm run docs` runs this with --update.
    it("docs/costs.md has the calculated costs", async () => {
        await expect(costsDoc(sized)).toMatchFileSnapshot("../../docs/costs.md");
    });
});

it("a database cluster is three instances with their storage", () => {
    const given = (type: string, props: Record<string, unknown>) =>
        estimate([{ type, name: "d", urn: "d", props: { ...props, region: "eu-west-1" } }]).totalUsd;
    const one = given("aws:rds/instance:Instance", { instanceClass: "db.m7g.large", allocatedStorage: 100 });
    const three = given("aws:rds/cluster:Cluster", { dbClusterInstanceClass: "db.m7g.large", allocatedStorage: 100 });
    expect(three).toBeCloseTo(3 * one);
});
