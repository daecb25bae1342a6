/** An alert, before it becomes a rule. */
import type { AlertingRule } from "../kubernetes/prometheus-rule.types";

/** `critical`: people cannot work, act now. `warning`: act within the day. `none`: no fault, such as the dead man's switch. */
export type Severity = "critical" | "warning" | "info" | "none";

export interface Alert {
    readonly name: string;
    readonly severity: Severity;
    readonly expr: string;
    /** How long it has to hold. */
    readonly for?: string;
    /** In plain English, one sentence. */
    readonly summary: string;
    /** Page of docs/runbooks with a heading of the alert's name. */
    readonly page: string;
}

/** Where the pages are, as a path of this repository. */
export const runbooks = "docs/runbooks";

export interface AlertLinks {
    readonly namespace: string;
    readonly runbooksUrl: string | undefined;
}

/** With the links and labels by which a notification is routed. */
export function ruleOf(alert: Alert, { namespace, runbooksUrl = runbooks }: AlertLinks): AlertingRule {
    return {
        alert: alert.name,
        expr: alert.expr,
        ...(alert.for !== undefined && { for: alert.for }),
        labels: { severity: alert.severity, namespace },
        annotations: {
            summary: alert.summary,
            runbook_url: `${runbooksUrl.replace(/\/+$/, "")}/${alert.page}#${alert.name.toLowerCase()}`,
        },
    };
}
