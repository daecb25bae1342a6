/** Alerts on conditions, beside those on service levels: each names what to do on its page of docs/runbooks. */
import { longestGapSeconds } from "../config/schema.backup";
import type { Stack } from "../config/schema";
import type { Alert } from "./alert.plan";

export type ConditionSettings = Pick<Stack, "api" | "backup" | "cache" | "database" | "kubernetes">;

/** Metrics of Orcheo's own processes. */
function planOwn(own: string): Alert[] {
    const page = "alert-runs.md";
    const waiting = `max(orcheo_runs_waiting{${own}})`;
    const slots = `sum(orcheo_worker_slots{${own}})`;
    const sinceLastLook = `time() - max(orcheo_queue_last_look_timestamp_seconds{${own}})`;
    const absent = (metric: string) => `absent(${metric}{${own}})`;
    return [
        {
            name: "OrcheoApiDown",
            severity: "critical",
            expr: absent("orcheo_websockets_open"),
            for: "5m",
            summary: "No API process can be scraped: the API is down, or the scraper no longer reaches it.",
            page: "alert-api.md",
        },
        {
            name: "OrcheoWorkersDown",
            severity: "critical",
            expr: absent("orcheo_worker_slots"),
            for: "5m",
            summary: "No worker can be scraped: runs wait, and lost ones are not settled.",
            page,
        },
        {
            name: "OrcheoBeatStalled",
            severity: "critical",
            expr: `${absent("orcheo_beat_last_tick_timestamp_seconds")} or time() - max(orcheo_beat_last_tick_timestamp_seconds{${own}}) > 300`,
            for: "5m",
            summary: "The scheduler has not looked for due triggers for five minutes: no run starts by its schedule.",
            page,
        },
        {
            name: "OrcheoQueueGrows",
            severity: "warning",
            expr: `${waiting} > 4 * ${slots} and max(deriv(orcheo_runs_waiting{${own}}[15m])) > 0`,
            for: "10m",
            summary: "More runs are dispatched than the workers execute: the queue is long and grows.",
            page,
        },
        {
            name: "OrcheoWorkersStuck",
            severity: "critical",
            expr: `(${waiting} > 0 and sum(orcheo_worker_slots_busy{${own}}) < ${slots}) unless sum(increase(orcheo_tasks_started_total{${own},task="execute_run"}[15m])) > 0`,
            for: "10m",
            summary: "Runs wait although workers have free slots, and none was started for 15 minutes.",
            page,
        },
        {
            name: "OrcheoRunsLost",
            severity: "warning",
            expr: `sum(increase(orcheo_lost_runs_settled_total{${own}}[30m])) > 0`,
            summary: "Runs lost their worker or their message in the last 30 minutes, and were settled.",
            page,
        },
        {
            name: "OrcheoRunsOutOfMemory",
            severity: "warning",
            expr: `sum(increase(orcheo_tasks_finished_total{${own},outcome="lost"}[30m])) > 0`,
            summary: "A worker's process ended in the middle of a run, most likely by its memory limit.",
            page,
        },
        {
            name: "OrcheoServersAway",
            severity: "critical",
            expr: `${sinceLastLook} > 120`,
            for: "3m",
            summary: "No worker has read the queue and the runs for two minutes: Postgres or Valkey does not answer.",
            page: "alert-servers.md",
        },
        {
            name: "OrcheoNamesUnresolved",
            severity: "critical",
            expr: `max by (pod) (orcheo_names_unresolved{${own}}) > 0`,
            for: "2m",
            summary: "A worker gets no address for Postgres or Valkey: DNS does not answer, or does not know the name.",
            page: "alert-servers.md",
        },
        {
            name: "OrcheoConnectionsExhausted",
            severity: "warning",
            // While Postgres is away, requests wait for it, and not for one another; afterwards until the pools have connected again.
            expr: `max by (pod, store) (min_over_time(orcheo_pool_requests_waiting{${own}}[5m])) > 0 unless on() max_over_time((${sinceLastLook})[10m:1m]) > 120`,
            summary: "Requests of an API process keep waiting for a database connection.",
            page: "alert-servers.md",
        },
    ];
}

/** Metrics of both servers, which the workers read. */
function planServers(own: string): Alert[] {
    const share = (used: string, most: string) => `max(${used}{${own}}) / max(${most}{${own}})`;
    return [
        {
            name: "OrcheoPostgresConnections",
            severity: "warning",
            expr: `${share("orcheo_postgres_connections", "orcheo_postgres_connections_max")} > 0.85`,
            for: "10m",
            summary: "Postgres has less than 15 % of its connections left: new pods will not become ready.",
            page: "alert-servers.md",
        },
        {
            name: "OrcheoQueueMemoryFull",
            severity: "critical",
            expr: `${share("orcheo_valkey_memory_bytes", "orcheo_valkey_memory_max_bytes")} > 0.85`,
            for: "5m",
            summary: "The queue fills Valkey's memory: when it is full, new runs are refused.",
            page: "alert-servers.md",
        },
    ];
}

/**
 * Not increase: that of VictoriaMetrics, as its changes, also counts the number that is seen first. A StatefulSet's new pod has the name of the old
 * one and begins with 0.
 */
export function restartsIn(time: string, own: string): string {
    const restarts = `kube_pod_container_status_restarts_total{${own}}`;
    return `sum by (pod, container) (${restarts} - min_over_time(${restarts}[${time}]))`;
}

/** Metrics of kube-state-metrics. */
function planObjects(own: string, { api, database, cache }: ConditionSettings): Alert[] {
    const { minReplicas, maxReplicas } = api.scaling;
    const page = "alert-pods.md";
    const servers = [
        ...(database.kind === "statefulset" ? ["postgres"] : []),
        ...(cache.kind === "valkey" ? ["valkey"] : []),
    ];
    return [
        {
            name: "OrcheoCanvasDown",
            severity: "critical",
            expr: `kube_deployment_status_replicas_available{${own},deployment="canvas"} == 0`,
            for: "5m",
            summary: "No pod serves the canvas: people see an error instead of the page.",
            page,
        },
        ...servers.map((server) => ({
            name: server === "postgres" ? "OrcheoPostgresDown" : "OrcheoValkeyDown",
            severity: "critical" as const,
            expr: `kube_statefulset_status_replicas_ready{${own},statefulset="${server}"} == 0`,
            for: "3m",
            summary:
                server === "postgres" ? "Postgres is not ready: nothing works." : "Valkey is not ready: runs wait.",
            page: "alert-servers.md",
        })),
        {
            name: "OrcheoRestarts",
            severity: "warning",
            expr: `${restartsIn("1h", own)} > 3`,
            summary: "A container was restarted more than three times within an hour.",
            page,
        },
        {
            name: "OrcheoOutOfMemory",
            severity: "warning",
            expr: `${restartsIn("30m", own)} > 0 and on(pod, container) kube_pod_container_status_last_terminated_reason{${own},reason="OOMKilled"} == 1`,
            summary: "A container was killed by its memory limit.",
            page,
        },
        {
            name: "OrcheoImageUnavailable",
            severity: "warning",
            expr: `max by (pod, container) (kube_pod_container_status_waiting_reason{${own},reason=~"ImagePullBackOff|ErrImagePull"}) > 0`,
            for: "10m",
            summary: "A node cannot pull an image: the registry is away or refuses it.",
            page,
        },
        {
            name: "OrcheoRolloutStuck",
            severity: "warning",
            expr: `kube_deployment_status_condition{${own},condition="Progressing",status="false"} == 1`,
            for: "5m",
            summary: "A deployment has stopped half-way: the old pods keep serving.",
            page,
        },
        ...(maxReplicas > minReplicas
            ? [
                  {
                      name: "OrcheoAutoscalerAtMaximum",
                      severity: "warning" as const,
                      expr: `kube_horizontalpodautoscaler_status_current_replicas{${own}} >= kube_horizontalpodautoscaler_spec_max_replicas{${own}}`,
                      for: "30m",
                      summary: "The API runs with as many pods as it may: more load makes it slower.",
                      page,
                  },
              ]
            : []),
        {
            name: "OrcheoNodeLost",
            severity: "warning",
            expr: `max by (node) (kube_node_status_condition{condition="Ready",status="true"} == 0) and on(node) count by (node) (kube_pod_info{${own}})`,
            for: "5m",
            summary: "A node that Orcheo's pods run on does not answer.",
            page: "alert-nodes.md",
        },
        {
            name: "OrcheoNoKubernetesMetrics",
            severity: "info",
            expr: `absent(kube_pod_info{${own}})`,
            for: "1h",
            summary: "There are no metrics of kube-state-metrics: the alerts on pods, nodes and backups cannot fire.",
            page: "alert-monitoring.md",
        },
    ];
}

/** Metrics of the kubelet and of cert-manager. */
function planResources(own: string, namespace: string): Alert[] {
    const volume = (name: string) => `kubelet_volume_stats_${name}{${own}}`;
    const container = `${own},container!=""`;
    const pod = `${own},container="",image="",pod!=""`;
    const expiry = "certmanager_certificate_expiration_timestamp_seconds";
    return [
        {
            name: "OrcheoDiskFull",
            severity: "critical",
            expr: `${volume("available_bytes")} / ${volume("capacity_bytes")} < 0.1`,
            for: "5m",
            summary: "A volume is more than 90 % full: the server on it stops writing when it is full.",
            page: "alert-disk.md",
        },
        {
            name: "OrcheoDiskFills",
            severity: "warning",
            expr: `${volume("available_bytes")} / ${volume("capacity_bytes")} < 0.5 and predict_linear(${volume("available_bytes")}[6h], 86400) < 0`,
            for: "30m",
            summary: "At the pace of the last six hours, a volume is full within a day.",
            page: "alert-disk.md",
        },
        {
            name: "OrcheoCpuThrottled",
            severity: "warning",
            expr: `sum by (pod, container) (rate(container_cpu_cfs_throttled_periods_total{${container}}[5m])) / sum by (pod, container) (rate(container_cpu_cfs_periods_total{${container}}[5m])) > 0.5`,
            for: "15m",
            summary: "A container is held back by its CPU limit in more than half of the time.",
            page: "alert-pods.md",
        },
        {
            name: "OrcheoMemoryNearLimit",
            severity: "warning",
            expr: `max by (pod, container) (container_memory_working_set_bytes{${container}}) / on(pod, container) max by (pod, container) (kube_pod_container_resource_limits{${own},resource="memory"}) > 0.95`,
            for: "15m",
            summary: "A container uses more than 95 % of its memory limit.",
            page: "alert-pods.md",
        },
        {
            // A pod's own cgroup, which has no image: the kubelet sets the limit there, for all containers together. 0 is no limit.
            name: "OrcheoProcessesNearLimit",
            severity: "warning",
            expr: `max by (pod) (container_threads{${pod}}) / on(pod) (max by (pod) (container_threads_max{${pod}}) > 0) > 0.85`,
            for: "5m",
            summary:
                "A pod has more than 85 % of the processes and threads that its node allows: it will fail to start new ones.",
            page: "alert-pods.md",
        },
        {
            // Without honorLabels the certificate's own namespace is called exported_namespace.
            name: "OrcheoCertificateExpires",
            severity: "warning",
            expr: `min by (name) (${expiry}{${own}} or ${expiry}{exported_namespace="${namespace}"}) - time() < 14 * 86400`,
            for: "1h",
            summary: "A certificate expires within 14 days and was not renewed.",
            page: "alert-certificate.md",
        },
    ];
}

/** A run may be late; two of them missing is a fault. */
const missedBackups = 2;

function planBackups(own: string, { backup }: ConditionSettings): Alert[] {
    if (backup === undefined) return [];
    const seconds = missedBackups * longestGapSeconds(backup.schedule);
    return [
        {
            name: "OrcheoBackupLate",
            severity: "critical",
            // Either knows it: kube-state-metrics, or the workers from the database.
            expr: `time() - max(kube_cronjob_status_last_successful_time{${own},cronjob="backup"} or orcheo_backup_last_success_timestamp_seconds{${own}}) > ${seconds}`,
            for: "30m",
            summary: "The last two backups are missing.",
            page: "alert-backup.md",
        },
        {
            name: "OrcheoBackupFailed",
            severity: "warning",
            // Not after a later one has succeeded: the failed Job stays there for days.
            expr: `max by (job_name) (kube_job_status_failed{${own},job_name=~"backup-.*"}) > 0 and on(job_name) kube_job_status_start_time{${own}} > scalar(max(kube_cronjob_status_last_successful_time{${own},cronjob="backup"}) or vector(0)) and on(job_name) time() - kube_job_status_start_time{${own}} < 86400`,
            for: "5m",
            summary: "A backup failed within the last day, and none has succeeded since.",
            page: "alert-backup.md",
        },
    ];
}

export function planConditions(stack: ConditionSettings): Alert[] {
    const { namespace } = stack.kubernetes;
    const own = `namespace="${namespace}"`;
    return [
        ...planOwn(own),
        ...planServers(own),
        ...planObjects(own, stack),
        ...planResources(own, namespace),
        ...planBackups(own, stack),
        {
            name: "OrcheoWatchdog",
            severity: "none",
            expr: "vector(1)",
            summary:
                "Always fires: while it arrives, other alerts would too; when it stops, something must raise the alarm.",
            page: "alert-monitoring.md",
        },
    ];
}
