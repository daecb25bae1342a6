/** No alert without a story; how a story follows its page. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { AlertingRule } from "../../../components/kubernetes/prometheus-rule.types";
import { planRuleGroups } from "../../../components/monitoring/monitoring.plan";
import { filledIn, sectionOf } from "../../e2e/alerts/section.ts";
import { measuredHead, tableIn, withMeasured } from "../../e2e/alerts/table.ts";
import { faults } from "../../e2e/alerts/faults.ts";
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
        expect(Object.keys(measured).sort()).toEqual(Object.keys(faults).sort());
        for (const [alert, [fault, ...seconds]] of Object.entries(measured)) {
            expect(fault, alert).toBe(faults[alert as keyof typeof faults]);
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
