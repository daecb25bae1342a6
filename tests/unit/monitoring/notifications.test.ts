/** What the tests that receive alerts do to rules, and what they remember of notifications. */
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { AlertingRule } from "../../../components/kubernetes/prometheus-rule.types";
import { planRuleGroups } from "../../../components/monitoring/monitoring.plan";
import { faster } from "../../e2e/alerts/faster.ts";
import { Receiver } from "../../e2e/alerts/receiver.ts";
import { monitoredStack } from "../../monitored-stack";

const groups = planRuleGroups(monitoredStack());
const alerts = groups.flatMap(({ rules }) => rules).filter((rule): rule is AlertingRule => "alert" in rule);

describe("faster rules", () => {
    it("differ in intervals, windows and `for`, and in nothing else", () => {
        const file = JSON.stringify({ groups });
        const [levels, conditions] = (parse(faster(file)) as { groups: typeof groups }).groups;
        expect(levels?.interval).toBe("2s");
        const named = (name: string) =>
            (conditions?.rules ?? []).find((rule) => "alert" in rule && rule.alert === name) as AlertingRule;
        expect(named("OrcheoApiDown")).toEqual({
            ...alerts.find(({ alert }) => alert === "OrcheoApiDown"),
            for: "15s",
        });
        expect(named("OrcheoRunsLost").expr).toBe(
            'sum(increase(orcheo_lost_runs_settled_total{namespace="orcheo"}[90s])) > 0',
        );
        expect(named("OrcheoConnectionsExhausted").expr).toContain("[15s]");
        expect(named("OrcheoConnectionsExhausted").expr).toContain("[30s:3s]");
        // Seconds to compare with are no window.
        expect(named("OrcheoServersAway").expr).toContain("> 120");
        const restored = faster(file).replaceAll(/\[\d+s(:\d+s)?\]/g, "[]");
        expect(restored).not.toMatch(/\[\d+[mhd]/);
    });

    it("are refused when a duration cannot be read", () => {
        const rules = [{ alert: "A", expr: "up[5m]", for: "1h30m" }];
        expect(() => faster(JSON.stringify({ groups: [{ interval: "30s", rules }] }))).toThrow(
            '"1h30m" is no duration',
        );
    });
});

describe("the receiver", () => {
    const labels = { alertname: "A", severity: "critical" };
    const said = (status: "firing" | "resolved", fingerprint: string) => ({
        alerts: [{ status, labels, annotations: {}, fingerprint }],
    });

    it("knows what fires, and when the last one of a name was resolved", async () => {
        const receiver = await Receiver.start();
        try {
            const answer = await fetch(receiver.url, { method: "POST", body: JSON.stringify(said("firing", "1")) });
            expect(answer.ok).toBe(true);
            receiver.take(said("firing", "2"), 1000);
            receiver.take(said("resolved", "1"), 2000);
            expect(receiver.firing("A", "critical")).toHaveLength(1);
            expect(receiver.firing("A", "warning")).toEqual([]);
            await expect(
                receiver.until(0.1, "A ends", () => receiver.firing("A", "critical").length === 0),
            ).rejects.toThrow("A ends not within 0.1 s; firing: A");
            receiver.take(said("resolved", "2"), 3000);
            expect([receiver.firing("A", "critical"), receiver.resolvedAt("A", "critical")]).toEqual([[], 3000]);
            expect(() => receiver.resolvedAt("B", "critical")).toThrow(
                "no B of severity critical has been resolved yet",
            );
        } finally {
            receiver.stop();
        }
    });
});
