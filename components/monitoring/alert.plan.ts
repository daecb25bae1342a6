/** An alert, before it becomes a rule. */
import type { AlertingRule } from "../kubernetes/prometheus-rule.types";
import { uidOf } from "./dashboard.plan";

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
    readonly grafanaUrl: string | undefined;
}

/** With the links and labels by which a notification is routed. */
export function ruleOf(alert: Alert, { namespace, runbooksUrl = runbooks, grafanaUrl }: AlertLinks): AlertingRule {
    return {
        alert: alert.name,
        expr: alert.expr,
        ...(alert.for !== undefined && { for: alert.for }),
        labels: { severity: alert.severity, namespace },
        annotations: {
            summary: alert.summary,
            ...(grafanaUrl !== undefined && {
                dashboard_url: `${grafanaUrl.replace(/\/+$/, "")}/d/${uidOf(dashboardOf(alert), namespace)}`,
            }),
            runbook_url: `${runbooksUrl.replace(/\/+$/, "")}/${alert.page}#${alert.name.toLowerCase()}`,
        },
    };
}

/** The dashboard that shows what an alert is about, by its page. */
const dashboards: Readonly<Record<string, string>> = {
    "alert-api.md": "api",
    "alert-runs.md": "runs",
    "alert-servers.md": "servers",
    "alert-pods.md": "pods",
    "alert-disk.md": "pods",
    "alert-certificate.md": "pods",
};

const dashboardOf = ({ page }: Alert): string => dashboards[page] ?? "overview";
