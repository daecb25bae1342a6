/** The embedded cluster's logs: one request from the entrance to the database, audit logs apart, and the alerts on these. */
import { mkdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startCluster, stopCluster } from "../../local/cluster/cluster.ts";
import { auditRules, ensureMonitoring, MONITORING, monitoringSettings } from "../../local/cluster/monitoring.ts";
import { merge } from "../../local/settings.ts";
import { ensureToolchain } from "../../local/toolchain/build.ts";
import { monitoredUpGroups } from "../../local/toolchain/tools.ts";
import { startCollector, stopCollectors } from "../local/collector.ts";
import { startLogStore, stopAll } from "../local/metrics-store.ts";
import { accountVariable, startAccount } from "../verdicts/aws/account.ts";
import { credentialsOf, region, withCli } from "../verdicts/aws/cli.ts";
import { auditStories, letStrangersIn, startStranger, STRANGERS, watchAlertmanager } from "./alerts/audit.ts";
import { auditFaults } from "./alerts/faults.ts";
import { type Row, runStory } from "./alerts/story.ts";
import { writeMeasured } from "./alerts/table.ts";
import { block } from "./docs.ts";
import { createWorkflow, dispatch, ended } from "./orcheo.ts";
import {
    artifacts,
    attempt,
    caller,
    callerAt,
    committed,
    dev,
    eventually,
    exec,
    kube,
    NAMESPACE,
    report,
    spec,
    STACK,
    toolchain,
    up,
} from "./platform/harness.ts";
import { collectorConfig, linesIn, values, valuesForCloudWatch } from "./platform/log-shipping.ts";
import { found, type Line, logs, logsCommand } from "./platform/log-store.ts";
import { reaches, refused } from "./platform/stranger.ts";

const kept = process.env["ORCHEO_KEEP_CLUSTER"] === "1";
const settings = merge(committed(), {
    monitoring: monitoringSettings,
    database: { kind: "statefulset", audit: ["ddl", "role"] },
});
/** Alerts end soon after their cause. */
const pace = { auditWindow: "20s" };
const rows: Row[] = [];
const running: { watching?: Awaited<ReturnType<typeof watchAlertmanager>>; request?: string } = {};
/** Parts whose lines a request is in. */
const parts = ["api", "postgres", "traefik", "worker"];
const partsIn = (lines: readonly Line[], pod: string): readonly (string | undefined)[] =>
    [...new Set(lines.map((line) => line[pod]?.replace(/-.*/, "")))].sort();

const some = (lines: readonly Line[]): boolean => lines.length > 0;
const sql = async (statement: string): Promise<string> => {
    const { code, output } = await exec("postgres-0", "psql", "-h", "/tmp", "-U", "postgres", "-Atc", statement);
    if (code !== 0) throw new Error(output);
    return output.trim();
};
const ofPostgres = `{"kubernetes.pod_namespace"="${NAMESPACE}"} logger:=postgres`;
const inMonitoring = `--namespace=${MONITORING}`;

beforeAll(async () => {
    mkdirSync(artifacts, { recursive: true });
    // What an interrupted run of this test left.
    if (!kept) await stopCluster(spec, report, { deleteData: true });
    await startCluster(spec, toolchain, report);
    const { bootstrapToken } = await up(settings);
    dev.caller = await callerAt("orcheo.localhost", String(bootstrapToken));
    const watched = { stack: STACK, namespace: NAMESPACE, host: "orcheo.localhost" };
    await ensureMonitoring(spec, await ensureToolchain([...monitoredUpGroups, "test"], report), watched, pace);
    await letStrangersIn();
    running.watching = await watchAlertmanager(auditRules(NAMESPACE));
});

afterAll(async () => {
    await writeMeasured(rows);
    running.watching?.stop();
    stopCollectors();
    stopAll();
    if (!kept) await stopCluster(spec, report, { deleteData: true });
});

test("an update, and the work of the stack, raise no alert on audit logs", async () => {
    const { receiver } = running.watching ?? expect.fail("the monitoring has not started");
    await receiver.until(180, "the rules are evaluated", () => receiver.names().includes("OrcheoWatchdog"));
    expect(receiver.names().filter((name) => name in auditFaults)).toEqual([]);
    // The alert's window is shorter than the time since Postgres has started.
    const started = await eventually(60, () => logs(`_time:1h ${ofPostgres} "starting PostgreSQL"`), some);
    expect(started).toHaveLength(1);
    expect(await logs(`_time:1h ${ofPostgres} code:in(28P01,28000)`)).toEqual([]);
});

test("one request is found in the lines of Traefik, API, worker and Postgres, by the command of docs/logs.md", async () => {
    const runId = await dispatch(caller(), await createWorkflow(caller(), "0.33", "e2e-logs"));
    await ended(caller(), runId);
    const executed = await eventually(60, () => logs(`_time:1h run:="${runId}" request:*`), some);
    const id = executed[0]?.["request"] ?? "";
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    // The worker's connections have its id until its next run: Postgres says that they end.
    await sql(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = '${id}'`);
    const names = await eventually(
        60,
        async () => partsIn(await found(logsCommand.replaceAll("ID", id)), "kubernetes.pod_name"),
        (seen) => parts.every((part) => seen.includes(part)),
    );
    expect(names).toEqual(expect.arrayContaining(parts));
    running.request = id;
});

/** The request's lines without what a store adds, in the order of time. Traefik's have no message. */
const plain = (lines: readonly Line[], pod: string): readonly unknown[] =>
    lines
        .map(({ _time, _msg, level, logger, request, run, status, ...others }) => ({
            ...{ time: _time?.replace(/\.?0*Z$/, ""), pod: others[pod], level, logger, request, run, status },
            ...(request !== undefined && { message: _msg }),
        }))
        .sort((one, other) => JSON.stringify(one).localeCompare(JSON.stringify(other)));

describe("an OpenTelemetry Collector with the values of docs/logs.md", () => {
    const query = () => `_time:1h (request:="${running.request}" or "downstream_X-Request-Id":="${running.request}")`;
    const pod = "k8s.pod.name";
    const complete = (lines: readonly Line[]): boolean => parts.every((part) => partsIn(lines, pod).includes(part));

    test("sends a server for OTLP the same lines that the agent has stored", async () => {
        const store = await startLogStore();
        const own = { exporters: { otlphttp: { endpoint: `${store}/insert/opentelemetry` } } };
        const log = await startCollector(await collectorConfig(values, own));
        const lines = await eventually(60, () => linesIn(store, query()), complete);
        expect(plain(lines, pod)).toEqual(plain(await logs(query()), "kubernetes.pod_name"));
        expect(log()).not.toContain("\terror\t");
        const [line = expect.fail("no line")] = await linesIn(store, `_time:1h "k8s.pod.name":="postgres-0" | limit 1`);
        expect(line).toMatchObject({ "k8s.namespace.name": NAMESPACE, "k8s.container.name": "postgres" });
    });

    test("sends them to CloudWatch Logs, whose permission alone its role has, and which refuses others", async () => {
        const store = await startLogStore();
        const account = "123456789012";
        // Nothing of it is in a cluster.
        const nowhere = { server: "https://127.0.0.1:1", "certificate-authority-data": "" };
        const { server, env: ofAccount } = await startAccount(account, nowhere, { LOGS_STORE: store });
        process.env[accountVariable] = JSON.stringify(ofAccount);
        try {
            const commands = block("logs.md", "aws logs create-log-group");
            const made = await attempt("bash", ["-c", `set -euo pipefail\n${commands}`], await withCli());
            expect(made).toMatchObject({ code: 0 });
            const stream = `arn:aws:logs:${region}:${account}:log-group:/orcheo/pods:log-stream:pods`;
            const allow = (Action: string) => [{ Effect: "Allow", Action, Resource: stream }];
            const shipper = await credentialsOf(account, "shipper", allow("logs:PutLogEvents"));
            const own = { exporters: { otlphttp: { logs_endpoint: `${ofAccount["AWS_ENDPOINT_URL"]}/v1/logs` } } };
            const reader = await credentialsOf(account, "reader", allow("logs:GetLogEvents"));
            for (const refused of [{ ...shipper, AWS_SECRET_ACCESS_KEY: "another" }, reader]) {
                const log = await startCollector(await collectorConfig(valuesForCloudWatch, own), refused);
                const said = () => Promise.resolve(log());
                expect(await eventually(30, said, (text) => text.includes("403"))).toContain("HTTP Status Code 403");
            }
            expect(await linesIn(store, "_time:1h | limit 1")).toEqual([]);
            await startCollector(await collectorConfig(valuesForCloudWatch, own), shipper);
            const lines = await eventually(60, () => linesIn(store, query()), complete);
            expect(plain(lines, pod)).toEqual(plain(await logs(query()), "kubernetes.pod_name"));
        } finally {
            server.kill("SIGKILL");
        }
    });
});

test("both audit logs are streams of their own, without what objects hold", async () => {
    await sql("create table e2e_audited (name text); drop table e2e_audited");
    const inPostgres = await eventually(60, () => logs(`_time:1h {kind="audit"} _msg:"e2e_audited"`), some);
    expect(inPostgres.map((line) => line["kubernetes.pod_name"])).toContain("postgres-0");
    const ofApi = await eventually(60, () => logs(`_time:1h {log="kubernetes-audit"} verb:=create | limit 5`), some);
    expect(ofApi[0]).toMatchObject({ "user.username": expect.any(String) as string, kind: "Event" });
    expect(await logs(`_time:1h {log="kubernetes-audit"} "requestObject.kind":* | limit 1`)).toEqual([]);
    expect(
        await logs(`_time:1h {"kubernetes.pod_namespace"="${NAMESPACE}"} log:="kubernetes-audit" | limit 1`),
    ).toEqual([]);
});

test("a line is there once, also when store and agent were away", async () => {
    await kube("scale", inMonitoring, "deployment/victoria-logs", "--replicas=0");
    await kube("wait", inMonitoring, "pods", "--selector=app.kubernetes.io/name=victoria-logs", "--for=delete");
    await sql("create table e2e_away (name text)");
    await kube("delete", "pods", "--namespace=log-agent", "--all", "--wait=true");
    await kube("rollout", "status", "--namespace=log-agent", "deployment/vlagent", "--timeout=120s");
    await kube("scale", inMonitoring, "deployment/victoria-logs", "--replicas=1");
    await kube("rollout", "status", inMonitoring, "deployment/victoria-logs", "--timeout=120s");
    const query = `_time:1h {kind="audit"} _msg:"e2e_away"`;
    expect(await eventually(90, () => logs(query), some)).toHaveLength(1);
    await sql("drop table e2e_away");
    await eventually(
        60,
        () => logs(query),
        (lines) => lines.length > 1,
    );
    expect(await logs(`${query} _msg:"create"`)).toHaveLength(1);
});

test("a pod that may call everybody reaches neither store nor agent", async () => {
    await startStranger();
    expect(await reaches(STRANGERS, "traefik", "app.kubernetes.io/name=traefik", 8443)).toBe("open");
    expect(await reaches(STRANGERS, MONITORING, "app.kubernetes.io/name=victoria-logs", 9428)).toMatch(refused);
    expect(await reaches(STRANGERS, MONITORING, "app.kubernetes.io/name=vmalert-logs", 8880)).toMatch(refused);
    expect(await reaches(STRANGERS, "log-agent", "app.kubernetes.io/name=vlagent", 9429)).toMatch(refused);
});

test.each(auditStories.map((story) => [story.alerts.join(", "), story] as const))("%s", async (_, story) => {
    rows.push(...(await runStory(story, running.watching ?? expect.fail("the monitoring has not started"))));
});
