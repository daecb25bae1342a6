/** Every expression is PromQL by Prometheus' own grammar: tests/alerts evaluates them with VictoriaMetrics, whose language has more. */
import { parser } from "@prometheus-io/lezer-promql";
import { describe, expect, it } from "vitest";
import { planDashboards } from "../../../components/monitoring/dashboards.plan";
import { planRuleGroups, scraperOf } from "../../../components/monitoring/monitoring.plan";
import { monitoredStack } from "../../monitored-stack";

/** Places in the text where the grammar does not fit. */
function errorsIn(expression: string): number[] {
    const places: number[] = [];
    parser.parse(expression).iterate({
        enter: ({ type, from }) => {
            if (type.isError) places.push(from);
        },
    });
    return places;
}

const stack = monitoredStack({
    kind: "annotations",
    probe: { prober: "blackbox:9115" },
    serviceLevels: { latencySeconds: 1 },
});
const rules = planRuleGroups(stack).flatMap((group) => group.rules.map(({ expr }) => expr));
const scraped = scraperOf(stack);
const queries = (scraped === undefined ? [] : planDashboards("orcheo", scraped)).flatMap(({ panels }) =>
    panels.flatMap(({ queries: each }) => each.map(({ expr }) => expr)),
);

describe("Prometheus understands", () => {
    it.each([...new Set([...rules, ...queries])])("%s", (expression) => {
        expect(errorsIn(expression)).toEqual([]);
    });
});

/** What is divided by what, in Prometheus' words. */
function divisorsIn(expression: string): string[] {
    const divisors: string[] = [];
    parser.parse(expression).iterate({
        enter: ({ type, node }) => {
            if (type.name === "Div") divisors.push(expression.slice(node.nextSibling?.from, node.nextSibling?.to));
        },
    });
    return divisors;
}

// Prometheus would record 0 / 0 as NaN; VictoriaMetrics records nothing.
it("a share that is recorded has nothing to say about an hour in which nothing happened", () => {
    const recorded = planRuleGroups(stack).flatMap((group) => group.rules.filter((rule) => "record" in rule));
    const divisors = recorded.flatMap(({ expr }) => divisorsIn(expr));
    expect(divisors.length).toBeGreaterThan(10);
    for (const divisor of divisors) expect(divisor).toMatch(/^\(sum\(rate\(.*\)\) > 0\)$/);
});

it("what only VictoriaMetrics understands is found", () => {
    expect(errorsIn("rate(a[1i])")).not.toEqual([]);
    expect(errorsIn("sum(a) keep_metric_names")).not.toEqual([]);
    expect(errorsIn("sum(rate(a[5m])")).not.toEqual([]);
});
