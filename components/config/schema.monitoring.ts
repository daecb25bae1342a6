/** Settings of metrics: who may read them, and how it finds them. */
import { z } from "zod";
import { freeLabelKey, kind, labelKey, labelValue, name, oneOf, whole } from "./fields";

const scraper = {
    namespace: name()
        .default("monitoring")
        .describe("Namespace of the scraper: the only one that may reach the port of the metrics."),
    podLabels: z
        .record(labelKey(), labelValue())
        .refine((labels) => Object.keys(labels).length > 0, { error: "at least one label" })
        .default({ "app.kubernetes.io/name": "prometheus" })
        .describe("Labels of its pods."),
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
                "Labels of the PodMonitors, by which a Prometheus selects them, such as release: kube-prometheus-stack.",
            ),
        scrapeSeconds: whole(5, 300).default(30).describe("Seconds between two scrapes."),
    }),
])
    .prefault({ kind: "none" })
    .describe(
        "Metrics of API, worker, queue and beat ([docs/monitoring.md](monitoring.md)): `annotations` for a scraper that reads prometheus.io/*, `prometheusOperator` for PodMonitors, `none` for no port at all.",
    );

export type Monitoring = z.output<typeof monitoring>;
/** Kinds with a scraper. */
export type Scraped = Exclude<Monitoring, { kind: "none" }>;
