import { estimate } from "../cost.ts";
import { pricesOf, region } from "../prices.ts";
import type { Resource, StackRule } from "../rule.ts";
import { at, number, text } from "../values.ts";

/** The stack's own budget of AWS, in USD a month; 0 where it declares none. */
function declaredUsd(resources: readonly Resource[]): number {
    const monthly = resources.filter(
        ({ type, props }) =>
            type === "aws:budgets/budget:Budget" &&
            text(at(props, "budgetType")) === "COST" &&
            text(at(props, "timeUnit")) === "MONTHLY" &&
            text(at(props, "limitUnit")) === "USD",
    );
    return monthly.reduce((sum, { props }) => sum + Number(text(at(props, "limitAmount")) ?? 0), 0);
}

export const monthlyCostWithinBudget: StackRule = {
    name: "monthly-cost-within-budget",
    level: "mandatory",
    scope: "stack",
    description: "A larger instance is one word in a config and thousands on the bill.",
    remedy: "Choose smaller or fewer resources or raise the budget; a missing price goes into policies/prices.ts.",
    reference: {
        title: `AWS pricing, as of ${pricesOf} in policies/prices.ts`,
        url: "https://aws.amazon.com/pricing/",
    },
    settings: {
        budgetUsd: {
            type: "number",
            description:
                "Budget in USD a month; 0: that of the stack's aws.budgets.Budget, and no estimate without one.",
            default: 0,
        },
    },
    notInCel: "it is about the stack as a whole",
    found(resources, settings) {
        const given = number(settings["budgetUsd"]) ?? 0;
        const budget = given === 0 ? declaredUsd(resources) : given;
        if (budget === 0) return [];
        const { totalUsd, lines, unpriced } = estimate(resources);
        // A budget of the pack's that holds only for what has a price holds for nothing.
        const unknown =
            given > 0 && unpriced.length > 0 ? [{ found: `There is no price for ${unpriced.join(", ")}` }] : [];
        if (totalUsd <= budget) return unknown;
        const top = [...lines].sort((a, b) => b.usd - a.usd).slice(0, 3);
        const most = top.map((line) => `${line.what} $${line.usd.toFixed(0)}`).join(", ");
        const sum = `$${totalUsd.toFixed(0)} of $${budget} a month`;
        return [{ found: `The stack comes to ${sum} at list prices of ${region} (most: ${most})` }, ...unknown];
    },
};
