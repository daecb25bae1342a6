/** The embedded cluster's logs: one request from the entrance to the database, audit logs apart, and the alerts on these. */
import { mkdirSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startCluster, stopCluster } from "../../local/cluster/cluster.ts";
import { auditRules, ensureMonitoring, MONITORING, monitoringSettings } from "../../local/cluster/monitoring.ts";
import { merge } from "../../local/settings.ts";
import { ensureToolchain } from "../../local/toolchain/build.ts";
import { monitoredUpGroups } from "../../local/toolchain/tools.ts";
import { auditStories, letStrangersIn, startStranger, STRANGERS, watchAlertmanager } from "./alerts/audit.ts";
import { auditFaults } from "./alerts/faults.ts";
import { type Row, runStory } from "./alerts/story.ts";
import { writeMeasured } from "./alerts/table.ts";
import { createWorkflow, dispatch, ended } from "./orcheo.ts";
import {
    artifacts,
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
import { found, type Line, logs, logsCommand } from "./platform/log-store.ts";

const kept = process.env["ORCHEO_KEEP_CLUSTER"] === "1";
const settings = merge(committed(), {
    monitoring: monitoringSettings,
    database: { kind: "statefulset", audit: ["ddl", "role"] },
});
/** Alerts end soon after their cause. */
const pace = { auditWindow: "20s" };
const rows: Row[] = [];
const running: { watching?: Awaited<ReturnType<typeof watchAlertmanager>> } = {};

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
    const parts = ["api", "postgres", "traefik", "worker"];
    const lines = await eventually(
        60,
        () => found(logsCommand.replaceAll("ID", id)),
        (seen) => parts.every((part) => seen.some((line) => line["kubernetes.pod_name"]?.startsWith(part))),
    );
    const names = new Set(lines.map((line) => line["kubernetes.pod_name"]?.replace(/-.*/, "")));
    expect([...names].sort()).toEqual(expect.arrayContaining(parts));
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
    const addressOf = (namespace: string, label: string): Promise<string> =>
        kube("get", "pods", `--namespace=${namespace}`, "-l", label, "-o", "jsonpath={.items[0].status.podIP}");
    const reaches = async (namespace: string, label: string, port: number): Promise<string> => {
        const code = `import socket
try:
    socket.create_connection(("${await addressOf(namespace, label)}", ${port}), timeout=5)
    print("open")
except OSError as error:
    print(type(error).__name__)`;
        return (await kube("exec", `--namespace=${STRANGERS}`, "stranger", "--", "python3", "-c", code)).trim();
    };
    expect(await reaches("traefik", "app.kubernetes.io/name=traefik", 8443)).toBe("open");
    const refused = /^(TimeoutError|ConnectionRefusedError)$/;
    expect(await reaches(MONITORING, "app.kubernetes.io/name=victoria-logs", 9428)).toMatch(refused);
    expect(await reaches(MONITORING, "app.kubernetes.io/name=vmalert-logs", 8880)).toMatch(refused);
    expect(await reaches("log-agent", "app.kubernetes.io/name=vlagent", 9429)).toMatch(refused);
});

test.each(auditStories.map((story) => [story.alerts.join(", "), story] as const))("%s", async (_, story) => {
    rows.push(...(await runStory(story, running.watching ?? expect.fail("the monitoring has not started"))));
});
