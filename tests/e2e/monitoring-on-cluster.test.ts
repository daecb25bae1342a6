/** The embedded cluster's monitoring, as `make up` starts and removes it: what it reads, what its pages show, and whom it refuses. */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { retry, startCluster, stopCluster } from "../../local/cluster/cluster.ts";
import { scrapedRoles } from "../../local/cluster/addons/monitoring/scrape.ts";
import { MONITORING } from "../../local/cluster/monitoring.ts";
import { deploy } from "../../local/platform.ts";
import { merge } from "../../local/settings.ts";
import { ensureToolchain } from "../../local/toolchain/build.ts";
import { monitoredUpGroups } from "../../local/toolchain/tools.ts";
import { freePort } from "../local/free-port.ts";
import { makeDisks, storageClass } from "./alerts/disks.ts";
import { openBrowser } from "./browser.ts";
import { block } from "./docs.ts";
import { ask, at, createWorkflow, dispatchRuns, ended, socketStatus, type Workflow } from "./orcheo.ts";
import {
    artifacts,
    attempt,
    caller,
    callerAt,
    committed,
    dev,
    env,
    eventually,
    kube,
    NAMESPACE,
    quickScaling,
    report,
    spec,
    STACK,
} from "./platform/harness.ts";
import { found as documented, logs } from "./platform/log-store.ts";
import { metricsServer } from "./platform/metrics-server.ts";
import { addressOf, reaches, refused, startStranger, stopStranger } from "./platform/stranger.ts";

// Volumes that the kubelet measures; those of the embedded cluster are folders of the machine's disk.
const settings = merge(merge(committed(), quickScaling), {
    database: { kind: "statefulset", storageClass },
    cache: { kind: "valkey", storageClass },
});

/** For work on these tests: the cluster stays, and the next run takes it as it is. */
const kept = process.env["ORCHEO_KEEP_CLUSTER"] === "1";
const toolchain = await ensureToolchain([...monitoredUpGroups, "test"], report);
const up = (monitoring: boolean) =>
    deploy({ ...{ spec, toolchain, report, settings, monitoring }, stack: STACK, signIn: true });

const inMonitoring = `--namespace=${MONITORING}`;
const byName = (name: string): string => `app.kubernetes.io/name=${name}`;
const store = metricsServer(MONITORING, "victoria-metrics:8428");
const { query, numbers } = store;

/** Something of everything that the panels show. */
async function traffic({ id }: Workflow): Promise<void> {
    await ask(caller(), "GET", "/api/workflows");
    await ask(caller(), "GET", "/api/runs/00000000-0000-0000-0000-000000000000");
    await socketStatus(caller(), id);
    for (const run of await dispatchRuns(caller(), id, 2, "monitored")) await ended(caller(), run);
}

interface Panel {
    readonly title: string;
    readonly expr: readonly string[];
}
interface Dashboard {
    readonly title: string;
    readonly rows: readonly { readonly panels: readonly Panel[] }[];
}
/** As the pages get them. */
async function dashboards(): Promise<readonly Dashboard[]> {
    const answer: unknown = JSON.parse(await store.get("/vmui/custom-dashboards"));
    return at(answer, "dashboardsSettings") as readonly Dashboard[];
}

const began = { at: 0 };

beforeAll(async () => {
    mkdirSync(artifacts, { recursive: true });
    // What an interrupted run of this test left.
    if (!kept) await stopCluster(spec, report, { deleteData: true });
    await startCluster(spec, toolchain, report);
    await makeDisks();
    const { bootstrapToken } = await up(true);
    dev.caller = await callerAt("orcheo.localhost", String(bootstrapToken));
    await startStranger(MONITORING);
});

afterAll(async () => {
    if (!kept) await stopCluster(spec, report, { deleteData: true });
});

describe("with the monitoring", () => {
    test("every target is up", async () => {
        const jobs = [
            ...scrapedRoles,
            ...[
                "cert-manager",
                "kubelet/metrics",
                "kubelet/metrics/cadvisor",
                "object-states",
                "orcheo-outside",
                "traefik",
            ],
        ];
        const jobsUp = async (): Promise<(string | undefined)[]> =>
            (await query("min by (job) (up) == 1")).map(({ metric }) => metric["job"]).sort();
        expect(await eventually(180, jobsUp, (up) => up.length === jobs.length)).toEqual(jobs.sort());
        began.at = Math.floor(Date.now() / 1000);
    });

    test("the pages, the API, the sign-in page and a WebSocket answer at their public URLs", async () => {
        const seen = await eventually(
            180,
            () => numbers('probe_success{job="orcheo-outside"}'),
            (found) => found.length === 4 && found.every((value) => value === 1),
        );
        expect(seen).toEqual([1, 1, 1, 1]);
        // Through the entrance, with its certificate; the WebSocket got to the API, which refused it.
        const days = await numbers('(probe_ssl_earliest_cert_expiry{job="orcheo-outside"} - time()) / 86400');
        expect(days).toHaveLength(4);
        for (const left of days) expect(left).toBeGreaterThan(14);
        const status = await numbers('probe_http_status_code{instance=~"https://orcheo.localhost.*/ws/.*"}');
        expect(status).toEqual([expect.toBeOneOf([401, 403])]);
    });

    // Before other tests have runs, whose spans are counted up to a minute later.
    test("each run and its statements are counted as spans, and a trace leads to the lines of API and worker", async () => {
        const counted = async (): Promise<number> => {
            const [count = 0] = await numbers('sum(orcheo_spans_calls_total{span_name="execute_run"})');
            return count;
        };
        const workflow = await createWorkflow(caller(), "0.33", `traced-${Date.now()}`);
        const before = await counted();
        const [run = ""] = await dispatchRuns(caller(), workflow.id, 3, "traced");
        await ended(caller(), run);
        expect(await eventually(120, counted, (now) => now >= before + 3)).toBe(before + 3);
        expect(await query('orcheo_spans_calls_total{span_name="INSERT"}')).not.toEqual([]);
        const logged = await logs(`_time:1h run:="${run}" trace:* | limit 1`);
        const trace = logged[0]?.["trace"] ?? "";
        expect(trace).toMatch(/^[0-9a-f]{32}$/);
        const found = await documented(block("tracing.md", "logs '_time:1d trace").replace("TRACE", trace));
        const names = new Set(found.map((line) => line["kubernetes.pod_name"]?.replace(/-.*/, "")));
        expect([...names].sort()).toEqual(["api", "worker"]);
    });

    test("every query of every panel returns data", async () => {
        const workflow = await createWorkflow(caller(), "0.33", `monitored-${Date.now()}`);
        const all = await dashboards();
        expect(all.map(({ title }) => title)).toEqual(
            ["overview", "API", "runs", "Postgres and Valkey", "pods, volumes and certificates", "spans"].map(
                (title) => `${NAMESPACE}: ${title}`,
            ),
        );
        const queries = all.flatMap(({ title, rows }) =>
            rows.flatMap(({ panels }) =>
                panels.flatMap((panel) => panel.expr.map((expr) => ({ panel: `${title}, ${panel.title}`, expr }))),
            ),
        );
        const empty = await eventually(
            300,
            async () => {
                await traffic(workflow);
                const found = [];
                for (const { panel, expr } of queries)
                    if ((await query(expr)).length === 0) found.push(`${panel}: ${expr}`);
                return found;
            },
            (found) => found.length === 0,
        );
        expect(empty).toEqual([]);
    });

    test("an alert of the stack's own rules reaches Alertmanager, and `make status` knows of it without being told where", async () => {
        const alerts = await eventually(
            180,
            async () =>
                JSON.parse(
                    await metricsServer(MONITORING, "alertmanager:9093").get("/api/v2/alerts"),
                ) as readonly object[],
            (found) => found.some((each) => at(each, "labels", "alertname") === "OrcheoWatchdog"),
        );
        expect(alerts).toContainEqual(
            expect.objectContaining({
                labels: expect.objectContaining({ alertname: "OrcheoWatchdog", namespace: NAMESPACE }) as object,
            }),
        );
        // Its URL may not be known yet to the machine's resolver: the line of the alerts counts alone.
        const { output } = await attempt("local/run", ["node", "local/main.ts", "status"]);
        expect(output).toMatch(/^alerts +(none fires|\d+ (warning|critical))/m);
    });

    test("nobody else reaches what is read, nor the servers that read", async () => {
        expect(await reaches(MONITORING, "traefik", byName("traefik"), 8443)).toBe("open");
        for (const [namespace, label, port] of [
            ["traefik", byName("traefik"), 9000],
            ["cert-manager", byName("cert-manager"), 9402],
            [NAMESPACE, "app.kubernetes.io/component=api", 9464],
            [NAMESPACE, "app.kubernetes.io/component=canvas", 9464],
            [MONITORING, byName("prometheus"), 8428],
            [MONITORING, byName("vmalert"), 8880],
            [MONITORING, byName("alertmanager"), 9093],
            [MONITORING, byName("object-states"), 8080],
            [MONITORING, byName("blackbox-exporter"), 9115],
            [MONITORING, byName("otel-collector"), 4318],
        ] as const)
            expect(await reaches(MONITORING, namespace, label, port), `${namespace} ${label} ${port}`).toMatch(refused);
        // The exporter itself reaches the entrance alone.
        const address = await addressOf("kube-system", "k8s-app=kube-dns");
        expect(await reaches(MONITORING, "kube-system", "k8s-app=kube-dns", 8080)).toBe("open");
        const asked = new URLSearchParams({ module: "http_2xx", target: `http://${address}:8080/health` }).toString();
        expect(await metricsServer(MONITORING, "blackbox-exporter:9115").get(`/probe?${asked}`)).toMatch(
            /^probe_success 0$/m,
        );
    });

    test("it takes little memory", async () => {
        const own = `namespace="${MONITORING}",container!="",container!="stranger"`;
        const [bytes = Infinity] = await numbers(`sum(container_memory_working_set_bytes{${own}})`);
        const [series = Infinity] = await numbers("sum(scrape_samples_post_metric_relabeling)");
        writeFileSync(
            join(artifacts, "monitoring.json"),
            JSON.stringify({ mebibytes: Math.round(bytes / 2 ** 20), series }),
        );
        expect(bytes).toBeLessThan(512 * 2 ** 20);
        expect(series).toBeLessThan(20_000);
    });

    test("its pages draw the dashboards in a browser", async () => {
        const port = await freePort();
        const forward = ["port-forward", inMonitoring, "service/victoria-metrics", `${port}:8428`];
        const tunnel = spawn("kubectl", forward, { env, stdio: "ignore" });
        const browser = await openBrowser();
        try {
            const origin = `http://127.0.0.1:${port}`;
            await retry(30, () => fetch(`${origin}/health`));
            const page = await browser.newPage({ viewport: { width: 1600, height: 1300 } });
            for (const [index, { title, rows }] of (await dashboards()).entries()) {
                await page.goto(`${origin}/vmui/?g0.range_input=15m#/dashboards`);
                await page.getByText(title, { exact: true }).first().click();
                const panels = rows.flatMap((row) => row.panels);
                for (const panel of panels)
                    await page.getByRole("heading", { name: panel.title, exact: true }).first().waitFor();
                // Those in sight have been asked for and drawn.
                await page.locator(".vm-predefined-panel canvas").first().waitFor();
                await page.waitForTimeout(2000);
                expect(await page.locator(".vm-alert_error").allTextContents(), title).toEqual([]);
                await page.screenshot({ path: join(artifacts, `vmui-${index + 1}.png`) });
            }
        } finally {
            await browser.close();
            tunnel.kill();
        }
    });
});

describe("without the variable the next time", () => {
    test("it is gone, and so are the stack's metrics", async () => {
        await stopStranger(MONITORING);
        await up(false);
        const left = ["deployments", "services", "configmaps", "networkpolicies", "serviceaccounts"].join(",");
        const names = (await kube("get", left, inMonitoring, "-o", "name")).trim().split("\n").sort();
        expect(names).toEqual(["configmap/kube-root-ca.crt", "serviceaccount/default"]);
        expect(await kube("get", "clusterroles,clusterrolebindings", "-o", "name")).not.toContain("orcheo-monitoring");
        expect(await kube("get", "service", "--namespace=traefik", "-o", "name")).not.toContain("entrance");
        expect(await kube("get", "configmaps", "-o", "name")).not.toContain("alert-rules");
        const { output } = await attempt("local/run", ["node", "local/main.ts", "status"]);
        expect(output).toMatch(/^alerts +not known/m);
    });

    test("what was measured is there when it comes back", async () => {
        await up(true);
        const before = await eventually(
            60,
            () => query("up{job='beat'}", { time: String(began.at) }),
            (found) => found.length > 0,
        );
        expect(before).toHaveLength(1);
    });
});
