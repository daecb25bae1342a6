import { declaredBudgetUsd, estimate, worded } from "../cost.ts";
import { priceReference } from "../prices.ts";
import type { StackRule } from "../rule.ts";
import { number } from "../values.ts";
import { monthlyCostWithinBudget } from "./monthly-cost-within-budget.ts";

export const monthlyCostEstimate: StackRule = {
    name: "monthly-cost-estimate",
    level: "advisory",
    scope: "stack",
    description: "Without a budget, nobody hears what a stack costs before the bill.",
    remedy: "Set a budget, which the stack must then keep to: aws.budgetUsdPerMonth, or budgetUsd of monthly-cost-within-budget.",
    reference: priceReference,
    settings: {
        fromUsd: {
            type: "number",
            description: "Estimates below this many USD a month are not reported.",
            default: 100,
        },
    },
    notInCel: "it is about the stack as a whole",
    found(resources, settings, ofRule) {
        // The budget of the pack's config reports everything itself.
        if ((number(ofRule?.(monthlyCostWithinBudget.name)["budgetUsd"]) ?? 0) > 0) return [];
        const budget = declaredBudgetUsd(resources);
        if (budget === undefined) return [];
        const found = estimate(resources);
        const unpriced = found.unpriced.join(", ");
        if (budget > 0)
            return unpriced === "" ? [] : [{ found: `The budget does not count ${unpriced}, which has no price here` }];
        if (found.totalUsd < (number(settings["fromUsd"]) ?? 0) && unpriced === "") return [];
        return [{ found: `The stack comes to $${found.totalUsd.toFixed(0)} a month ${worded(found)}` }];
    },
};
