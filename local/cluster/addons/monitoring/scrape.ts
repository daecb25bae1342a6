/** What VictoriaMetrics scrapes: the stack by its annotations, as docs/monitoring.md describes them, and the rest of the cluster. */

/** The stack's processes with metrics (components/monitoring/monitoring.plan.ts). */
export const scrapedRoles = ["api", "worker", "beat", "canvas"] as const;

const meta = (name: string): string => `__meta_kubernetes_${name}`;
const keep = (source: string, regex: string): object => ({ source_labels: [meta(source)], regex, action: "keep" });
const copy = (source: string, target: string): object => ({ source_labels: [meta(source)], target_label: target });
const address = (port: string | number): object => ({
    source_labels: [meta("pod_ip")],
    replacement: `$1:${port}`,
    target_label: "__address__",
});
const pods = (namespace: string): object => ({
    kubernetes_sd_configs: [{ role: "pod", namespaces: { names: [namespace] } }],
});
const annotation = (name: string): string => `pod_annotation_prometheus_io_${name}`;

/** One job for each role: its certificate is for its own name. */
const role = (name: string, namespace: string): object => ({
    job_name: name,
    ...pods(namespace),
    tls_config: { ca_file: "/etc/scrape/ca.crt", server_name: `${name}.${namespace}.svc` },
    relabel_configs: [
        keep(annotation("scrape"), "true"),
        keep("pod_label_app_kubernetes_io_component", name),
        copy(annotation("scheme"), "__scheme__"),
        copy(annotation("path"), "__metrics_path__"),
        {
            source_labels: [meta("pod_ip"), meta(annotation("port"))],
            separator: ":",
            target_label: "__address__",
        },
        copy("namespace", "namespace"),
        copy("pod_name", "pod"),
    ],
});

/** A program of the cluster, in the namespace of its name unless another is said. */
const program = (name: string, port: number, namespace = name): object => ({
    job_name: name,
    ...pods(namespace),
    relabel_configs: [keep("pod_label_app_kubernetes_io_name", name), address(port)],
});

const mounted = "/var/run/secrets/kubernetes.io/serviceaccount";

const kubelet = (metrics_path: string, regex: string, seconds: number): object => ({
    job_name: `kubelet${metrics_path}`,
    scrape_interval: `${seconds}s`,
    scrape_timeout: `${Math.min(seconds, 10)}s`,
    scheme: "https",
    metrics_path,
    kubernetes_sd_configs: [{ role: "node" }],
    authorization: { credentials_file: `${mounted}/token` },
    tls_config: { ca_file: `${mounted}/ca.crt` },
    metric_relabel_configs: [{ source_labels: ["__name__"], regex, action: "keep" }],
});

export interface Scraped {
    /** Of the stack. */
    readonly namespace: string;
    /** Between two scrapes. */
    readonly seconds: number;
    /** The kubelet looks at its containers every ten seconds or so, and at its volumes every minute. */
    readonly kubeletSeconds: number;
    /** Jobs of the stack's probes. */
    readonly probes: readonly object[];
}

export const scrapeConfig = ({ namespace, seconds, kubeletSeconds, probes }: Scraped): object => ({
    global: { scrape_interval: `${seconds}s`, scrape_timeout: `${Math.min(seconds, 10)}s` },
    scrape_configs: [
        ...scrapedRoles.map((name) => role(name, namespace)),
        program("traefik", 9000),
        program("cert-manager", 9402),
        // Its labels say which object they are about.
        { honor_labels: true, ...program("object-states", 8080, "monitoring") },
        kubelet(
            "/metrics/cadvisor",
            "container_(cpu_usage_seconds_total|cpu_cfs_(throttled_)?periods_total|memory_working_set_bytes|threads(_max)?)",
            kubeletSeconds,
        ),
        kubelet("/metrics", "kubelet_volume_stats_.*", kubeletSeconds),
        ...probes,
    ],
});
