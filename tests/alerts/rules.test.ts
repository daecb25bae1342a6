/** Every alert fires under the condition that it is for, and under no other, by the engine that evaluates it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { planRuleGroups } from "../../components/monitoring/monitoring.plan";
import type { AlertingRule, RuleGroup } from "../../components/kubernetes/prometheus-rule.types";
import { run } from "../../local/process.ts";
import { consoleReport } from "../../local/report.ts";
import { ensureToolchain } from "../../local/toolchain/build.ts";
import { monitoredStack } from "../monitored-stack";
import { cases, type Firing, type Series } from "./cases";

const folder = mkdtempSync(join(tmpdir(), "orcheo-alerts-"));
const groups = planRuleGroups(monitoredStack());
const rules = groups.flatMap((group) => group.rules).filter((rule): rule is AlertingRule => "alert" in rule);

/** The rules that an alert consists of, and what they read of recorded series: all rules at each minute of ten hours would take a minute. */
function groupsFor(alert: string): RuleGroup[] {
    const wanted = rules.filter((rule) => rule.alert === alert).map(({ expr }) => expr);
    for (const text of wanted)
        for (const rule of groups.flatMap((group) => group.rules))
            if ("record" in rule && text.includes(`${rule.record}{`) && !wanted.includes(rule.expr))
                wanted.push(rule.expr);
    return groups.map((group) => ({ ...group, rules: group.rules.filter(({ expr }) => wanted.includes(expr)) }));
}

let tool: string;
beforeAll(async () => {
    tool = (await ensureToolchain(["monitoring"], consoleReport())).bin("vmalert-tool");
});
afterAll(() => {
    rmSync(folder, { recursive: true });
});

function expected(alert: string, { labels = [{}], severities }: Firing): object[] {
    return rules
        .filter((rule) => rule.alert === alert && (severities?.includes(rule.labels["severity"] ?? "") ?? true))
        .flatMap((rule) =>
            labels.map((each) => ({ exp_labels: { ...each, ...rule.labels }, exp_annotations: rule.annotations })),
        );
}

const test = (name: string, alert: string, minute: number, series: Series, alerts: object[]): object => ({
    name,
    interval: "1m",
    input_series: Object.entries(series).map(([each, values]) => ({ series: each, values })),
    alert_rule_test: [{ eval_time: `${minute}m`, alertname: alert, exp_alerts: alerts }],
});

/** Evaluates the rules. @throws with what fired instead */
async function evaluate(name: string, alert: string, tests: readonly object[]): Promise<void> {
    const rulesFile = `${name}-rules.yaml`;
    writeFileSync(join(folder, rulesFile), stringify({ groups: groupsFor(alert) }));
    const file = join(folder, `${name}.yaml`);
    writeFileSync(file, stringify({ rule_files: [rulesFile], evaluation_interval: "1m", tests }));
    await run(tool, ["unittest", "--disableAlertgroupLabel", `--files=${file}`], { timeoutSeconds: 240 });
}

describe.each(Object.entries(cases))("%s", (alert, { fires, silent }) => {
    it("fires, and stays silent", async () => {
        await evaluate(alert, alert, [
            ...fires.map((each, index) =>
                test(`fires ${index}`, alert, each.minute, each.series, expected(alert, each)),
            ),
            ...silent.map(({ why, minute, series }) => test(why, alert, minute, series, [])),
        ]);
    });
});

it("every alert has its cases", () => {
    expect(Object.keys(cases).sort()).toEqual([...new Set(rules.map(({ alert }) => alert))].sort());
});

describe("the tests themselves", () => {
    it("see an alert that nobody expects, and one that does not come", async () => {
        const [firing] = cases["OrcheoDiskFull"]?.fires ?? [];
        if (firing === undefined) throw new Error("no case");
        const unexpected = test("unexpected", "OrcheoDiskFull", firing.minute, firing.series, []);
        await expect(evaluate("unexpected", "OrcheoDiskFull", [unexpected])).rejects.toThrow(/exp:\[\],\s+got:\[\s+0:/);
        const missing = test("missing", "OrcheoDiskFull", firing.minute, {}, expected("OrcheoDiskFull", firing));
        await expect(evaluate("missing", "OrcheoDiskFull", [missing])).rejects.toThrow(/got:\[\]/);
    });
});
