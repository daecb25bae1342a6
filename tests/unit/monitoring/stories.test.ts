/** No alert without a story; how a story follows its page. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { AlertingRule } from "../../../components/kubernetes/prometheus-rule.types";
import { planRuleGroups } from "../../../components/monitoring/monitoring.plan";
import { auditRules } from "../../../local/cluster/monitoring.ts";
import { filledIn, sectionOf } from "../../e2e/alerts/section.ts";
import { measuredHead, tableIn, withMeasured } from "../../e2e/alerts/table.ts";
import { allFaults, auditFaults, faults } from "../../e2e/alerts/faults.ts";
import { monitoredStack } from "../../monitored-stack";

const groups = planRuleGroups(monitoredStack());
const alerts = groups.flatMap(({ rules }) => rules).filter((rule): rule is AlertingRule => "alert" in rule);
const pageOf = new Map(alerts.map(({ alert, annotations }) => [alert, annotations["runbook_url"] ?? ""]));

const document = readFileSync("docs/reliability.md", "utf8");

describe("every alert", () => {
    it("has a fault with which it is tested on a cluster", () => {
        expect(Object.keys(faults).sort()).toEqual([...pageOf.keys()].sort());
    });

    it("is in docs/reliability.md, with its fault and the measured seconds", () => {
        const measured = tableIn(document, measuredHead);
        expect(Object.keys(measured).sort()).toEqual(Object.keys(allFaults).sort());
        for (const [alert, [fault, ...seconds]] of Object.entries(measured)) {
            expect(fault, alert).toBe(allFaults[alert as keyof typeof allFaults]);
            expect(seconds, alert).toEqual([expect.stringMatching(/^\d+$/), expect.stringMatching(/^\d+$/)]);
        }
        // A run of some stories changes their rows alone.
        const again = withMeasured(document, [{ alert: "OrcheoNodeLost", secondsToFire: 1.4, secondsToResolve: 2.6 }]);
        expect(tableIn(again, measuredHead)).toEqual({
            ...measured,
            OrcheoNodeLost: [faults.OrcheoNodeLost, "1", "3"],
        });
    });
});

describe("an alert on audit logs", () => {
    const { groups: auditGroups } = parse(auditRules("orcheo")) as { groups: { rules: AlertingRule[] }[] };
    const rules = auditGroups.flatMap((group) => group.rules);

    it("has a fault with which it is tested on a cluster", () => {
        expect(rules.map(({ alert }) => alert).sort()).toEqual(Object.keys(auditFaults).sort());
    });

    it.each(rules)("$alert has a severity, a sentence, and a section that says what to do", (rule) => {
        expect(["critical", "warning"]).toContain(rule.labels["severity"]);
        expect(rule.annotations["summary"]).toMatch(/^[A-Z].*\.$/);
        expect(rule.annotations["runbook_url"]).toBe(`docs/runbooks/alert-audit.md#${rule.alert.toLowerCase()}`);
        expect(sectionOf(rule.alert, rule.annotations["runbook_url"] ?? "").blocks).not.toEqual([]);
        // Of its own stack.
        expect(rule.labels["namespace"]).toBe("orcheo");
        expect(rule.expr).toMatch(/objectRef.namespace:="orcheo"|"kubernetes.pod_namespace"="orcheo"/);
    });

    it("has a page that describes no others", () => {
        const page = readFileSync("docs/runbooks/alert-audit.md", "utf8");
        const headings = [...page.matchAll(/^## (Orcheo\w+)$/gm)].map(([, name]) => name);
        expect(headings.sort()).toEqual(Object.keys(auditFaults).sort());
    });
});

describe("the pages' commands", () => {
    it("are those of the alert's section, after what the page defines first", () => {
        const { setUp, blocks } = sectionOf("OrcheoBackupLate", pageOf.get("OrcheoBackupLate") ?? "");
        expect(setUp).toBe('k() { kubectl --namespace orcheo "$@"; }\n');
        expect(blocks.map(({ language }) => language)).toEqual(["sh", "sh"]);
        expect(blocks[0]?.text).toMatch(/^k get cronjob backup\n/);
        const queries = sectionOf("OrcheoRunsLost", pageOf.get("OrcheoRunsLost") ?? "").blocks;
        expect(queries).toEqual([{ language: "promql", text: expect.stringMatching(/^sum by/) as string }]);
    });

    it("get the values of the alert's labels, and are refused without them", () => {
        const command = "k logs POD --container=CONTAINER --previous\n";
        expect(filledIn(command, { pod: "beat-1", container: "beat" })).toBe(
            "k logs beat-1 --container=beat --previous\n",
        );
        expect(() => filledIn(command, { pod: "beat-1" })).toThrow("no label for CONTAINER");
    });
});
