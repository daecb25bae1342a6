/** What Amazon Managed Service for Prometheus takes of the stack: within its quotas, and notifying a topic of SNS. */
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { AlertingRule } from "../../../components/kubernetes/prometheus-rule.types";
import {
    planManagedAlertmanager,
    planRuleGroups,
    planRulesFile,
    planRulesText,
} from "../../../components/monitoring/monitoring.plan";
import { monitoredStack } from "../../monitored-stack";

const stack = monitoredStack();
const text = planRulesText(stack);

// https://docs.aws.amazon.com/prometheus/latest/userguide/AMP_quotas.html
const quotas = { fileBytes: 1_000_000, rules: 2000, shortestSeconds: 30, namesBytes: 721 };

describe("the rules", () => {
    it("are those of the ConfigMap", () => {
        expect(planRulesFile(stack, "orcheo").data).toEqual({ "rules.yaml": text });
    });

    it("keep to the quotas of a workspace", () => {
        const groups = planRuleGroups(stack);
        expect(Buffer.byteLength(text)).toBeLessThan(quotas.fileBytes);
        expect(groups.flatMap(({ rules }) => rules).length).toBeLessThan(quotas.rules);
        for (const { name, interval = "1m" } of groups) {
            const [, count = "0", unit = ""] = /^(\d+)([sm])$/.exec(interval) ?? [];
            expect(Number(count) * (unit === "m" ? 60 : 1), name).toBeGreaterThanOrEqual(quotas.shortestSeconds);
            expect(Buffer.byteLength(`orcheo-prod${name}`)).toBeLessThan(quotas.namesBytes);
        }
    });
});

interface Definition {
    readonly route: { readonly receiver: string; readonly routes: { receiver: string; matchers: string[] }[] };
    readonly receivers: { name: string; sns_configs?: { subject: string; message: string }[] }[];
}

const topic = { arn: "arn:aws:sns:eu-central-1:111122223333:orcheo-prod-alarms", region: "eu-central-1" };
const definition = parse(planManagedAlertmanager(topic, "orcheo")) as Record<string, string>;
const { route, receivers } = parse(definition["alertmanager_config"] ?? "") as Definition;

describe("the alert manager", () => {
    it("is a file in a file, and notifies the topic alone", () => {
        expect(Object.keys(definition)).toEqual(["alertmanager_config"]);
        expect(receivers).toEqual([
            { name: "nobody" },
            {
                name: "alarms",
                sns_configs: [
                    {
                        topic_arn: topic.arn,
                        sigv4: { region: "eu-central-1" },
                        send_resolved: true,
                        subject: expect.any(String) as string,
                        message: expect.stringContaining("{{ .Annotations.runbook_url }}") as string,
                    },
                ],
            },
        ]);
    });

    it("sends what somebody has to act on, of this stack, and neither the watchdog nor hints", () => {
        expect(route.receiver).toBe("nobody");
        expect(route.routes).toEqual([
            { receiver: "alarms", matchers: ['severity =~ "critical|warning"', 'namespace = "orcheo"'] },
        ]);
    });

    it("has a subject that SNS takes, with the name of every alert and of a usual namespace in it", () => {
        const alerts = planRuleGroups(stack)
            .flatMap(({ rules }) => rules)
            .filter((rule): rule is AlertingRule => "alert" in rule);
        const subject = receivers[1]?.sns_configs?.[0]?.subject ?? "";
        for (const { alert } of alerts) {
            const shown = subject
                .replace("{{ .Status }}", "resolved")
                .replace("{{ .CommonLabels.alertname }}", alert)
                .replace("{{ .CommonLabels.namespace }}", "orcheo-production-eu");
            expect(shown).toMatch(/^[ -~]{1,100}$/);
        }
    });
});
