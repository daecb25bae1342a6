/** The entrance as people reach it: probed through the public URL, and the alerts on that. */
import type { types } from "@pulumi/kubernetes";
import type { Input } from "@pulumi/pulumi";
import { stringify } from "yaml";
import { discoveryUrl } from "../config/derived";
import type { Stack } from "../config/schema";
import type { Probed } from "../config/schema.notifications";
import type { Probe } from "../kubernetes/custom-object";
import { objectLabels } from "../kubernetes/labels";
import type { Alert } from "./alert.plan";

export type OutsideSettings = Pick<Stack, "auth" | "publicUrl">;

/** Label of the series. */
const job = "orcheo-outside";

const probes = (namespace: string): string => `job="${job}",namespace="${namespace}"`;
/** Those of `/`: the only URL without a path. */
const ofCanvas = (namespace: string): string => `{${probes(namespace)},instance=~"https?://[^/]+/"}`;
/** Whether `/` answered. */
export const canvasProbes = (namespace: string): string => `probe_success${ofCanvas(namespace)}`;
/** Seconds that `/` took, where it answered: away is another fault than slow. */
export const canvasAnswers = (namespace: string): string =>
    `probe_duration_seconds${ofCanvas(namespace)} and ${canvasProbes(namespace)} == 1`;

/** No such workflow: a WebSocket without a token is refused by the API itself, which shows that it gets there. */
const socketPath = "/ws/workflow/probe";

/** Names of the Probes, each with its module and URLs. */
function targetsOf({ auth: { signIn }, publicUrl }: OutsideSettings, { module, websocketModule }: Probed) {
    const pages = [
        `${publicUrl}/`,
        `${publicUrl}/api/system/health`,
        // What a browser reads first when somebody signs in.
        ...(signIn.kind === "oidc" ? [discoveryUrl(signIn.issuer)] : []),
    ];
    return [
        { name: "entrance", module, urls: pages },
        ...(websocketModule === undefined
            ? []
            : [{ name: "entrance-websocket", module: websocketModule, urls: [`${publicUrl}${socketPath}`] }]),
    ];
}

export function planProbes(
    stack: OutsideSettings,
    probed: Probed,
    { namespace, labels }: { readonly namespace: Input<string>; readonly labels: Readonly<Record<string, string>> },
): readonly Probe[] {
    return targetsOf(stack, probed).map(({ name, module, urls }) => ({
        apiVersion: "monitoring.coreos.com/v1",
        kind: "Probe",
        metadata: { name, namespace, labels: { ...labels, ...objectLabels() } },
        spec: {
            jobName: job,
            interval: `${probed.seconds}s`,
            module,
            prober: { url: probed.prober },
            targets: { staticConfig: { static: urls, labels: { namespace } } },
        },
    }));
}

/**
 * For a scraper without the operator: a file for Prometheus' `scrape_config_files`, in a ConfigMap. One job, whose targets say which module they are
 * for; its name is this stack's own, as Prometheus refuses two of the same name.
 *
 * @see https://prometheus.io/docs/guides/multi-target-exporter/
 */
export function planProbesFile(
    stack: OutsideSettings,
    probed: Probed,
    { namespace, name }: { readonly namespace: Input<string>; readonly name: string },
): types.input.core.v1.ConfigMap {
    const job_name = `${job}-${name}`;
    const scrape = {
        job_name,
        metrics_path: "/probe",
        scrape_interval: `${probed.seconds}s`,
        static_configs: targetsOf(stack, probed).map(({ module, urls }) => ({
            targets: urls,
            labels: { namespace: name, __param_module: module },
        })),
        relabel_configs: [
            { source_labels: ["__address__"], target_label: "__param_target" },
            { source_labels: ["__param_target"], target_label: "instance" },
            { target_label: "__address__", replacement: probed.prober },
            { target_label: "job", replacement: job },
        ],
    };
    return {
        metadata: { name: "probes", namespace, labels: objectLabels() },
        data: { "probes.yaml": stringify({ scrape_configs: [scrape] }, { lineWidth: 0 }) },
    };
}

export function planOutside(namespace: string): Alert[] {
    const own = probes(namespace);
    const page = "alert-outside.md";
    return [
        {
            name: "OrcheoUnreachable",
            severity: "critical",
            expr: `min by (instance) (probe_success{${own}}) == 0 or absent(probe_success{${own}})`,
            for: "3m",
            summary: "Orcheo does not answer at its public URL, or nobody probes it.",
            page,
        },
        {
            name: "OrcheoPublicCertificateExpires",
            severity: "warning",
            expr: `min by (instance) (probe_ssl_earliest_cert_expiry{${own}}) - time() < 14 * 86400`,
            for: "1h",
            summary: "The certificate that people see expires within 14 days.",
            page,
        },
    ];
}
