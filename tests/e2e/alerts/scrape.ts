/** What VictoriaMetrics scrapes: the stack by its annotations, as docs/monitoring.md describes them, and the rest of the cluster. */
import { NAMESPACE } from "../platform/harness.ts";
import { FASTER } from "./faster.ts";

export const MONITORING = "monitoring";
/** Of the pods that read the cluster. */
export const account = "monitoring";
export const objectStates = { name: "object-states", port: 8080 };

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
const role = (name: string): object => ({
    job_name: name,
    ...pods(NAMESPACE),
    tls_config: { ca_file: "/etc/scrape/ca.crt", server_name: `${name}.${NAMESPACE}.svc` },
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

const mounted = "/var/run/secrets/kubernetes.io/serviceaccount";

/** The kubelet looks at its containers every ten seconds or so, and at its volumes every minute. */
const kubelet = (metrics_path: string, regex: string): object => ({
    job_name: `kubelet${metrics_path}`,
    scrape_interval: "5s",
    scrape_timeout: "5s",
    scheme: "https",
    metrics_path,
    kubernetes_sd_configs: [{ role: "node" }],
    authorization: { credentials_file: `${mounted}/token` },
    tls_config: { ca_file: `${mounted}/ca.crt` },
    metric_relabel_configs: [{ source_labels: ["__name__"], regex, action: "keep" }],
});

/** @param jobs of the stack's probes */
export const scrapeConfigWith = (jobs: readonly object[]): object => ({
    // About as fast as the rules, and slow enough for a busy machine.
    global: { scrape_interval: `${2 * Math.ceil(30 / FASTER)}s`, scrape_timeout: `${2 * Math.ceil(30 / FASTER)}s` },
    scrape_configs: [
        ...["api", "worker", "beat"].map(role),
        {
            job_name: "traefik",
            ...pods("traefik"),
            relabel_configs: [keep("pod_label_app_kubernetes_io_name", "traefik"), address(9000)],
        },
        {
            job_name: "cert-manager",
            ...pods("cert-manager"),
            relabel_configs: [keep("pod_label_app_kubernetes_io_name", "cert-manager"), address(9402)],
        },
        {
            job_name: objectStates.name,
            honor_labels: true,
            ...pods(MONITORING),
            relabel_configs: [keep("pod_name", objectStates.name), address(objectStates.port)],
        },
        kubelet(
            "/metrics/cadvisor",
            "container_(cpu_cfs_(throttled_)?periods_total|memory_working_set_bytes|threads(_max)?)",
        ),
        kubelet("/metrics", "kubelet_volume_stats_.*"),
        ...jobs,
    ],
});

/** What it has to read for that. */
export const rules = [
    {
        apiGroups: [""],
        resources: ["pods", "nodes", "nodes/metrics"],
        verbs: ["get", "list", "watch"],
    },
    {
        apiGroups: ["apps", "batch", "autoscaling"],
        resources: ["deployments", "statefulsets", "horizontalpodautoscalers", "jobs", "cronjobs"],
        verbs: ["list"],
    },
];

/** Of the monitoring's namespace, as strict as the stack's. */
export const scrapersPod = (name: string, labels: object, container: object, others: object = {}): object => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: MONITORING, labels },
    spec: {
        serviceAccountName: account,
        terminationGracePeriodSeconds: 1,
        securityContext: { runAsNonRoot: true, runAsUser: 65_532, seccompProfile: { type: "RuntimeDefault" } },
        // It stays where it is when its node is lost for a while.
        tolerations: [{ operator: "Exists" }],
        containers: [
            {
                name,
                // Without a request it gets nothing while the machine is busy, and a scrape has a deadline.
                resources: { requests: { cpu: "200m" } },
                securityContext: {
                    allowPrivilegeEscalation: false,
                    readOnlyRootFilesystem: true,
                    capabilities: { drop: ["ALL"] },
                },
                volumeMounts: [
                    { name: "config", mountPath: "/etc/scrape" },
                    { name: "data", mountPath: "/data" },
                ],
                ...container,
            },
        ],
        volumes: [
            { name: "config", configMap: { name: "scrape" } },
            { name: "data", emptyDir: {} },
        ],
        ...others,
    },
});
