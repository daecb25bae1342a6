/** What AWS charges for, in the plan of the real provider: resource by resource, beside the estimate of docs/costs.md. */
import { readFile } from "node:fs/promises";

import { expect } from "vitest";

import { called } from "../../../policies/aws.ts";
import { estimate } from "../../../policies/cost.ts";
import type { Resource } from "../../../policies/rule.ts";
import { at } from "../../../policies/values.ts";
import { byUse, free, uncounted } from "../../paid-types.ts";

/** The sum of an example in the table of docs/costs.md, USD a month. */
async function documented(size: string): Promise<number> {
    const page = await readFile(new URL("../../../docs/costs.md", import.meta.url), "utf8");
    const column = page
        .split("\n")
        .find((line) => line.includes(`prod-${size}.yaml`))
        ?.split("|")
        .findIndex((cell) => cell.includes(`prod-${size}.yaml`));
    const cells = page.split("\n").find((line) => line.startsWith("| **the stack** |"));
    return Number(/\$(\d+)/.exec(cells?.split("|")[column ?? -1] ?? "")?.[1]);
}

/** Fails for a resource or a setting that may cost something that nobody has counted. */
export async function paidAsDocumented(size: string, planned: readonly Resource[]): Promise<void> {
    const region = planned.find(({ type }) => type === "pulumi:providers:aws")?.props["region"];
    const resources = planned
        .filter(({ type }) => type.startsWith("aws:"))
        .map((each) => ({ ...each, provider: { region: at(each.props, "region") ?? region } }));
    const { lines, totalUsd, unpriced } = estimate(resources);
    expect(unpriced).toEqual([]);
    expect(Math.round(totalUsd)).toBe(await documented(size));
    const prices = new Map(lines.map(({ what, usd }) => [what, usd]));
    const told = resources.map((each) => {
        const [, module = "", type = ""] = /^aws:(\w+)\/\w+:(\w+)$/.exec(each.type) ?? [];
        const name = `${module}/${type}`;
        if (byUse.includes(name)) return `${name} ${each.name}: by use`;
        if (free.includes(name)) return `${name} ${each.name}: nothing`;
        expect(uncounted(each.type, each.props)).toEqual([]);
        const usd = prices.get(called(each));
        expect(usd, `${name} ${each.name}`).toBeGreaterThan(0);
        return `${name} ${each.name}: $${(usd ?? 0).toFixed(2)}`;
    });
    expect(told.length).toBeGreaterThan(100);
    await expect(`${told.sort().join("\n")}\n`).toMatchFileSnapshot(`aws/costs-${size}.txt`);
}
