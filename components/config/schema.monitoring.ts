/** Settings of metrics: who may read them, and how it finds them. */
import { z } from "zod";
import { notifications, probe } from "./schema.notifications";
import { flag, freeLabelKey, httpsUrl, kind, labelKey, labelValue, name, oneOf, whole } from "./fields";
import { otlpTarget } from "./schema.otlp";

/** Upper bounds of the API's latency histograms (orcheo_runtime/metrics_api.py): an objective can only be one of them. */
export const latencyBounds = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

/** Objectives of what the probes measure; optional in the schema, so that one without a probe is refused. */
export const canvasLevels = { canvasPercent: 99.5, canvasLatencyPercent: 99, canvasLatencySeconds: 2.5 } as const;

const percent = () => {
    const accepted = "a number from 50 to 99.99";
    return z
        .number({ error: accepted })
        .min(50, { error: accepted })
        .max(99.99, { error: accepted })
        .meta({ accepted });
};

const bound = () => z.literal(latencyBounds, { error: `one of ${latencyBounds.join(", ")}` });

const seconds = () => {
    // A blackbox exporter gives up after ten seconds, in Prometheus' default settings.
    const accepted = "a number from 0.05 to 9";
    return z.number({ error: accepted }).min(0.05, { error: accepted }).max(9, { error: accepted }).meta({ accepted });
};

const serviceLevels = z
    .strictObject({
        availabilityPercent: percent().default(99.5).describe("Requests that the API answers without a 5xx."),
        latencyPercent: percent().default(99).describe("Requests whose answer begins within `latencySeconds`."),
        latencySeconds: bound().default(2.5).describe("A bound of the histogram."),
        canvasPercent: percent()
            .optional()
            .describe(
                `Time in which \`/\` answers at the public URL; needs \`monitoring.probe\`, which measures it. Default ${canvasLevels.canvasPercent}.`,
            ),
        canvasLatencyPercent: percent()
            .optional()
            .describe(
                `Time in which \`/\`, where it answers, does so within \`canvasLatencySeconds\`; needs \`monitoring.probe\`. Default ${canvasLevels.canvasLatencyPercent}.`,
            ),
        canvasLatencySeconds: seconds()
            .optional()
            .describe(
                `For the whole answer at the public URL, with connection and TLS; needs \`monitoring.probe\`. Default ${canvasLevels.canvasLatencySeconds}.`,
            ),
        websocketPercent: percent()
            .default(99.5)
            .describe("WebSockets that the API does not fail; those that it refuses do not count."),
        websocketLatencyPercent: percent()
            .default(99)
            .describe("WebSockets that are accepted or refused within `websocketLatencySeconds`."),
        websocketLatencySeconds: bound().default(2.5).describe("A bound of the histogram."),
        runStartPercent: percent()
            .default(99)
            .describe("Time in which no dispatched run has waited longer than `runStartSeconds` for a worker."),
        runStartSeconds: whole(5, 86_400).default(60).describe("From the dispatch of a run to its start."),
    })
    .prefault({})
    .describe("Objectives over 30 days; alerts follow from how fast their error budget is used up.");

const evaluated = {
    serviceLevels,
    grafana: z
        .strictObject({
            labels: z
                .record(freeLabelKey(), labelValue())
                .default({ grafana_dashboard: "1" })
                .describe("Labels of the ConfigMap, by which Grafana's sidecar finds it."),
            url: httpsUrl()
                .optional()
                .describe("URL of Grafana, such as https://grafana.example.com: alerts then link to their dashboard."),
        })
        .optional()
        .describe("Makes a ConfigMap with dashboards for Grafana."),
    vmui: flag()
        .default(false)
        .describe(
            "Makes the ConfigMap `vmui-dashboards` with the same dashboards for VictoriaMetrics' own pages: mount it, and name the folder in `-vmui.customDashboardsPath`.",
        ),
    notifications,
    runbooksUrl: httpsUrl()
        .optional()
        .describe(
            "URL of your copy of docs/runbooks, which alerts link to, such as https://git.example.com/orcheo/docs/runbooks; default the path in this repository.",
        ),
};

const scraper = {
    namespace: name()
        .default("monitoring")
        .describe("Namespace of the scraper: the only one that may reach the port of the metrics."),
    podLabels: z
        .record(labelKey(), labelValue())
        .refine((labels) => Object.keys(labels).length > 0, { error: "at least one label" })
        .default({ "app.kubernetes.io/name": "prometheus" })
        .describe("Labels of its pods."),
    probe,
    ...evaluated,
};

export const monitoring = oneOf([
    z.strictObject({ kind: kind("none") }),
    z.strictObject({ kind: kind("annotations"), ...scraper }),
    z.strictObject({
        kind: kind("prometheusOperator"),
        ...scraper,
        labels: z
            .record(freeLabelKey(), labelValue())
            .default({})
            .describe(
                "Labels of the PodMonitors and of the PrometheusRule, by which a Prometheus selects them, such as release: kube-prometheus-stack.",
            ),
        scrapeSeconds: whole(5, 300).default(30).describe("Seconds between two scrapes."),
    }),
    z.strictObject({
        kind: kind("otlp"),
        ...otlpTarget("https://otel.example.com/v1/metrics"),
        exportSeconds: whole(5, 300).default(30).describe("Seconds between two exports."),
        ...evaluated,
    }),
])
    .prefault({ kind: "none" })
    .describe(
        "Metrics of API, worker, queue, beat, Postgres and Valkey, and alerts ([docs/monitoring.md](monitoring.md)): `annotations` for a scraper that reads prometheus.io/* and a rules file, `prometheusOperator` for PodMonitors and a PrometheusRule, `otlp` to send the metrics to any server for OTLP instead, with a rules file, `none` for no metrics at all.",
    );

export type Monitoring = z.output<typeof monitoring>;
/** Kinds whose metrics somebody has. */
export type Monitored = Exclude<Monitoring, { kind: "none" }>;
/** Kinds with a scraper. */
export type Scraped = Exclude<Monitored, { kind: "otlp" }>;
