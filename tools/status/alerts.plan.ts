/** Alerts that fire, and since when. */
import type { Findings } from "./pods.plan.ts";
import { at, duration, listAt, secondsSince, textAt } from "./reading.ts";

export interface FiringAlert {
    readonly name: string;
    readonly severity: string;
    /** ISO date and time. */
    readonly since?: string;
    readonly summary: string;
    readonly runbook?: string;
    /** What it is about, such as the pod. */
    readonly labels: Readonly<Record<string, string>>;
}

/** Not shown among an alert's labels. */
const known = ["alertname", "alertgroup", "severity", "namespace", "prometheus"];
const order = ["critical", "warning", "info"];

/** Fires always where the stack's rules are evaluated (docs/monitoring.md). */
const watchdog = "OrcheoWatchdog";

/** Whether the server evaluates the stack's rules: VictoriaMetrics itself, for one, answers that nothing fires. */
export const knowsRules = (read: unknown, namespace: string): boolean =>
    ofStack(read, namespace).some((each) => textAt(each, "labels", "alertname") === watchdog);

function ofStack(read: unknown, namespace: string): readonly unknown[] {
    const all = Array.isArray(read) ? (read as unknown[]) : listAt(read, "data", "alerts");
    return all.filter((each) => textAt(each, "labels", "namespace") === namespace);
}

/** `read`: the answer of Alertmanager (/api/v2/alerts), or of Prometheus and vmalert (/api/v1/alerts). Others' alerts are left out. */
export function firingAlerts(read: unknown, namespace: string): readonly FiringAlert[] {
    return ofStack(read, namespace)
        .filter((each) => (textAt(each, "state") ?? "firing") === "firing")
        .map((each): FiringAlert => {
            const labels = Object.entries((at(each, "labels") ?? {}) as Record<string, string>);
            return {
                name: textAt(each, "labels", "alertname") ?? "an alert without a name",
                severity: textAt(each, "labels", "severity") ?? "warning",
                since: textAt(each, "startsAt") ?? textAt(each, "activeAt"),
                summary: textAt(each, "annotations", "summary") ?? "",
                runbook: textAt(each, "annotations", "runbook_url"),
                labels: Object.fromEntries(labels.filter(([name]) => !known.includes(name))),
            };
        })
        .filter(({ severity }) => severity !== "none")
        .sort((a, b) => rank(a) - rank(b) || (a.since ?? "").localeCompare(b.since ?? ""));
}

const rank = ({ severity }: FiringAlert): number => (order.includes(severity) ? order.indexOf(severity) : order.length);

/** A critical alert means that people cannot work, whatever else is found. */
export function alertFindings(alerts: readonly FiringAlert[] | undefined, now: string): Findings {
    const lines = (critical: boolean): string[] =>
        (alerts ?? [])
            .filter(({ severity }) => (severity === "critical") === critical)
            .map((each) => alertLine(each, now));
    return { problems: lines(true), warnings: lines(false) };
}

export function alertLine({ name, since, summary, runbook, labels }: FiringAlert, now: string): string {
    const age = secondsSince(since, now);
    const about = Object.entries(labels).map(([label, value]) => `${label} ${value}`);
    return [
        `the alert ${name}`,
        ...(about.length === 0 ? [] : [` (${about.join(", ")})`]),
        ` fires${age === undefined ? "" : ` since ${duration(age)}`}: ${summary}`,
        ...(runbook === undefined ? [] : [` See ${runbook}`]),
    ].join("");
}
