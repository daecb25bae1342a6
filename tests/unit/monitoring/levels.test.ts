/** Objectives that nothing measures are refused, and those of a probed stack have defaults. */
import { describe, expect, it } from "vitest";
import { planRuleGroups } from "../../../components/monitoring/monitoring.plan";
import { parseStack } from "../../../components/stack/read";
import { settingsOf } from "../../harness";
import { monitoredStack } from "../../monitored-stack";

const probe = { prober: "blackbox-exporter.monitoring.svc:9115" };
const key = "orcheo:stack.monitoring.serviceLevels.canvasPercent";

function refused(monitoring: object): string[] {
    const json = JSON.stringify({ ...settingsOf("dev"), monitoring });
    const { problems } = parseStack({ stack: "dev", keys: [], json, secret: false });
    return problems.map(({ at, found, remedy }) => `${at}: ${found}; ${remedy}`);
}

describe("an objective of the canvas", () => {
    it("is refused where nothing probes", () => {
        const serviceLevels = { canvasPercent: 99 };
        expect(refused({ kind: "annotations", serviceLevels })).toEqual([
            `${key}: found 99 without monitoring.probe; accepted: a number beside monitoring.probe, which measures it`,
        ]);
        const otlp = { kind: "otlp", endpoint: "https://otel.example.com/v1/metrics", serviceLevels };
        expect(refused(otlp)).toEqual([
            `${key}: found 99 without monitoring.probe; accepted: no such key, as nothing probes with monitoring.kind "otlp"`,
        ]);
    });

    it("is accepted beside a probe, and is 99.5 % without a word", () => {
        const limitOf = (serviceLevels: object) => {
            const rules = planRuleGroups(monitoredStack({ kind: "annotations", probe, serviceLevels }));
            const alerts = rules.flatMap((group) => group.rules).filter((rule) => "alert" in rule);
            return alerts.find(({ alert }) => alert === "OrcheoCanvasUnavailable")?.expr.match(/> ([\d.]+)/)?.[1];
        };
        expect([limitOf({}), limitOf({ canvasPercent: 99.5 }), limitOf({ canvasPercent: 99 })]).toEqual([
            "0.072",
            "0.072",
            "0.144",
        ]);
        expect(refused({ kind: "annotations", serviceLevels: { websocketPercent: 99 } })).toEqual([]);
    });
});
