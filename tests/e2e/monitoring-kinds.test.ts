/** The two kinds of monitoring that `make up` does not use, with the servers that their users have: `otlp` and `prometheusOperator`. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { startCluster, stopCluster } from "../../local/cluster/cluster.ts";
import { MONITORING } from "../../local/cluster/monitoring.ts";
import { pulumiDir } from "../../local/platform.ts";
import { readStackFile } from "../../local/pulumi.ts";
import { merge, settingsOf } from "../../local/settings.ts";
import { faster } from "./alerts/faster.ts";
import {
    evaluated,
    otlpMonitoring,
    otlpStore,
    restartOtlpStore,
    ruler,
    startOtlpStore,
    startRuler,
    stopOtlpStore,
    store,
} from "./kinds/otlp-store.ts";
import {
    installDefinitions,
    operatedMonitoring,
    PROMETHEUS,
    prometheus,
    removeOperated,
    startOperated,
} from "./kinds/operated.ts";
import { at, createWorkflow, dispatchRuns, ended, socketStatus, type Workflow } from "./orcheo.ts";
import { recorded } from "./platform/bad-input.ts";
import {
    artifacts,
    attempt,
    caller,
    callerAt,
    committed,
    dev,
    eventually,
    expectReady,
    kube,
    NAMESPACE,
    pulumi,
    putSettings,
    report,
    spec,
    STACK,
    toolchain,
    up,
} from "./platform/harness.ts";
import type { MetricsServer, Rule } from "./platform/metrics-server.ts";
import { addressOf, reaches, reachesFrom, refused, startStranger } from "./platform/stranger.ts";
import { answersDuring } from "./platform/watching.ts";

/** For work on these tests: the cluster stays, and the next run takes it as it is. */
const kept = process.env["ORCHEO_KEEP_CLUSTER"] === "1";
/** The autoscaler adds no pod while pods are compared. */
const settings = merge(committed(), { api: { scaling: { minReplicas: 2, maxReplicas: 2 } } });
const senders = ["api", "beat", "worker"] as const;
const roles = ["api", "beat", "canvas", "worker"] as const;
const METRICS_PORT = 9464;

const stackFile = (): string => join(pulumiDir(spec), `Pulumi.${STACK}.yaml`);
function setMonitoring(monitoring: object): void {
    putSettings(stackFile(), { ...settingsOf(readStackFile(stackFile()), stackFile()), monitoring });
}

/** By one update, while people work: a run outlasts it, and every request is answered. */
async function changeTo(monitoring: object): Promise<void> {
    const [run = ""] = await dispatchRuns(caller(), workflows.slow.id, 1, "kinds");
    setMonitoring(monitoring);
    const update = async (): Promise<void> => {
        const { code, output } = await pulumi("up", "--yes", "--skip-preview");
        expect(code, output.slice(-3000)).toBe(0);
    };
    const answers = await answersDuring(update(), caller(), "/api/workflows");
    expect(answers.filter((status) => status !== 200)).toEqual([]);
    expect(at(await ended(caller(), run), "status")).toBe("succeeded");
}

const workflows = { quick: { id: "" }, slow: { id: "" } } satisfies Record<string, Workflow>;
async function succeeds(count: number): Promise<void> {
    for (const run of await dispatchRuns(caller(), workflows.quick.id, count, "kinds"))
        expect(at(await ended(caller(), run), "status")).toBe("succeeded");
}

const pods = async (): Promise<string> => {
    const each = '{.metadata.name} {.status.containerStatuses[*].restartCount}{"\\n"}';
    return kube("get", "pods", "--field-selector=status.phase=Running", "-o", `jsonpath={range .items[*]}${each}{end}`);
};

/** Alerts that fire or wait to fire. */
const alertsOf = (rules: readonly Rule[]): string[] =>
    rules
        .filter(({ type, state }) => type === "alerting" && state !== "inactive")
        .map(({ name, state }) => `${name} ${state}`)
        .sort();

/** Of a healthy stack without kube-state-metrics. */
const withoutObjects = ["OrcheoNoKubernetesMetrics pending", "OrcheoWatchdog firing"];

/** Each group has its own moment within its interval. */
const neverEvaluated = ({ lastEvaluation }: Rule): boolean => new Date(lastEvaluation).getFullYear() < 2000;

async function expectHealthy(server: MetricsServer): Promise<void> {
    const rules = await eventually(
        180,
        server.rules,
        (seen) => alertsOf(seen).join() === withoutObjects.join() && !seen.some(neverEvaluated),
    );
    expect(alertsOf(rules)).toEqual(withoutObjects);
    expect(rules.filter(neverEvaluated)).toEqual([]);
    expect(rules.filter(({ lastError = "" }) => lastError !== "")).toEqual([]);
    expect(rules.length).toBeGreaterThan(60);
}

async function expectRecorded(server: MetricsServer, record: string): Promise<void> {
    const values = await eventually(
        60,
        () => server.numbers(`${record}{namespace="${NAMESPACE}"}`),
        (seen) => seen.length > 0,
    );
    expect(values, record).toEqual([0]);
}

/** What the two servers add: of OpenTelemetry, all have a dot. */
const added = /\.|^(__name__|app_kubernetes_io_component|container|endpoint|instance|job)$/;

/** Names of the series of each role, with the names of their labels. */
async function shapesIn(server: MetricsServer): Promise<Record<string, string[]>> {
    const shapes = new Map<string, Set<string>>(senders.map((role) => [role, new Set()]));
    // When a counter began is a series of its own in a scrape; sent, it is part of each number.
    const names = '__name__=~"(orcheo|process)_.*",__name__!~".*_created"';
    for (const { metric } of await server.query(`{${names},namespace="${NAMESPACE}"}`)) {
        const role = metric["pod"]?.replace(/-.*/, "") ?? "";
        const labels = Object.keys(metric).filter((label) => !added.test(label));
        shapes.get(role)?.add(`${metric["__name__"]}{${labels.sort().join(",")}}`);
    }
    return Object.fromEntries([...shapes].map(([role, seen]) => [role, [...seen].sort()]));
}
const sent: { shapes?: Record<string, string[]> } = {};

const SUCCEEDED = 'sum(orcheo_tasks_finished_total{namespace="orcheo",outcome="succeeded",task="execute_run"})';

beforeAll(async () => {
    mkdirSync(artifacts, { recursive: true });
    // What an interrupted run of this test left.
    if (!kept) await stopCluster(spec, report, { deleteData: true });
    await startCluster(spec, toolchain, report);
    if (kept) await removeOperated();
    await startOtlpStore();
    const { bootstrapToken } = await up({ ...settings, monitoring: otlpMonitoring() });
    dev.caller = await callerAt("orcheo.localhost", String(bootstrapToken));
    await startRuler();
    const handle = `kinds-${Date.now()}`;
    workflows.quick = await createWorkflow(caller(), "0.33", handle);
    workflows.slow = await createWorkflow(caller(), "0.33", `${handle}-slow`, 30);
});

afterAll(async () => {
    if (!kept) await stopCluster(spec, report, { deleteData: true });
});

describe("otlp", () => {
    test("API, worker and beat send their series over verified TLS, each with its namespace and its pod", async () => {
        await succeeds(2);
        // As the probes of the next kind do.
        expect(await socketStatus(caller(), workflows.quick.id)).toBe(101);
        const running = (await pods()).split("\n").map((line) => line.split(" ")[0]);
        for (const [role, series] of [
            ["api", "orcheo_http_request_duration_seconds_bucket"],
            ["worker", "orcheo_tasks_finished_total"],
            ["beat", "orcheo_beat_last_tick_timestamp_seconds"],
        ] as const) {
            const found = await eventually(
                60,
                () => store.query(`${series}{namespace="${NAMESPACE}"}`),
                (seen) => seen.length > 0,
            );
            const from = new Set(found.map(({ metric }) => metric["pod"]));
            expect(from.size, series).toBeGreaterThan(0);
            for (const pod of from) expect(running.filter((each) => each?.startsWith(role))).toContain(pod);
        }
        expect(await store.numbers("max(orcheo_postgres_connections)")).toEqual([expect.toSatisfy((n) => n > 0)]);
    });

    test("nothing listens for a scraper, and the server alone can be reached", async () => {
        expect(await kube("get", "networkpolicies", "-o", "name")).toMatch(/metrics-out$/m);
        const [server, beside] = [
            await addressOf(otlpStore.namespace, otlpStore.label),
            await addressOf(ruler.namespace, ruler.label),
        ];
        for (const role of senders) {
            expect(await reachesFrom(role, "127.0.0.1", METRICS_PORT), role).toBe("ConnectionRefusedError");
            expect(await reachesFrom(role, server, otlpStore.port), role).toBe("open");
            expect(await reachesFrom(role, beside, ruler.port), role).toMatch(refused);
        }
    });

    test("of the stack's rules, evaluated by vmalert, none fires but for what lacks its source", async () => {
        await expectHealthy(evaluated);
        await expectRecorded(store, "orcheo:runs_late");
    });

    test("while the server is away nothing fails, and the counters go on afterwards", async () => {
        sent.shapes = await shapesIn(store);
        const before = await pods();
        const [counted = Number.NaN] = await store.numbers(SUCCEEDED);
        await stopOtlpStore();
        // Several exports of each process.
        const work = Promise.all([succeeds(3), sleep(30_000)]);
        const answers = await answersDuring(work, caller(), "/api/workflows");
        expect(answers.filter((status) => status !== 200)).toEqual([]);
        expect(await pods()).toBe(before);
        await restartOtlpStore();
        const again = await eventually(
            60,
            () => store.numbers(SUCCEEDED),
            ([now = 0]) => now >= counted + 3,
        );
        expect(again).toEqual([counted + 3]);
    });
});

describe("prometheusOperator", () => {
    test("without the operator's CRDs, preview and update refuse it with the remedy, and nothing changes", async () => {
        const before = [await recorded(), await pods()];
        setMonitoring(operatedMonitoring);
        for (const command of [["preview"], ["up", "--yes", "--skip-preview"]]) {
            const { code, output } = await pulumi(...command);
            expect(code).not.toBe(0);
            expect(output).toContain("1 problem, nothing was changed");
            expect(output).toContain("install the Prometheus operator with its CRDs");
        }
        expect([await recorded(), await pods()]).toEqual(before);
    });

    test("with the operator, one update takes the stack there, and every request is answered meanwhile", async () => {
        await installDefinitions();
        await startOperated();
        await changeTo(operatedMonitoring);
    });

    test("Prometheus reads every part by https with the stack's CA, and the probes answer", async () => {
        const scraped = async () =>
            at(await prometheus.data("/api/v1/targets?state=active"), "activeTargets") as readonly {
                readonly scrapePool: string;
                readonly scrapeUrl: string;
                readonly health: string;
                readonly lastError: string;
            }[];
        const pools = [
            ...roles.map((role) => `podMonitor/${NAMESPACE}/${role}/0`),
            ...["entrance", "entrance-websocket"].map((name) => `probe/${NAMESPACE}/${name}`),
        ].sort();
        const poolsIn = (seen: Awaited<ReturnType<typeof scraped>>): string[] =>
            [...new Set(seen.map(({ scrapePool }) => scrapePool))].sort();
        const targets = await eventually(
            120,
            scraped,
            (seen) => poolsIn(seen).length === pools.length && seen.every(({ health }) => health === "up"),
        );
        expect(poolsIn(targets)).toEqual(pools);
        expect(targets.filter(({ health }) => health !== "up")).toEqual([]);
        for (const { scrapeUrl } of targets.filter(({ scrapePool }) => scrapePool.startsWith("podMonitor/")))
            expect(scrapeUrl).toMatch(/^https:\/\/[\d.]+:9464\/metrics$/);
        const success = await eventually(
            60,
            () => prometheus.numbers("probe_success"),
            (seen) => seen.length === 4 && seen.every((value) => value === 1),
        );
        expect(success).toEqual([1, 1, 1, 1]);
    });

    test("the series are those that were sent", async () => {
        await succeeds(1);
        const shapes = await eventually(
            // The update's own is mounted within a minute or two.
            180,
            () => shapesIn(prometheus),
            (seen) => JSON.stringify(seen) === JSON.stringify(sent.shapes),
        );
        expect(shapes).toEqual(sent.shapes);
    });

    test("its rules are loaded without an error, and none fires but for what lacks its source", async () => {
        await expectHealthy(prometheus);
        for (const record of ["orcheo:runs_late", "orcheo:canvas_slow"]) await expectRecorded(prometheus, record);
    });

    test("a pod without the scraper's labels reaches no port of metrics", async () => {
        await startStranger(MONITORING);
        for (const role of roles) {
            const label = `app.kubernetes.io/component=${role}`;
            expect(await reaches(MONITORING, NAMESPACE, label, METRICS_PORT), role).toMatch(refused);
        }
        expect(await reaches(MONITORING, MONITORING, "app.kubernetes.io/name=prometheus", 9090)).toBe("open");
    });

    test("without a worker its alert fires in Prometheus, `make status` sees it there, and it is resolved", async () => {
        const rule = ["prometheusrule", "alert-rules"];
        const own = JSON.parse(await kube("get", ...rule, "-o", "json")) as { spec: object };
        const patch = JSON.stringify({ spec: parse(faster(stringify(own.spec))) as object });
        await kube("patch", ...rule, "--type=merge", "--patch", patch);
        const fires = async (): Promise<boolean> =>
            alertsOf(await prometheus.rules()).includes("OrcheoWorkersDown firing");
        const status = async (): Promise<string> =>
            (await attempt("local/run", ["node", "local/main.ts", "status", `--alerts=${PROMETHEUS}`])).output;
        await kube("scale", "deployment/worker", "--replicas=0");
        expect(await eventually(240, fires, (seen) => seen)).toBe(true);
        expect(await status()).toMatch(/^ +problem: the alert OrcheoWorkersDown fires/m);
        await kube("scale", "deployment/worker", "--replicas=1");
        await expectReady("worker");
        expect(await eventually(240, fires, (seen) => !seen)).toBe(false);
        expect(await status()).not.toContain("OrcheoWorkersDown");
    });
});

describe("none", () => {
    test("an update takes everything away again, and every request is answered meanwhile", async () => {
        await changeTo({ kind: "none" });
        const names = (kinds: string): Promise<string> => kube("get", kinds, "-o", "name");
        expect(await names("podmonitors,probes,prometheusrules")).toBe("");
        expect(await names("networkpolicies,configmaps")).not.toMatch(/metrics|alert-rules/);
        expect(await names("certificates.cert-manager.io")).not.toMatch(/worker|beat/);
        const server = await addressOf(otlpStore.namespace, otlpStore.label);
        for (const role of senders) {
            expect(await reachesFrom(role, "127.0.0.1", METRICS_PORT), role).toBe("ConnectionRefusedError");
            expect(await reachesFrom(role, server, otlpStore.port), role).toMatch(refused);
        }
        const ports = [
            "get",
            "deployments",
            "-o",
            "jsonpath={.items[*].spec.template.spec.containers[*].ports[*].name}",
        ];
        expect(await kube(...ports)).not.toContain("metrics");
        const left = await eventually(
            180,
            async () => at(await prometheus.data("/api/v1/targets?state=active"), "activeTargets"),
            (seen) => Array.isArray(seen) && seen.length === 0,
        );
        expect(left).toEqual([]);
    });
});
