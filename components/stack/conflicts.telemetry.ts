/** Settings of traces and metrics that are each accepted and cannot be meant together. */
import type { Problem } from "../config/problems";
import { canvasLevels } from "../config/schema.monitoring";
import type { Stack } from "../config/schema";
import { telemetryOf, type TelemetrySettings } from "../monitoring/monitoring.plan";

/** Traces name routes, statements and servers; headers are credentials. */
export function plainTelemetry(stack: TelemetrySettings): Problem[] {
    return telemetryOf(stack)
        .filter(({ target }) => target.endpoint.startsWith("http://") && target.reach.kind !== "pods")
        .map(({ section, target }) => ({
            at: `orcheo:stack.${section}.endpoint`,
            found: `found "${target.endpoint}"`,
            remedy: `accepted: an https:// URL; http:// to pods of the cluster alone, with ${section}.reach of kind "pods"`,
        }));
}

/** Nothing would measure them, and no alert would watch them. */
export function unprobedLevels({ monitoring }: Pick<Stack, "monitoring">): Problem[] {
    if (monitoring.kind === "none" || (monitoring.kind !== "otlp" && monitoring.probe !== undefined)) return [];
    const remedy =
        monitoring.kind === "otlp"
            ? 'accepted: no such key, as nothing probes with monitoring.kind "otlp"'
            : "accepted: a number beside monitoring.probe, which measures it";
    return Object.keys(canvasLevels).flatMap((key) => {
        const value = monitoring.serviceLevels[key as keyof typeof canvasLevels];
        const at = `orcheo:stack.monitoring.serviceLevels.${key}`;
        return value === undefined ? [] : [{ at, found: `found ${value} without monitoring.probe`, remedy }];
    });
}

/** Its rules would have nothing to evaluate. */
export function unmeasuredPrometheus({ aws, monitoring }: Pick<Stack, "aws" | "monitoring">): Problem[] {
    if (aws?.prometheus === undefined || monitoring.kind !== "none") return [];
    return [
        {
            at: "orcheo:stack.aws.prometheus",
            found: 'found with monitoring.kind "none"',
            remedy: 'accepted: with monitoring.kind "otlp", "prometheusOperator" or "annotations", which has the metrics',
        },
    ];
}

/** The workspace evaluates the rules, and notifies topics of SNS alone. */
export function unreadNotifications({ aws, monitoring }: Pick<Stack, "aws" | "monitoring">): Problem[] {
    if (aws?.prometheus === undefined || monitoring.kind !== "otlp" || monitoring.notifications === undefined)
        return [];
    return [
        {
            at: "orcheo:stack.monitoring.notifications",
            found: "found with aws.prometheus, whose alerts go to the topic of aws.alarmEmails",
            remedy: "accepted: no such key; add subscriptions to the topic instead",
        },
    ];
}
