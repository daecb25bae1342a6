/** Every query of every panel is executed by a store, and returns data when the stack's series are there. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { planDashboards } from "../../components/monitoring/dashboards.plan";
import { planRuleGroups, scraperOf } from "../../components/monitoring/monitoring.plan";
import { monitoredStack } from "../monitored-stack";
import { newFolder, startRules, startStore, stopAll, write } from "../local/metrics-store.ts";

const stack = monitoredStack();
const scraped = scraperOf(stack);
if (scraped === undefined) throw new Error("nobody scrapes");
const dashboards = planDashboards("orcheo", scraped);

const histogram = (name: string, labels: string): [string, number][] => [
    [`${name}_bucket{${labels},le="0.5"}`, 8],
    [`${name}_bucket{${labels},le="2.5"}`, 9],
    [`${name}_bucket{${labels},le="+Inf"}`, 10],
    [`${name}_count{${labels}}`, 10],
];
/** Rise by so much in a minute. */
const counters: readonly [string, number][] = [
    ['orcheo_http_requests_total{pod="api-1",route="/a",method="GET",status="2xx"}', 60],
    ['orcheo_http_requests_total{pod="api-1",route="/a",method="GET",status="5xx"}', 1],
    ...histogram("orcheo_http_request_duration_seconds", 'pod="api-1",route="/a",method="GET"'),
    ['orcheo_websockets_total{pod="api-1",outcome="completed"}', 60],
    ['orcheo_websockets_total{pod="api-1",outcome="failed"}', 1],
    ...histogram("orcheo_websocket_opening_seconds", 'pod="api-1"'),
    ['orcheo_tasks_started_total{pod="worker-1",task="execute_run"}', 2],
    ['orcheo_tasks_finished_total{pod="worker-1",task="execute_run",outcome="succeeded"}', 2],
    ...histogram("orcheo_task_duration_seconds", 'pod="worker-1",task="execute_run"'),
    ['orcheo_lost_runs_settled_total{pod="worker-1",action="fail"}', 0],
    ['container_cpu_usage_seconds_total{pod="api-1",container="api"}', 6],
    ['container_cpu_cfs_throttled_periods_total{pod="api-1",container="api"}', 6],
    ['container_cpu_cfs_periods_total{pod="api-1",container="api"}', 600],
    ['kube_pod_container_status_restarts_total{pod="api-1",container="api"}', 0],
];
const now = Date.now();
const gauges: readonly [string, number][] = [
    ['orcheo_websockets_open{pod="api-1"}', 1],
    ['probe_success{job="orcheo-outside",instance="https://orcheo.example.com/"}', 1],
    ['probe_duration_seconds{job="orcheo-outside",instance="https://orcheo.example.com/"}', 0.2],
    ['orcheo_pool_connections{pod="api-1",store="runs",state="used"}', 1],
    ['orcheo_pool_connections_max{pod="api-1",store="runs"}', 10],
    ['orcheo_pool_requests_waiting{pod="api-1",store="runs"}', 0],
    ['orcheo_worker_slots{pod="worker-1"}', 2],
    ['orcheo_worker_slots_busy{pod="worker-1"}', 1],
    ['orcheo_runs_waiting{pod="worker-1"}', 0],
    ['orcheo_runs_running{pod="worker-1"}', 1],
    ['orcheo_runs_oldest_waiting_seconds{pod="worker-1"}', 0],
    ['orcheo_queue_messages{pod="worker-1"}', 0],
    ['orcheo_queue_last_look_timestamp_seconds{pod="worker-1"}', now / 1000],
    ['orcheo_postgres_connections{pod="worker-1"}', 30],
    ['orcheo_postgres_connections_max{pod="worker-1"}', 100],
    ['orcheo_postgres_database_bytes{pod="worker-1"}', 1e7],
    ['orcheo_postgres_deadlocks{pod="worker-1"}', 0],
    ['orcheo_valkey_memory_bytes{pod="worker-1"}', 1e6],
    ['orcheo_valkey_memory_max_bytes{pod="worker-1"}', 1e8],
    ['orcheo_valkey_clients{pod="worker-1"}', 12],
    ['orcheo_beat_last_tick_timestamp_seconds{pod="beat-1"}', now / 1000],
    ['container_memory_working_set_bytes{pod="api-1",container="api"}', 1e8],
    ['kubelet_volume_stats_available_bytes{persistentvolumeclaim="postgres-data"}', 5],
    ['kubelet_volume_stats_capacity_bytes{persistentvolumeclaim="postgres-data"}', 10],
    ['certmanager_certificate_expiration_timestamp_seconds{name="api"}', now / 1000 + 5e6],
];

let store: string;
beforeAll(async () => {
    store = await startStore();
    const minutes = Array.from({ length: 31 }, (_, index) => index);
    const line = (series: string, value: number, minute: number) =>
        `${series.replace("{", '{namespace="orcheo",')} ${value} ${Math.round(now - (30 - minute) * 60_000)}`;
    await write(store, [
        ...counters.flatMap(([series, rise]) => minutes.map((minute) => line(series, rise * minute, minute))),
        ...gauges.flatMap(([series, value]) => minutes.map((minute) => line(series, value, minute))),
    ]);
    const rules = join(newFolder(), "rules.yaml");
    writeFileSync(rules, stringify({ groups: planRuleGroups(stack).map((group) => ({ ...group, interval: "1s" })) }));
    await startRules(rules, store);
    for (let tries = 0; tries < 240 && (await answered("orcheo:runs_late:ratio_rate5m")).length === 0; tries++)
        await sleep(500);
});
afterAll(stopAll);

interface Sample {
    readonly metric: Readonly<Record<string, string>>;
    readonly value: readonly [number, string];
}

async function answered(expr: string): Promise<readonly Sample[]> {
    const answer = await fetch(`${store}/api/v1/query`, { method: "POST", body: new URLSearchParams({ query: expr }) });
    const body = (await answer.json()) as { error?: string; data?: { result: readonly Sample[] } };
    expect(body.error).toBeUndefined();
    return body.data?.result ?? [];
}

describe.each(dashboards.flatMap(({ name, panels }) => panels.map((panel) => [name, panel.title, panel] as const)))(
    "%s: %s",
    (_, __, { queries }) => {
        it.each(queries.map(({ expr, legend }) => [expr, legend] as const))("%s", async (expr, legend = "") => {
            const result = await answered(expr);
            expect(result.length).toBeGreaterThan(0);
            for (const { value } of result) expect(Number.isFinite(Number(value[1])), value[1]).toBe(true);
            const labels = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = ""]) => label);
            for (const { metric } of result) expect(Object.keys(metric)).toEqual(expect.arrayContaining(labels));
        });
    },
);

it("another stack's series are not shown", async () => {
    for (const { panels } of planDashboards("other", scraped))
        for (const { expr } of panels.flatMap(({ queries }) => queries))
            if (!expr.endsWith("or vector(0)")) expect(await answered(expr), expr).toEqual([]);
});
