/** Alerts as objects of the cluster, and their pages; tests/alerts lets them fire. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { planPrometheusRule, planRuleGroups, planRulesFile } from "../../../components/monitoring/monitoring.plan";
import type { AlertingRule } from "../../../components/kubernetes/prometheus-rule.types";
import { runBoth } from "../../harness";
import { monitoredStack } from "../../monitored-stack";
import { monitored } from "../../variants";

const alertsOf = (groups: ReturnType<typeof planRuleGroups>): AlertingRule[] =>
    groups.flatMap(({ rules }) => rules).filter((rule): rule is AlertingRule => "alert" in rule);
const alerts = alertsOf(planRuleGroups(monitoredStack()));
const names = [...new Set(alerts.map(({ alert }) => alert))];

const pages = "docs/runbooks";
const headingsOf = (page: string): string[] =>
    [...readFileSync(join(pages, page), "utf8").matchAll(/^## (Orcheo\w+)$/gm)].map(([, name = ""]) => name);

describe("every alert", () => {
    it.each(names)("%s has a severity, a sentence, and a section of a page that says what to do", (name) => {
        for (const { labels, annotations } of alerts.filter(({ alert }) => alert === name)) {
            expect(["critical", "warning", "info", "none"]).toContain(labels["severity"]);
            expect(annotations["summary"]).toMatch(/^[A-Z].*\.$/);
            const [, page = "", anchor] =
                /^docs\/runbooks\/([\w-]+\.md)#(\w+)$/.exec(annotations["runbook_url"] ?? "") ?? [];
            expect(anchor).toBe(name.toLowerCase());
            expect(headingsOf(page)).toContain(name);
        }
    });

    it("only looks at its own stack", () => {
        for (const { alert, expr } of alerts) {
            const metrics = [...expr.matchAll(/[a-z][a-z_:0-9]+\{([^}]*)\}/g)];
            if (alert !== "OrcheoWatchdog") expect(metrics.length, alert).toBeGreaterThan(0);
            for (const [metric, labels = ""] of metrics)
                if (!metric.startsWith("kube_node_")) expect(labels, metric).toContain('namespace="orcheo"');
        }
    });
});

it("no page describes an alert that does not exist", () => {
    const described = readdirSync(pages)
        // The alerts of that page are not the stack's own: tests/unit/monitoring/stories.test.ts.
        .filter((page) => page.startsWith("alert-") && page !== "alert-audit.md")
        .flatMap(headingsOf);
    expect(described.sort()).toEqual([...names].sort());
});

it.each(readdirSync(pages))("%s says how many lines it reads from the logs of several pods", (page) => {
    // Otherwise kubectl shows the last ten of each pod, whatever --since says.
    for (const [command] of readFileSync(join(pages, page), "utf8").matchAll(/\blogs .*--selector.*/g))
        expect(command).toContain("--tail=");
});

describe("settings", () => {
    it("pages are linked in the user's own copy", () => {
        const stack = monitoredStack({ kind: "annotations", runbooksUrl: "https://git.example.com/runbooks/" });
        for (const { annotations } of alertsOf(planRuleGroups(stack)))
            expect(annotations["runbook_url"]).toMatch(/^https:\/\/git\.example\.com\/runbooks\/alert-\w+\.md#/);
    });

    it("objectives become limits: 14.4 times the budget within an hour", () => {
        const serviceLevels = {
            ...{ availabilityPercent: 99.9, latencySeconds: 1, runStartSeconds: 300 },
            websocketPercent: 99.8,
        };
        const groups = planRuleGroups(monitoredStack({ kind: "annotations", serviceLevels }));
        const text = JSON.stringify(groups);
        expect(text).toContain('orcheo:api_errors:ratio_rate1h{namespace=\\"orcheo\\"} > 0.0144');
        expect(text).toContain("> bool 300");
        expect(text).toContain('orcheo:websockets_failed:ratio_rate1h{namespace=\\"orcheo\\"} > 0.0288');
        expect(alertsOf(groups)[0]?.annotations["summary"]).toContain("99.9 %");
        // As Python's client and Prometheus 2 write the bound.
        expect(text).toContain('le=~\\"1(\\\\\\\\.0)?\\"');
    });

    it("nothing is late without backups, at its maximum without scaling, or down that runs elsewhere", () => {
        const others = { backup: { kind: "none" }, api: { scaling: { minReplicas: 2, maxReplicas: 2 } } };
        const without = alertsOf(planRuleGroups(monitoredStack(undefined, others))).map(({ alert }) => alert);
        expect(names.filter((name) => !without.includes(name))).toEqual([
            "OrcheoAutoscalerAtMaximum",
            "OrcheoBackupLate",
            "OrcheoBackupFailed",
        ]);
    });
});

describe("in the cluster", () => {
    it("the operator gets a PrometheusRule with the labels by which it selects", () => {
        const labels = { release: "kube-prometheus-stack" };
        const probe = { prober: "blackbox-exporter.monitoring.svc:9115" };
        const rule = planPrometheusRule(monitoredStack({ kind: "prometheusOperator", labels, probe }), "orcheo");
        expect(rule.metadata).toMatchObject({ name: "alert-rules", labels });
        expect(rule.spec.groups).toEqual(planRuleGroups(monitoredStack()));
    });

    it("others get the same as a rules file", () => {
        const stack = monitoredStack({ kind: "annotations" });
        const { data } = planRulesFile(stack, "orcheo");
        expect(parse((data as Record<string, string>)["rules.yaml"] ?? "")).toEqual({ groups: planRuleGroups(stack) });
    });

    it("and nobody gets anything without monitoring", async () => {
        const made = async (settings?: object) =>
            (await runBoth({ stack: "dev", ...(settings && { settings: { ...settings } }) })).resources
                .filter(({ name }) => name === "monitoring-rules")
                .map(({ type }) => type.split(":").at(-1));
        expect(await made()).toEqual([]);
        expect(await made(monitored)).toEqual(["PrometheusRule"]);
        expect(await made({ ...monitored, monitoring: { kind: "annotations" } })).toEqual(["ConfigMap"]);
    }, 240_000);
});
