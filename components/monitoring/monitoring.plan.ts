/** What a scraper needs to read the metrics of Orcheo's processes; the image serves them (orcheo_runtime/metrics.py). */
import type { types } from "@pulumi/kubernetes";
import { interpolate, type Input } from "@pulumi/pulumi";
import { stringify } from "yaml";
import { ports } from "../config/ports";
import type { Stack } from "../config/schema";
import type { Monitored, Scraped } from "../config/schema.monitoring";
import type { PodMonitor, PrometheusRule } from "../kubernetes/custom-object";
import { objectLabels, selector, type Role } from "../kubernetes/labels";
import type { RuleGroup } from "../kubernetes/prometheus-rule.types";
import { ruleOf } from "./alert.plan";
import { planDashboard } from "./dashboard.plan";
import { planDashboards } from "./dashboards.plan";
import { planConditions, type ConditionSettings } from "./conditions.plan";
import { planVmuiDashboard } from "./vmui.plan";
import { planOutside, type OutsideSettings } from "./outside.plan";
import { planLevelAlerts, planLevelRecords } from "./service-levels.plan";

export { planManagedAlertmanager } from "./notifications.plan";
export * from "./otlp.plan";

export type MonitoringSettings = Pick<Stack, "monitoring">;
type PolicySpec = types.input.networking.v1.NetworkPolicySpec;

/** Orcheo's own processes. */
export const measuredProcesses = ["api", "worker", "beat"] as const;
export const monitoredRoles = [...measuredProcesses, "canvas"] as const;
export type MonitoredRole = (typeof monitoredRoles)[number];

export const isMonitored = (role: Role): role is MonitoredRole => monitoredRoles.some((each) => each === role);

/** Settings of alerts and dashboards; undefined when nobody has the metrics. */
export const monitoredBy = ({ monitoring }: MonitoringSettings): Monitored | undefined =>
    monitoring.kind === "none" ? undefined : monitoring;

/** Who reads the metrics; undefined when nobody does, and then there is no port either. */
export const scraperOf = ({ monitoring }: MonitoringSettings): Scraped | undefined =>
    monitoring.kind === "none" || monitoring.kind === "otlp" ? undefined : monitoring;

export function metricsEnvironment(role: Role, stack: MonitoringSettings): Record<string, string> {
    return scraperOf(stack) !== undefined && isMonitored(role) ? { ORCHEO_METRICS_PORT: String(ports.metrics) } : {};
}

/** A convention of Prometheus' example configuration and of many agents. */
export function scrapeAnnotations(role: Role, { monitoring }: MonitoringSettings): Record<string, string> {
    if (monitoring.kind !== "annotations" || !isMonitored(role)) return {};
    return {
        "prometheus.io/scrape": "true",
        "prometheus.io/scheme": "https",
        "prometheus.io/port": String(ports.metrics),
        "prometheus.io/path": "/metrics",
    };
}

/** The scraper's pods, and nobody else, to the port of the metrics alone. */
export function planScraperIngress(stack: MonitoringSettings): Record<string, PolicySpec> {
    const scraper = scraperOf(stack);
    if (scraper === undefined) return {};
    const from = [
        {
            namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": scraper.namespace } },
            podSelector: { matchLabels: scraper.podLabels },
        },
    ];
    return {
        metrics: {
            podSelector: {
                matchExpressions: [{ key: "app.kubernetes.io/component", operator: "In", values: [...monitoredRoles] }],
            },
            policyTypes: ["Ingress"],
            ingress: [{ from, ports: [{ port: ports.metrics, protocol: "TCP" }] }],
        },
    };
}

export interface PodMonitorInputs {
    readonly namespace: Input<string>;
    /** Secret of the role's certificate. */
    readonly certificateSecret: Input<string>;
}

/** One for each role, because each has its own certificate. */
export function planPodMonitor(
    role: MonitoredRole,
    { labels, scrapeSeconds }: Extract<Scraped, { kind: "prometheusOperator" }>,
    { namespace, certificateSecret }: PodMonitorInputs,
): PodMonitor {
    return {
        apiVersion: "monitoring.coreos.com/v1",
        kind: "PodMonitor",
        metadata: { name: role, namespace, labels: { ...labels, ...objectLabels(role) } },
        spec: {
            selector: { matchLabels: selector(role) },
            podTargetLabels: ["app.kubernetes.io/component"],
            podMetricsEndpoints: [
                {
                    port: "metrics",
                    path: "/metrics",
                    scheme: "https",
                    interval: `${scrapeSeconds}s`,
                    tlsConfig: {
                        ca: { secret: { name: certificateSecret, key: "ca.crt" } },
                        serverName: interpolate`${role}.${namespace}.svc`,
                    },
                },
            ],
        },
    };
}

export type AlertSettings = ConditionSettings & MonitoringSettings & OutsideSettings;

/** Rules of the stack, as Prometheus and vmalert read them; none when nobody has the metrics. */
export function planRuleGroups(stack: AlertSettings): RuleGroup[] {
    const monitored = monitoredBy(stack);
    if (monitored === undefined) return [];
    const { namespace } = stack.kubernetes;
    const links = { namespace, runbooksUrl: monitored.runbooksUrl, grafanaUrl: monitored.grafana?.url };
    return [
        { name: `${namespace}-service-levels`, interval: "30s", rules: planLevelRecords(monitored, namespace) },
        {
            name: `${namespace}-alerts`,
            interval: "30s",
            rules: [
                ...planLevelAlerts(monitored, namespace),
                ...planConditions(stack),
                ...(monitored.kind !== "otlp" && monitored.probe !== undefined ? planOutside(namespace) : []),
            ].map((each) => ruleOf(each, links)),
        },
    ];
}

/** The rules' name in the cluster, of the PrometheusRule as well as of the ConfigMap. */
const rulesName = "alert-rules";

export function planPrometheusRule(stack: AlertSettings, namespace: Input<string>): PrometheusRule {
    const labels = stack.monitoring.kind === "prometheusOperator" ? stack.monitoring.labels : {};
    return {
        apiVersion: "monitoring.coreos.com/v1",
        kind: "PrometheusRule",
        metadata: { name: rulesName, namespace, labels: { ...labels, ...objectLabels() } },
        spec: { groups: planRuleGroups(stack) },
    };
}

/** A rules file of Prometheus, vmalert or a managed Prometheus. */
export const planRulesText = (stack: AlertSettings): string =>
    stringify({ groups: planRuleGroups(stack) }, { lineWidth: 0 });

/** For a Prometheus or vmalert without the operator: a rules file, in a ConfigMap. */
export function planRulesFile(stack: AlertSettings, namespace: Input<string>): types.input.core.v1.ConfigMap {
    return {
        metadata: { name: rulesName, namespace, labels: objectLabels() },
        data: { "rules.yaml": planRulesText(stack) },
    };
}

/** One file for each dashboard, found by Grafana's sidecar; undefined when nobody wants them. */
export function planDashboardFiles(
    stack: AlertSettings,
    namespace: Input<string>,
): types.input.core.v1.ConfigMap | undefined {
    const monitored = monitoredBy(stack);
    if (monitored?.grafana === undefined) return undefined;
    const { namespace: name } = stack.kubernetes;
    const files = planDashboards(name, monitored).map((each) => [
        `${name}-${each.name}.json`,
        JSON.stringify(planDashboard(each, name), undefined, 2),
    ]);
    return {
        metadata: { name: "dashboards", namespace, labels: { ...monitored.grafana.labels, ...objectLabels() } },
        data: Object.fromEntries(files) as Record<string, string>,
    };
}

/** For VictoriaMetrics' own pages, in the order of the files' names; undefined when nobody wants them. */
export function planVmuiFiles(
    stack: AlertSettings,
    namespace: Input<string>,
): types.input.core.v1.ConfigMap | undefined {
    const monitored = monitoredBy(stack);
    if (monitored?.vmui !== true) return undefined;
    const { namespace: name } = stack.kubernetes;
    const files = planDashboards(name, monitored).map((each, index) => [
        `${name}-${index + 1}-${each.name}.json`,
        JSON.stringify(planVmuiDashboard(each, name), undefined, 2),
    ]);
    return {
        metadata: { name: "vmui-dashboards", namespace, labels: objectLabels() },
        data: Object.fromEntries(files) as Record<string, string>,
    };
}
