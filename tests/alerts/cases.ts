/** For each alert, series under which it fires and series under which it stays silent, in promtool's notation: one value a minute. */

/** When vmalert-tool's clock starts: 2000-01-01. */
const start = 946_684_800;
const day = 86_400;

export type Series = Readonly<Record<string, string>>;

export interface Firing {
    readonly minute: number;
    readonly series: Series;
    /** Labels beside severity and namespace, one set for each alert that fires; default one alert without any. */
    readonly labels?: readonly Readonly<Record<string, string>>[];
    /** Severities that fire, where there are several. */
    readonly severities?: readonly string[];
}

export interface Silent {
    readonly why: string;
    readonly minute: number;
    readonly series: Series;
}

export interface Case {
    readonly fires: readonly Firing[];
    readonly silent: readonly Silent[];
}

const requests = (status: string, values: string): Series => ({
    [`orcheo_http_requests_total{namespace="orcheo",pod="api-1",method="GET",route="/api/runs/{run_id}",status="${status}"}`]:
        values,
});
const answers = (within: string, all: string): Series => ({
    ...requests("2xx", all),
    'orcheo_http_request_duration_seconds_bucket{namespace="orcheo",pod="api-1",le="2.5"}': within,
    'orcheo_http_request_duration_seconds_count{namespace="orcheo",pod="api-1"}': all,
});
const websockets = (outcome: string, values: string): Series => ({
    [`orcheo_websockets_total{namespace="orcheo",pod="api-1",outcome="${outcome}"}`]: values,
});
const openings = (within: string, all: string): Series => ({
    'orcheo_websocket_opening_seconds_bucket{namespace="orcheo",pod="api-1",le="2.5"}': within,
    'orcheo_websocket_opening_seconds_count{namespace="orcheo",pod="api-1"}': all,
});
const took = (path: string, seconds: string, success = "1x500"): Series => ({
    ...probed(path, success),
    [`probe_duration_seconds{namespace="orcheo",job="orcheo-outside",instance="https://orcheo.example.com:8443${path}"}`]:
        seconds,
});
const probed = (path: string, values: string): Series => ({
    [`probe_success{namespace="orcheo",job="orcheo-outside",instance="https://orcheo.example.com:8443${path}"}`]:
        values,
});
const own = (metric: string, values: string, labels = ""): Series => ({
    [`${metric}{namespace="orcheo",pod="worker-1"${labels}}`]: values,
});
const inOther = (metric: string, values: string, labels = ""): Series => ({
    [`${metric}{namespace="other",pod="worker-1"${labels}}`]: values,
});
const container = ',container="worker"';
const restarts = (values: string): Series => own("kube_pod_container_status_restarts_total", values, container);
const workerContainer = [{ pod: "worker-1", container: "worker" }];
const threads = (values: string): Series => own("container_threads", values, ',container="",image=""');
const most = (values: string): Series => own("container_threads_max", values, ',container="",image=""');
const volume = (available: string): Series => ({
    'kubelet_volume_stats_available_bytes{namespace="orcheo",persistentvolumeclaim="postgres-data"}': available,
    'kubelet_volume_stats_capacity_bytes{namespace="orcheo",persistentvolumeclaim="postgres-data"}': "1000x600",
});
const aVolume = [{ persistentvolumeclaim: "postgres-data" }];
/** Absent alerts would fire without it. */
const nothing: Series = {};

export const cases: Readonly<Record<string, Case>> = {
    OrcheoApiErrors: {
        fires: [
            {
                minute: 70,
                series: { ...requests("2xx", "0+90x100"), ...requests("5xx", "0+10x100") },
                severities: ["critical", "warning"],
            },
            // Slowly: 2 % over hours.
            {
                minute: 600,
                series: { ...requests("2xx", "0+98x600"), ...requests("5xx", "0+2x600") },
                severities: ["warning"],
            },
        ],
        silent: [
            {
                why: "errors within the budget",
                minute: 600,
                series: { ...requests("2xx", "0+998x600"), ...requests("5xx", "0+2x600") },
            },
            { why: "no errors", minute: 70, series: requests("2xx", "0+100x100") },
            {
                why: "one error among few requests",
                minute: 70,
                series: { ...requests("2xx", "0x30 1x15 2x50"), ...requests("5xx", "0x65 1x30") },
            },
            { why: "no requests", minute: 70, series: nothing },
        ],
    },
    OrcheoApiSlow: {
        fires: [{ minute: 70, series: answers("0+70x100", "0+100x100"), severities: ["critical", "warning"] }],
        silent: [{ why: "slow answers within the budget", minute: 600, series: answers("0+995x600", "0+1000x600") }],
    },
    OrcheoWebSocketsFail: {
        fires: [
            {
                minute: 70,
                // Refused ones hide nothing.
                series: {
                    ...websockets("completed", "0+90x100"),
                    ...websockets("refused", "0+900x100"),
                    ...websockets("failed", "0+10x100"),
                },
                severities: ["critical", "warning"],
            },
            {
                minute: 600,
                series: { ...websockets("completed", "0+98x600"), ...websockets("failed", "0+2x600") },
                severities: ["warning"],
            },
        ],
        silent: [
            {
                why: "failures within the budget",
                minute: 600,
                series: { ...websockets("completed", "0+998x600"), ...websockets("failed", "0+2x600") },
            },
            {
                why: "refused ones are their callers' matter",
                minute: 70,
                series: {
                    ...websockets("completed", "0+10x100"),
                    ...websockets("refused", "0+90x100"),
                    ...websockets("failed", "0x100"),
                },
            },
            {
                why: "one failure among few",
                minute: 70,
                series: { ...websockets("completed", "0x30 1x15 2x50"), ...websockets("failed", "0x65 1x30") },
            },
            {
                why: "another stack's",
                minute: 70,
                series: {
                    'orcheo_websockets_total{namespace="other",pod="api-1",outcome="failed"}': "0+10x100",
                },
            },
            {
                why: "none since the start",
                minute: 70,
                series: { ...websockets("completed", "0x100"), ...websockets("failed", "0x100") },
            },
        ],
    },
    OrcheoWebSocketsSlow: {
        fires: [{ minute: 70, series: openings("0+70x100", "0+100x100"), severities: ["critical", "warning"] }],
        silent: [
            { why: "within the budget", minute: 70, series: openings("0+995x100", "0+1000x100") },
            { why: "few", minute: 70, series: openings("0x100", "0x60 1x20 2x20") },
            { why: "none since the start", minute: 70, series: openings("5x100", "10x100") },
        ],
    },
    OrcheoCanvasSlow: {
        fires: [{ minute: 70, series: took("/", "0.1 0.1 4x100"), severities: ["critical", "warning"] }],
        silent: [
            { why: "it is quick", minute: 70, series: took("/", "0.3x100") },
            { why: "one slow answer in six hours", minute: 365, series: took("/", "0.3x300 4 0.3x100") },
            { why: "it is away, after as long a time", minute: 70, series: took("/", "4x100", "0x100") },
            {
                why: "the API is not the canvas",
                minute: 70,
                series: { ...took("/", "0.3x100"), ...took("/api/system/health", "4x100") },
            },
        ],
    },
    OrcheoCanvasUnavailable: {
        fires: [
            // Every tenth request is lost, so that OrcheoUnreachable never fires.
            {
                minute: 118,
                series: {
                    ...probed("/", "1x58 0 1x8 0 1x8 0 1x8 0 1x8 0 1x8 0 1x8"),
                    ...probed("/api/system/health", "1x120"),
                },
                severities: ["critical", "warning"],
            },
        ],
        silent: [
            { why: "one lost request in six hours", minute: 400, series: probed("/", "1x397 0 1x10") },
            {
                why: "the API and the sign-in are not the canvas",
                minute: 70,
                series: {
                    ...probed("/", "1x100"),
                    ...probed("/api/system/health", "0x100"),
                    ...probed("/realms/a/", "0x100"),
                },
            },
            { why: "it answers again", minute: 372, series: probed("/", "0x10 1x370") },
        ],
    },
    OrcheoRunsStartLate: {
        fires: [
            {
                minute: 90,
                series: own("orcheo_runs_oldest_waiting_seconds", "100x100"),
                severities: ["critical", "warning"],
            },
        ],
        silent: [
            { why: "runs wait for seconds", minute: 90, series: own("orcheo_runs_oldest_waiting_seconds", "20x100") },
            { why: "another stack's", minute: 90, series: inOther("orcheo_runs_oldest_waiting_seconds", "100x100") },
        ],
    },
    OrcheoApiDown: {
        fires: [{ minute: 6, series: inOther("orcheo_websockets_open", "0x10") }],
        silent: [{ why: "a process answers", minute: 6, series: own("orcheo_websockets_open", "0x10") }],
    },
    OrcheoWorkersDown: {
        fires: [{ minute: 6, series: inOther("orcheo_worker_slots", "2x10") }],
        silent: [{ why: "a worker answers", minute: 6, series: own("orcheo_worker_slots", "2x10") }],
    },
    OrcheoBeatStalled: {
        fires: [
            { minute: 15, series: own("orcheo_beat_last_tick_timestamp_seconds", `${start}x20`) },
            { minute: 6, series: nothing },
        ],
        silent: [
            { why: "it ticks", minute: 15, series: own("orcheo_beat_last_tick_timestamp_seconds", `${start}+60x20`) },
        ],
    },
    OrcheoQueueGrows: {
        fires: [
            { minute: 30, series: { ...own("orcheo_runs_waiting", "0+2x40"), ...own("orcheo_worker_slots", "2x40") } },
        ],
        silent: [
            {
                why: "a long queue shrinks",
                minute: 30,
                series: { ...own("orcheo_runs_waiting", "100-2x40"), ...own("orcheo_worker_slots", "2x40") },
            },
            {
                why: "a short queue grows",
                minute: 30,
                series: { ...own("orcheo_runs_waiting", "0+0.2x40"), ...own("orcheo_worker_slots", "2x40") },
            },
        ],
    },
    OrcheoWorkersStuck: {
        fires: [
            {
                minute: 40,
                series: {
                    ...own("orcheo_runs_waiting", "3x60"),
                    ...own("orcheo_worker_slots", "2x60"),
                    ...own("orcheo_worker_slots_busy", "0x60"),
                    ...own("orcheo_tasks_started_total", "5x60", ',task="execute_run"'),
                },
            },
        ],
        silent: [
            {
                why: "runs are started",
                minute: 40,
                series: {
                    ...own("orcheo_runs_waiting", "3x60"),
                    ...own("orcheo_worker_slots", "2x60"),
                    ...own("orcheo_worker_slots_busy", "0x60"),
                    ...own("orcheo_tasks_started_total", "0+1x60", ',task="execute_run"'),
                },
            },
            {
                why: "every slot executes a long run",
                minute: 40,
                series: {
                    ...own("orcheo_runs_waiting", "3x60"),
                    ...own("orcheo_worker_slots", "2x60"),
                    ...own("orcheo_worker_slots_busy", "2x60"),
                    ...own("orcheo_tasks_started_total", "5x60", ',task="execute_run"'),
                },
            },
        ],
    },
    OrcheoRunsLost: {
        fires: [{ minute: 20, series: own("orcheo_lost_runs_settled_total", "0x10 1x20", ',action="fail"') }],
        silent: [
            { why: "none", minute: 20, series: own("orcheo_lost_runs_settled_total", "0x30", ',action="fail"') },
            {
                why: "long ago",
                minute: 60,
                series: own("orcheo_lost_runs_settled_total", "0x10 1x60", ',action="fail"'),
            },
        ],
    },
    OrcheoRunsOutOfMemory: {
        fires: [
            {
                minute: 20,
                series: own("orcheo_tasks_finished_total", "0x10 1x20", ',task="execute_run",outcome="lost"'),
            },
        ],
        silent: [
            {
                why: "failed runs are their authors'",
                minute: 20,
                series: own("orcheo_tasks_finished_total", "0x10 1x20", ',task="execute_run",outcome="failed"'),
            },
        ],
    },
    OrcheoServersAway: {
        fires: [{ minute: 10, series: own("orcheo_queue_last_look_timestamp_seconds", `${start}x20`) }],
        silent: [
            {
                why: "read every minute",
                minute: 10,
                series: own("orcheo_queue_last_look_timestamp_seconds", `${start}+60x20`),
            },
        ],
    },
    OrcheoNamesUnresolved: {
        fires: [{ minute: 4, series: own("orcheo_names_unresolved", "0 1x20"), labels: [{ pod: "worker-1" }] }],
        silent: [
            { why: "one look in between", minute: 4, series: own("orcheo_names_unresolved", "0 0 2 0x20") },
            { why: "both are known", minute: 4, series: own("orcheo_names_unresolved", "0x20") },
        ],
    },
    OrcheoConnectionsExhausted: {
        fires: [
            {
                minute: 10,
                series: own("orcheo_pool_requests_waiting", "0 0 3x20", ',store="runs"'),
                labels: [{ pod: "worker-1", store: "runs" }],
            },
            {
                // The workers reach Postgres all the time.
                minute: 10,
                series: {
                    ...own("orcheo_pool_requests_waiting", "0 0 3x20", ',store="runs"'),
                    ...own("orcheo_queue_last_look_timestamp_seconds", `${start}+60x30`),
                },
                labels: [{ pod: "worker-1", store: "runs" }],
            },
            {
                // Postgres was away, half an hour ago.
                minute: 40,
                series: {
                    ...own("orcheo_pool_requests_waiting", "3x50", ',store="runs"'),
                    ...own("orcheo_queue_last_look_timestamp_seconds", `${start}x9 ${start + 10 * 60}+60x40`),
                },
                labels: [{ pod: "worker-1", store: "runs" }],
            },
        ],
        silent: [
            {
                why: "they wait for a moment",
                minute: 10,
                series: own("orcheo_pool_requests_waiting", "3 0 3 0 3 0 3 0 3 0 3 0", ',store="runs"'),
            },
            {
                why: "Postgres is away",
                minute: 12,
                series: {
                    ...own("orcheo_pool_requests_waiting", "0 0 3x20", ',store="runs"'),
                    ...own("orcheo_queue_last_look_timestamp_seconds", `${start} ${start + 60}x20`),
                },
            },
            {
                why: "Postgres is back, and the pools have not connected yet",
                minute: 12,
                series: {
                    ...own("orcheo_pool_requests_waiting", "0 0 3x20", ',store="runs"'),
                    ...own(
                        "orcheo_queue_last_look_timestamp_seconds",
                        `${start} ${start + 60}x8 ${start + 10 * 60}+60x10`,
                    ),
                },
            },
        ],
    },
    ...Object.fromEntries(
        [
            ["OrcheoPostgresConnections", "orcheo_postgres_connections", "orcheo_postgres_connections_max"],
            ["OrcheoQueueMemoryFull", "orcheo_valkey_memory_bytes", "orcheo_valkey_memory_max_bytes"],
        ].map(([alert = "", used = "", most = ""]): [string, Case] => [
            alert,
            {
                fires: [{ minute: 15, series: { ...own(used, "90x20"), ...own(most, "100x20") } }],
                silent: [
                    { why: "there is room", minute: 15, series: { ...own(used, "70x20"), ...own(most, "100x20") } },
                    { why: "there is no limit", minute: 15, series: own(used, "90x20") },
                ],
            },
        ]),
    ),
    OrcheoCanvasDown: {
        fires: [
            {
                minute: 6,
                series: own("kube_deployment_status_replicas_available", "0x10", ',deployment="canvas"'),
                labels: [{ pod: "worker-1", deployment: "canvas" }],
            },
        ],
        silent: [
            {
                why: "one of two serves",
                minute: 6,
                series: own("kube_deployment_status_replicas_available", "1x10", ',deployment="canvas"'),
            },
        ],
    },
    ...Object.fromEntries(
        [
            ["OrcheoPostgresDown", "postgres"],
            ["OrcheoValkeyDown", "valkey"],
        ].map(([alert = "", server = ""]): [string, Case] => {
            const ready = (values: string) => ({
                [`kube_statefulset_status_replicas_ready{namespace="orcheo",statefulset="${server}"}`]: values,
            });
            return [
                alert,
                {
                    fires: [{ minute: 5, series: ready("1 0x10"), labels: [{ statefulset: server }] }],
                    silent: [
                        { why: "ready", minute: 5, series: ready("1x10") },
                        { why: "restarted", minute: 5, series: ready("1 1 1 0 0 1x10") },
                    ],
                },
            ];
        }),
    ),
    OrcheoRestarts: {
        fires: [{ minute: 60, series: restarts("0+0.1x70"), labels: workerContainer }],
        silent: [
            { why: "two", minute: 60, series: restarts("0x10 1x10 2x50") },
            { why: "those before the first sample", minute: 60, series: restarts("_x30 7x30") },
            { why: "those of the pod before, of the same name", minute: 60, series: restarts("7x40 0x20") },
        ],
    },
    OrcheoOutOfMemory: {
        fires: [
            {
                minute: 20,
                series: {
                    ...restarts("0x10 1x20"),
                    ...own(
                        "kube_pod_container_status_last_terminated_reason",
                        "0x10 1x20",
                        `${container},reason="OOMKilled"`,
                    ),
                },
                labels: workerContainer,
            },
        ],
        silent: [
            {
                why: "it ended with an error",
                minute: 20,
                series: {
                    ...restarts("0x10 1x20"),
                    ...own(
                        "kube_pod_container_status_last_terminated_reason",
                        "0x10 1x20",
                        `${container},reason="Error"`,
                    ),
                },
            },
            {
                why: "before the first sample",
                minute: 20,
                series: {
                    ...restarts("_x10 1x20"),
                    ...own(
                        "kube_pod_container_status_last_terminated_reason",
                        "_x10 1x20",
                        `${container},reason="OOMKilled"`,
                    ),
                },
            },
            {
                why: "hours ago",
                minute: 120,
                series: {
                    ...restarts("0x10 1x120"),
                    ...own(
                        "kube_pod_container_status_last_terminated_reason",
                        "0x10 1x120",
                        `${container},reason="OOMKilled"`,
                    ),
                },
            },
        ],
    },
    OrcheoImageUnavailable: {
        fires: [
            {
                minute: 12,
                series: own(
                    "kube_pod_container_status_waiting_reason",
                    "1x20",
                    `${container},reason="ImagePullBackOff"`,
                ),
                labels: workerContainer,
            },
        ],
        silent: [
            {
                why: "it waits for something else",
                minute: 12,
                series: own(
                    "kube_pod_container_status_waiting_reason",
                    "1x20",
                    `${container},reason="ContainerCreating"`,
                ),
            },
        ],
    },
    OrcheoRolloutStuck: {
        fires: [
            {
                minute: 6,
                series: {
                    'kube_deployment_status_condition{namespace="orcheo",deployment="api",condition="Progressing",status="false"}':
                        "1x10",
                },
                labels: [{ deployment: "api", condition: "Progressing", status: "false" }],
            },
        ],
        silent: [
            {
                why: "it goes on",
                minute: 6,
                series: {
                    'kube_deployment_status_condition{namespace="orcheo",deployment="api",condition="Progressing",status="false"}':
                        "0x10",
                },
            },
        ],
    },
    OrcheoAutoscalerAtMaximum: {
        fires: [
            {
                minute: 31,
                series: {
                    'kube_horizontalpodautoscaler_status_current_replicas{namespace="orcheo",horizontalpodautoscaler="api"}':
                        "4x40",
                    'kube_horizontalpodautoscaler_spec_max_replicas{namespace="orcheo",horizontalpodautoscaler="api"}':
                        "4x40",
                },
                labels: [{ horizontalpodautoscaler: "api" }],
            },
        ],
        silent: [
            {
                why: "there is room",
                minute: 31,
                series: {
                    'kube_horizontalpodautoscaler_status_current_replicas{namespace="orcheo",horizontalpodautoscaler="api"}':
                        "3x40",
                    'kube_horizontalpodautoscaler_spec_max_replicas{namespace="orcheo",horizontalpodautoscaler="api"}':
                        "4x40",
                },
            },
        ],
    },
    OrcheoNodeLost: {
        fires: [
            {
                minute: 6,
                series: {
                    'kube_node_status_condition{node="one",condition="Ready",status="true"}': "0x10",
                    'kube_node_status_condition{node="two",condition="Ready",status="true"}': "1x10",
                    ...own("kube_pod_info", "1x10", ',node="one"'),
                },
                labels: [{ node: "one" }],
            },
        ],
        silent: [
            {
                why: "none of our pods runs there",
                minute: 6,
                series: {
                    'kube_node_status_condition{node="one",condition="Ready",status="true"}': "0x10",
                    ...own("kube_pod_info", "1x10", ',node="two"'),
                },
            },
        ],
    },
    OrcheoNoKubernetesMetrics: {
        fires: [{ minute: 61, series: inOther("kube_pod_info", "1x70", ',node="one"') }],
        silent: [{ why: "there are", minute: 61, series: own("kube_pod_info", "1x70", ',node="one"') }],
    },
    OrcheoDiskFull: {
        fires: [{ minute: 6, series: volume("50x20"), labels: aVolume }],
        silent: [{ why: "half full", minute: 6, series: volume("500x20") }],
    },
    OrcheoDiskFills: {
        fires: [{ minute: 440, series: volume("900-1x500"), labels: aVolume }],
        silent: [
            { why: "slowly", minute: 440, series: volume("400-0.1x500") },
            { why: "much is free", minute: 90, series: volume("990-1x500") },
        ],
    },
    OrcheoCpuThrottled: {
        fires: [
            {
                minute: 30,
                series: {
                    ...own("container_cpu_cfs_throttled_periods_total", "0+80x40", container),
                    ...own("container_cpu_cfs_periods_total", "0+100x40", container),
                },
                labels: workerContainer,
            },
        ],
        silent: [
            {
                why: "a tenth of the time",
                minute: 30,
                series: {
                    ...own("container_cpu_cfs_throttled_periods_total", "0+10x40", container),
                    ...own("container_cpu_cfs_periods_total", "0+100x40", container),
                },
            },
        ],
    },
    OrcheoMemoryNearLimit: {
        fires: [
            {
                minute: 20,
                series: {
                    ...own("container_memory_working_set_bytes", "980x30", container),
                    ...own("kube_pod_container_resource_limits", "1000x30", `${container},resource="memory"`),
                },
                labels: workerContainer,
            },
        ],
        silent: [
            {
                why: "used as intended",
                minute: 20,
                series: {
                    ...own("container_memory_working_set_bytes", "800x30", container),
                    ...own("kube_pod_container_resource_limits", "1000x30", `${container},resource="memory"`),
                },
            },
        ],
    },
    OrcheoProcessesNearLimit: {
        fires: [
            {
                minute: 10,
                series: { ...threads("1900x20"), ...most("2048x20") },
                labels: [{ pod: "worker-1" }],
            },
        ],
        silent: [
            { why: "half of them", minute: 10, series: { ...threads("1000x20"), ...most("2048x20") } },
            { why: "no limit", minute: 10, series: { ...threads("1900x20"), ...most("0x20") } },
            {
                why: "a container's own limit is not the pod's",
                minute: 10,
                series: {
                    ...own("container_threads", "10x20", ',container="worker",image="i"'),
                    ...own("container_threads_max", "10x20", ',container="worker",image="i"'),
                },
            },
        ],
    },
    OrcheoCertificateExpires: {
        fires: [
            {
                minute: 61,
                series: {
                    'certmanager_certificate_expiration_timestamp_seconds{namespace="orcheo",name="entrance"}': `${start + 10 * day}x70`,
                },
                labels: [{ name: "entrance" }],
            },
            {
                minute: 61,
                series: {
                    'certmanager_certificate_expiration_timestamp_seconds{namespace="cert-manager",exported_namespace="orcheo",name="api"}': `${start + 10 * day}x70`,
                },
                labels: [{ name: "api" }],
            },
        ],
        silent: [
            {
                why: "a month is left",
                minute: 61,
                series: {
                    'certmanager_certificate_expiration_timestamp_seconds{namespace="orcheo",name="entrance"}': `${start + 30 * day}x70`,
                },
            },
        ],
    },
    OrcheoUnreachable: {
        fires: [
            {
                minute: 4,
                series: {
                    'probe_success{namespace="orcheo",job="orcheo-outside",instance="https://orcheo.example.com/"}':
                        "0x5",
                    'probe_success{namespace="orcheo",job="orcheo-outside",instance="https://orcheo.example.com/api/system/health"}':
                        "1x5",
                },
                labels: [{ instance: "https://orcheo.example.com/" }],
            },
            {
                minute: 4,
                series: { 'probe_success{namespace="other",job="orcheo-outside"}': "1x5" },
                labels: [{ job: "orcheo-outside" }],
            },
        ],
        silent: [
            {
                why: "one lost request",
                minute: 4,
                series: { 'probe_success{namespace="orcheo",job="orcheo-outside",instance="a"}': "1 0 1 1 1" },
            },
        ],
    },
    OrcheoPublicCertificateExpires: {
        fires: [
            {
                minute: 61,
                series: {
                    'probe_ssl_earliest_cert_expiry{namespace="orcheo",job="orcheo-outside",instance="a"}': `${start + 13 * day}x70`,
                },
                labels: [{ instance: "a" }],
            },
        ],
        silent: [
            {
                why: "it was renewed",
                minute: 61,
                series: {
                    'probe_ssl_earliest_cert_expiry{namespace="orcheo",job="orcheo-outside",instance="a"}': `${start + 60 * day}x70`,
                },
            },
        ],
    },
    OrcheoBackupLate: {
        fires: [
            {
                minute: 31,
                series: {
                    'kube_cronjob_status_last_successful_time{namespace="orcheo",cronjob="backup"}': `${start - 2.1 * day}x40`,
                },
            },
            {
                minute: 31,
                series: {
                    'orcheo_backup_last_success_timestamp_seconds{namespace="orcheo",pod="worker-1"}': `${start - 2.1 * day}x40`,
                },
            },
        ],
        silent: [
            {
                why: "one is late",
                minute: 31,
                series: {
                    'kube_cronjob_status_last_successful_time{namespace="orcheo",cronjob="backup"}': `${start - 1.1 * day}x40`,
                },
            },
            {
                why: "the CronJob was made anew, and the database knows of the last one",
                minute: 31,
                series: {
                    'kube_cronjob_status_last_successful_time{namespace="orcheo",cronjob="backup"}': `${start - 2.1 * day}x40`,
                    'orcheo_backup_last_success_timestamp_seconds{namespace="orcheo",pod="worker-1"}': `${start - 0.1 * day}x40`,
                },
            },
        ],
    },
    OrcheoBackupFailed: {
        fires: [
            {
                minute: 60,
                series: {
                    'kube_job_status_failed{namespace="orcheo",job_name="backup-29000"}': "1x70",
                    'kube_job_status_start_time{namespace="orcheo",job_name="backup-29000"}': `${start}x70`,
                },
                labels: [{ job_name: "backup-29000" }],
            },
            {
                minute: 60,
                series: {
                    'kube_job_status_failed{namespace="orcheo",job_name="backup-29000"}': "1x70",
                    'kube_job_status_start_time{namespace="orcheo",job_name="backup-29000"}': `${start}x70`,
                    'kube_cronjob_status_last_successful_time{namespace="orcheo",cronjob="backup"}': `${start - 60}x70`,
                },
                labels: [{ job_name: "backup-29000" }],
            },
        ],
        silent: [
            {
                why: "a later one succeeded",
                minute: 60,
                series: {
                    'kube_job_status_failed{namespace="orcheo",job_name="backup-29000"}': "1x70",
                    'kube_job_status_start_time{namespace="orcheo",job_name="backup-29000"}': `${start}x70`,
                    'kube_cronjob_status_last_successful_time{namespace="orcheo",cronjob="backup"}': `${start + 60}x70`,
                },
            },
            {
                why: "another job",
                minute: 60,
                series: {
                    'kube_job_status_failed{namespace="orcheo",job_name="backend-init-1"}': "1x70",
                    'kube_job_status_start_time{namespace="orcheo",job_name="backend-init-1"}': `${start}x70`,
                },
            },
        ],
    },
    OrcheoWatchdog: { fires: [{ minute: 1, series: nothing }], silent: [] },
};
