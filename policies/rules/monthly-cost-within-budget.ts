import { declaredBudgetUsd, estimate, worded } from "../cost.ts";
import { priceReference } from "../prices.ts";
import type { StackRule } from "../rule.ts";
import { number } from "../values.ts";

export const monthlyCostWithinBudget: StackRule = {
    name: "monthly-cost-within-budget",
    level: "mandatory",
    scope: "stack",
    description: "A larger instance is one word in a config and thousands on the bill.",
    remedy: "Choose smaller or fewer resources or raise the budget; a missing price goes into policies/prices.ts.",
    reference: priceReference,
    settings: {
        budgetUsd: {
            type: "number",
            description:
                "Budget in USD a month; 0: that of the stack's aws.budgets.Budget. Without either, the rule does nothing.",
            default: 0,
        },
    },
    notInCel: "it is about the stack as a whole",
    found(resources, settings) {
        const given = number(settings["budgetUsd"]) ?? 0;
        const budget = given === 0 ? declaredBudgetUsd(resources) : given;
        if (budget === undefined || budget === 0) return [];
        const found = estimate(resources);
        // A budget of the pack's that holds only for what has a price holds for nothing.
        const unknown =
            given > 0 && found.unpriced.length > 0
                ? [{ found: `There is no price for ${found.unpriced.join(", ")}` }]
                : [];
        if (found.totalUsd <= budget) return unknown;
        const sum = `$${found.totalUsd.toFixed(0)} of $${budget} a month`;
        return [
            { found: `The stack comes to ${sum} ${worded(unknown.length > 0 ? { ...found, unpriced: [] } : found)}` },
            ...unknown,
        ];
    },
};
