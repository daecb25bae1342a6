/** The dashboards: an overview that says which part is ill, and one for each part. */
import { restartsIn } from "./conditions.plan";
import type { Dashboard, Panel, Query } from "./dashboard.plan";
import { canvasLevelsOf, type LevelSettings } from "./service-levels.plan";

const graph = (title: string, unit: Panel["unit"], description: string, ...queries: readonly Query[]): Panel => ({
    ...{ title, unit, description, queries },
    kind: "timeseries",
});
const number = (title: string, unit: Panel["unit"], description: string, expr: string): Panel => ({
    ...{ title, unit, description },
    kind: "stat",
    queries: [{ expr }],
});

const quantile = (share: number, metric: string, own: string, by = ""): Query => ({
    expr: `histogram_quantile(${share}, sum by (le${by === "" ? "" : `, ${by}`}) (rate(${metric}_bucket{${own}}[5m])))`,
    legend: `p${share * 100}${by === "" ? "" : ` {{${by}}}`}`,
});

function overview(own: string, { serviceLevels, probe }: LevelSettings): Dashboard {
    const { availabilityPercent, latencyPercent, websocketPercent, websocketLatencyPercent, runStartPercent } =
        serviceLevels;
    const { canvasPercent, canvasLatencyPercent } = canvasLevelsOf(serviceLevels);
    const left = (level: string, percent: number): string =>
        `1 - avg_over_time(orcheo:${level}:ratio_rate5m{${own}}[30d]) / ${Number(((100 - percent) / 100).toPrecision(6))}`;
    return {
        name: "overview",
        title: "overview",
        panels: [
            number(
                "Alerts that fire",
                "short",
                "Each has a page that says what to do.",
                `count(ALERTS{${own},alertstate="firing",severity!="none"}) or vector(0)`,
            ),
            number("API processes", "short", "None: the API is down.", `count(orcheo_websockets_open{${own}})`),
            number("Workers", "short", "None: runs wait.", `count(orcheo_worker_slots{${own}})`),
            number(
                "Scheduler's last tick",
                "s",
                "More than 300: no run starts by its schedule.",
                `time() - max(orcheo_beat_last_tick_timestamp_seconds{${own}})`,
            ),
            ...(probe === undefined
                ? []
                : [
                      number(
                          "Budget left: canvas",
                          "percentunit",
                          "Of 30 days; below 0 the objective is missed.",
                          left("canvas_away", canvasPercent),
                      ),
                      number(
                          "Budget left: canvas' latency",
                          "percentunit",
                          "Of 30 days; below 0 the objective is missed.",
                          left("canvas_slow", canvasLatencyPercent),
                      ),
                  ]),
            number(
                "Budget left: errors",
                "percentunit",
                "Of 30 days; below 0 the objective is missed.",
                left("api_errors", availabilityPercent),
            ),
            number(
                "Budget left: latency",
                "percentunit",
                "Of 30 days; below 0 the objective is missed.",
                left("api_slow", latencyPercent),
            ),
            number(
                "Budget left: WebSockets",
                "percentunit",
                "Of 30 days; below 0 the objective is missed.",
                left("websockets_failed", websocketPercent),
            ),
            number(
                "Budget left: WebSockets' opening",
                "percentunit",
                "Of 30 days; below 0 the objective is missed.",
                left("websockets_slow", websocketLatencyPercent),
            ),
            number(
                "Budget left: runs' start",
                "percentunit",
                "Of 30 days; below 0 the objective is missed.",
                left("runs_late", runStartPercent),
            ),
            number(
                "Queue last read",
                "s",
                "More than 120: Postgres or Valkey is away.",
                `time() - max(orcheo_queue_last_look_timestamp_seconds{${own}})`,
            ),
            graph("Requests", "reqps", "Errors, 5xx: the API or its servers are ill.", {
                expr: `sum by (status) (rate(orcheo_http_requests_total{${own}}[5m]))`,
                legend: "{{status}}",
            }),
            graph(
                "Time until an answer begins",
                "s",
                "Rises with load, or with a slow database.",
                quantile(0.5, "orcheo_http_request_duration_seconds", own),
                quantile(0.95, "orcheo_http_request_duration_seconds", own),
            ),
            graph(
                "Runs",
                "short",
                "Waiting grows: too few workers, or none that takes them up.",
                { expr: `max(orcheo_runs_waiting{${own}})`, legend: "waiting" },
                { expr: `max(orcheo_runs_running{${own}})`, legend: "running" },
            ),
            graph("Busy slots of the workers", "percentunit", "Near 100 %: more runs wait from here on.", {
                expr: `sum(orcheo_worker_slots_busy{${own}}) / sum(orcheo_worker_slots{${own}})`,
                legend: "busy",
            }),
        ],
    };
}

const api = (own: string): Dashboard => ({
    name: "api",
    title: "API",
    panels: [
        graph("Requests by route", "reqps", "Which route the load comes from.", {
            expr: `sum by (route) (rate(orcheo_http_requests_total{${own}}[5m]))`,
            legend: "{{route}}",
        }),
        graph("Errors by route", "reqps", "One route: its code. All: a server behind it.", {
            expr: `sum by (route, status) (rate(orcheo_http_requests_total{${own},status=~"4xx|5xx"}[5m]))`,
            legend: "{{status}} {{route}}",
        }),
        graph(
            "Time until an answer begins, by route",
            "s",
            "The slowest twentieth of the requests.",
            quantile(0.95, "orcheo_http_request_duration_seconds", own, "route"),
        ),
        graph("Open WebSockets", "short", "Of each process.", {
            expr: `orcheo_websockets_open{${own}}`,
            legend: "{{pod}}",
        }),
        graph("WebSockets that end", "reqps", "Refused: the caller lacks a token. Failed: the API's log says why.", {
            expr: `sum by (outcome) (rate(orcheo_websockets_total{${own}}[5m]))`,
            legend: "{{outcome}}",
        }),
        graph("Database connections used", "percentunit", "Of those that a pool may open; at 100 % requests wait.", {
            expr: `max by (pod, store) (orcheo_pool_connections{${own},state="used"}) / max by (pod, store) (orcheo_pool_connections_max{${own}})`,
            legend: "{{pod}} {{store}}",
        }),
        graph("Requests that wait for a connection", "short", "More than 0 for long: alert-servers.md.", {
            expr: `max by (pod, store) (orcheo_pool_requests_waiting{${own}})`,
            legend: "{{pod}} {{store}}",
        }),
    ],
});

const runs = (own: string): Dashboard => ({
    name: "runs",
    title: "runs",
    panels: [
        graph(
            "Waiting and running",
            "short",
            "Dispatched runs, and messages in Valkey.",
            { expr: `max(orcheo_runs_waiting{${own}})`, legend: "waiting" },
            { expr: `max(orcheo_runs_running{${own}})`, legend: "running" },
            { expr: `max(orcheo_queue_messages{${own}})`, legend: "messages" },
        ),
        graph("Oldest waiting run", "s", "Its objective is serviceLevels.runStartSeconds.", {
            expr: `max(orcheo_runs_oldest_waiting_seconds{${own}})`,
            legend: "oldest",
        }),
        graph("Started", "reqps", "Tasks that a process took up.", {
            expr: `sum by (task) (rate(orcheo_tasks_started_total{${own}}[5m]))`,
            legend: "{{task}}",
        }),
        graph("Ended", "reqps", "Lost: its process ended, most likely by its memory.", {
            expr: `sum by (outcome) (rate(orcheo_tasks_finished_total{${own},task="execute_run"}[5m]))`,
            legend: "{{outcome}}",
        }),
        graph(
            "Duration",
            "s",
            "From start to end.",
            quantile(0.5, "orcheo_task_duration_seconds", `${own},task="execute_run"`),
            quantile(0.95, "orcheo_task_duration_seconds", `${own},task="execute_run"`),
        ),
        graph("Lost runs that were settled", "short", "In an hour, by what was done with them.", {
            expr: `sum by (action) (increase(orcheo_lost_runs_settled_total{${own}}[1h]))`,
            legend: "{{action}}",
        }),
    ],
});

const servers = (own: string): Dashboard => ({
    name: "servers",
    title: "Postgres and Valkey",
    panels: [
        graph(
            "Connections of Postgres",
            "short",
            "At the maximum new pods do not become ready.",
            { expr: `max(orcheo_postgres_connections{${own}})`, legend: "used" },
            { expr: `max(orcheo_postgres_connections_max{${own}})`, legend: "maximum" },
        ),
        graph("Size of the database", "bytes", "What grows fast is usually one workflow's results.", {
            expr: `max(orcheo_postgres_database_bytes{${own}})`,
            legend: "database",
        }),
        graph("Deadlocks", "short", "In five minutes; each failed a request or a run.", {
            expr: `max(delta(orcheo_postgres_deadlocks{${own}}[5m]))`,
            legend: "deadlocks",
        }),
        graph(
            "Memory of Valkey",
            "bytes",
            "At the maximum new runs are refused.",
            { expr: `max(orcheo_valkey_memory_bytes{${own}})`, legend: "used" },
            { expr: `max(orcheo_valkey_memory_max_bytes{${own}})`, legend: "maximum" },
        ),
        graph("Connections of Valkey", "short", "A few for each process of API, worker and beat.", {
            expr: `max(orcheo_valkey_clients{${own}})`,
            legend: "clients",
        }),
    ],
});

const pods = (own: string): Dashboard => ({
    name: "pods",
    title: "pods, volumes and certificates",
    panels: [
        graph("CPU", "short", "Cores.", {
            expr: `sum by (pod, container) (rate(container_cpu_usage_seconds_total{${own},container!=""}[5m]))`,
            legend: "{{pod}} {{container}}",
        }),
        graph("Held back by the CPU limit", "percentunit", "Share of the time.", {
            expr: `sum by (pod, container) (rate(container_cpu_cfs_throttled_periods_total{${own},container!=""}[5m])) / sum by (pod, container) (rate(container_cpu_cfs_periods_total{${own},container!=""}[5m]))`,
            legend: "{{pod}} {{container}}",
        }),
        graph("Memory", "bytes", "At its limit a container is killed.", {
            expr: `max by (pod, container) (container_memory_working_set_bytes{${own},container!=""})`,
            legend: "{{pod}} {{container}}",
        }),
        graph("Restarts", "short", "In an hour.", {
            expr: restartsIn("1h", own),
            legend: "{{pod}} {{container}}",
        }),
        graph("Volumes", "percentunit", "At 100 % the server on it stops writing.", {
            expr: `1 - kubelet_volume_stats_available_bytes{${own}} / kubelet_volume_stats_capacity_bytes{${own}}`,
            legend: "{{persistentvolumeclaim}}",
        }),
        graph("Certificates", "d", "Days until they expire; cert-manager renews them a month before.", {
            expr: `(certmanager_certificate_expiration_timestamp_seconds{${own}} or certmanager_certificate_expiration_timestamp_seconds{exported_${own}}) / 86400 - time() / 86400`,
            legend: "{{name}}",
        }),
    ],
});

export function planDashboards(namespace: string, scraped: LevelSettings): readonly Dashboard[] {
    const own = `namespace="${namespace}"`;
    return [overview(own, scraped), api(own), runs(own), servers(own), pods(own)];
}
