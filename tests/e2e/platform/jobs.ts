/** Workflows and their runs, through restarts and without a database. */
import { constants } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { projectDir } from "../../../local/paths.ts";
import { merge } from "../../../local/settings.ts";
import { endurance } from "../endurance.ts";
import {
    actorsOf,
    answerOf,
    ask,
    at,
    createWorkflow,
    dispatch,
    ended,
    type Entrance,
    resultOf,
    type Workflow,
} from "../orcheo.ts";
import {
    attempt,
    answerAgain,
    caller,
    callerAt,
    committed,
    eventually,
    exec,
    expectReady,
    kube,
    readyPods,
    restart,
    up,
} from "./harness.ts";
import { expectExecutedAgain, loseRunOnce } from "./lost-runs.ts";
import { metricsOf } from "./metrics.ts";
import { expectOnlyPooled, pooler } from "./pooler.ts";
import { tracesOf, tracing } from "./traces.ts";
import { lockedTestPlugin, usesTestPlugin } from "./plugins.ts";
import { personOfNewerRelease, refusesOtherTokens } from "./sign-in.ts";

const psql = ["postgres-0", "psql", "-h", "/tmp", "-U", "postgres", "-d", "orcheo"] as const;
const tables = "select table_name from information_schema.tables where table_schema = 'public' order by 1";

/** 0.46 has no JavaScript node any more. */
const javaScript = `from langgraph.graph import END, START, StateGraph
from orcheo.graph.state import State
from orcheo.nodes.javascript_sandbox import JavaScriptSandboxNode


def build():
    graph = StateGraph(State)
    code = "console.log('three'); var result = [1, 2, 3].map(function (each) { return each * factor; });"
    graph.add_node("js", JavaScriptSandboxNode(name="js", script=code, context={"factor": 14}))
    graph.add_edge(START, "js")
    graph.add_edge("js", END)
    return graph
`;

/** What takes its place: Python in MicroPython on WebAssembly. Its threads abort a process that ends in the usual way. */
const sandbox = `import os
from orcheo.sandbox.runner import MicroPythonSandboxRunner
inputs = {"configurable": {}, "config": {}, "state": {"n": 3}}
print(MicroPythonSandboxRunner().run("return {'n': state['n'] * 14}", inputs), flush=True)
os._exit(0)`;

/** Whether a process handles a signal, by its line SigCgt of /proc/<pid>/status: one bit for each, in hexadecimal. */
const catches = (text: string, signal: number): boolean =>
    (BigInt(`0x${/^SigCgt:\s+([0-9a-f]+)$/m.exec(text)?.[1] ?? "0"}`) & (1n << BigInt(signal - 1))) !== 0n;

async function makeStatus(): Promise<{ readonly code: number; readonly status: unknown }> {
    const { code, output } = await attempt("make", ["-s", "status", "ARGS=--json"], process.env);
    return { code, status: JSON.parse(output.slice(output.indexOf("{"), output.lastIndexOf("}") + 1)) };
}

/** The lines that all pods of a role have logged. */
async function logOf(role: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const text = await kube("logs", "--selector", `app.kubernetes.io/component=${role}`, "--tail=-1");
    return text
        .split("\n")
        .filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line) as Record<string, unknown>);
}

export function mainJob(): void {
    let workflow: Workflow;
    let runId: string;

    test("a workflow is created, and its run executed by the worker", async () => {
        workflow = await createWorkflow(caller(), "0.33", "e2e-set");
        runId = await dispatch(caller(), workflow);
        const done = await ended(caller(), runId);
        expect(at(done, "status")).toBe("succeeded");
        expect(answerOf(done)).toBe(42);
        expect(actorsOf(done)).toContain("worker");
    });

    test("the id of a request is in its answer, and in the logs of whoever works for it", async () => {
        const executed = (await logOf("worker")).find(({ run, request }) => run === runId && request !== undefined);
        expect(executed, "no line of the worker names the run and its request").toBeDefined();
        const asked = (await logOf("api")).filter(({ request }) => request === executed?.request);
        expect(asked).toContainEqual(expect.objectContaining({ logger: "uvicorn.access", method: "POST" }));
        const connections = "select application_name from pg_stat_activity";
        const { output } = await exec(...psql, "-Atc", connections);
        expect(output.split("\n")).toContain(executed?.request);
        for (const [path, role] of [
            ["/api/workflows", "api"],
            ["/", "canvas"],
        ] as const) {
            const { headers } = await ask(caller(), "GET", path);
            const id = /^x-request-id: (\S+)\r?$/im.exec(headers)?.[1] ?? "";
            expect(id, headers).toMatch(/^[0-9a-f]{32}$/);
            const entrance = () => kube("logs", "--namespace=traefik", "deployment/traefik", "--tail=200");
            const named = `"downstream_X-Request-Id":"${id}"`;
            expect(await eventually(10, entrance, (log) => log.includes(named))).toContain(named);
            expect(await logOf(role)).toContainEqual(
                expect.objectContaining({ request: id, level: "INFO", method: "GET", path, status: 200 }),
            );
        }
    });

    test("a slow statement's line in Postgres' log holds no values", async () => {
        const script =
            "SET log_min_duration_statement = 0;\nSELECT length($1) AS e2e_slow \\bind 'a-value-of-nobody' \\g\n";
        const [pod, ...command] = psql;
        const { code, output } = await exec(pod, "sh", "-c", `printf '%s' "$1" | ${command.join(" ")}`, "sh", script);
        expect(code, output).toBe(0);
        const log = await kube("logs", "postgres-0", "--tail=-1");
        expect(log).toContain("AS e2e_slow");
        expect(log).not.toContain("a-value-of-nobody");
    });

    test("every line of every server is JSON with the same fields, and Postgres' errors hold no values", async () => {
        const script =
            "SET application_name = 'e2e-request-0001';\nCREATE TEMP TABLE e2e (name text PRIMARY KEY);\n" +
            "INSERT INTO e2e VALUES ('a-name-of-nobody');\nINSERT INTO e2e VALUES ('a-name-of-nobody');\n";
        const [pod, ...command] = psql;
        const { output } = await exec(pod, "sh", "-c", `printf '%s' "$1" | ${command.join(" ")}`, "sh", script);
        expect(output).toContain("duplicate key");
        for (const server of ["postgres-0", "valkey-0"]) {
            const lines = (await kube("logs", server, "--tail=-1")).trimEnd().split("\n");
            for (const line of lines) {
                expect(JSON.parse(line), line).toMatchObject({
                    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
                    level: expect.stringMatching(/^(DEBUG|INFO|WARNING|ERROR|CRITICAL)$/) as string,
                    logger: server.slice(0, -2),
                    message: expect.any(String) as string,
                });
            }
        }
        const log = await logOf("postgres");
        expect(log).toContainEqual(
            expect.objectContaining({
                level: "ERROR",
                request: "e2e-request-0001",
                code: "23505",
                detail: "Key (name)=(***) already exists.",
                statement: "INSERT INTO e2e VALUES ('***');",
            }),
        );
        expect(JSON.stringify(log)).not.toContain("a-name-of-nobody");
    });

    test("make status calls it healthy, with what Orcheo's own database says about the run", async () => {
        // A busy machine lets probes fail for a moment.
        const { code, status } = await eventually(180, makeStatus, (seen) => seen.code === 0);
        expect(status).toMatchObject({ healthy: true, problems: [], notRead: [], queued: 0 });
        expect(at(status, "runs")).toMatchObject({ waiting: 0, running: 0, failedLastHour: 0 });
        expect(at(status, "runs", "succeededLastHour")).toBeGreaterThan(0);
        expect(at(status, "versions", "orcheo")).toMatch(/^0\.33 \(orcheo 0\.33\.1, /);
        expect(at(status, "answers")).toMatchObject([
            { status: 200, verified: true },
            { status: 200, verified: true },
        ]);
        expect(at(status, "initialized")).toMatch(
            /^Orcheo 0\.33 \(orcheo 0\.33\.1\): the database is ready, after \d+ s\. /,
        );
        expect(code).toBe(0);
    });

    test("kubectl describe says what initialization did, and what an object is for", async () => {
        const described = await kube("describe", "pods", "-l", "app.kubernetes.io/component=init");
        expect(described).toMatch(/Message: +Orcheo 0\.33 \(orcheo 0\.33\.1\): the database is ready/);
        const worker = await kube("describe", "deployment", "worker");
        expect(worker).toMatch(/kubernetes\.io\/description: +Celery workers: execute runs/);
        expect(worker).toMatch(/orcheo\.dev\/docs: +docs\/runbooks\/stuck-runs\.md/);
    });

    test("a JavaScript node runs in the worker", async () => {
        const script = await createWorkflow(caller(), "0.33", "e2e-javascript", { script: javaScript });
        const done = await ended(caller(), await dispatch(caller(), script));
        expect(resultOf(done, "js"), JSON.stringify(done)).toEqual({ result: [14, 28, 42], console: ["three"] });
    });

    test("a worker that is told to stop finishes its run first, and takes no other", async () => {
        // Longer than a run may wait without a message in the queue: the reconciler would send its message again.
        const slow = await createWorkflow(caller(), "0.33", "e2e-slow", 45);
        const slowRun = await dispatch(caller(), slow);
        const status = async (): Promise<unknown> =>
            at((await ask(caller(), "GET", `/api/runs/${slowRun}`)).body, "status");
        expect(await eventually(60, status, (seen) => seen === "running")).toBe("running");
        await kube("delete", "pods", "-l", "app.kubernetes.io/component=worker", "--wait=false");
        const others: string[] = [];
        for (let sent = 0; sent < 8; sent++) {
            others.push(await dispatch(caller(), workflow));
            await sleep(250);
        }
        for (const other of others) {
            const done = await ended(caller(), other);
            expect(answerOf(done)).toBe(42);
            expect(actorsOf(done)).not.toContain("reconciler");
        }
        expect(answerOf(await ended(caller(), slowRun))).toBe(42);
        await expectReady("worker");
    });

    if (endurance)
        test("a worker that is told to stop while it starts leaves at once, though runs may take long", async () => {
            const worker = ["pods", "-l", "app.kubernetes.io/component=worker"];
            await kube("delete", ...worker, "--wait=true", "--timeout=120s");
            const hears = async (): Promise<boolean> => {
                const names = (await kube("get", ...worker, "-o", "name")).trim().split("\n");
                const seen = await Promise.all(names.map((name) => exec(name, "grep", "SigCgt", "/proc/1/status")));
                return seen.every(({ code, output }) => code === 0 && catches(output, constants.signals.SIGTERM));
            };
            expect(await eventually(60, hears, (seen) => seen)).toBe(true);
            expect(await readyPods("worker")).toBe(0);
            await kube("delete", ...worker, "--wait=true", "--timeout=60s");
            await expectReady("worker");
        });

    test("its result is in Postgres after API, worker, Postgres and Valkey have all been deleted and come back", async () => {
        await restart("api", "worker", "postgres", "valkey");
        expect(await answerAgain(caller(), runId)).toBe(42);
        const next = await ended(caller(), await dispatch(caller(), workflow));
        expect(answerOf(next)).toBe(42);
        const stored = await exec(...psql, "-Atc", tables);
        expect(stored.output).toContain("workflow_runs");
    });
}

export function withoutDatabase(): void {
    test("no API pod is ready, and all are again when it is back", async () => {
        await kube("scale", "statefulset/postgres", "--replicas=0");
        expect(
            await eventually(
                120,
                () => readyPods("api"),
                (n) => n === 0,
            ),
        ).toBe(0);
        const { code, status } = await makeStatus();
        expect(status).toMatchObject({ healthy: false });
        expect(at(status, "problems")).toContainEqual(expect.stringMatching(/^api: 0 of \d+ replicas are ready/));
        expect(code).not.toBe(0);
        // One that is told to stop does not wait for the database.
        const [one = ""] = (await kube("get", "pods", "-l", "app.kubernetes.io/component=api", "-o", "name")).split(
            "\n",
        );
        await kube("delete", one, "--wait=true", "--timeout=30s");
        await kube("scale", "statefulset/postgres", "--replicas=1");
        await expectReady("api", 300, 2);
        expect((await ask(caller(), "GET", "/api/workflows")).status).toBe(200);
    });

    test("the pods that lived through it use no connection of before: all of the first requests and runs succeed", async () => {
        const statuses = await Promise.all(
            Array.from({ length: 20 }, () => ask(caller(), "GET", "/api/workflows").then(({ status }) => status)),
        );
        expect(new Set(statuses)).toEqual(new Set([200]));
        const workflow = await createWorkflow(caller(), "0.33", "e2e-after-loss");
        // More than the worker has processes.
        const runs = await Promise.all(Array.from({ length: 4 }, () => dispatch(caller(), workflow)));
        for (const each of runs) expect(answerOf(await ended(caller(), each))).toBe(42);
    });
}

const newer: { entrance?: Entrance; lostRun?: string } = {};
const newerEntrance = (): Entrance => {
    if (newer.entrance === undefined) throw new Error("release 0.46 has not started: see the test before");
    return newer.entrance;
};

export function newerRelease(): void {
    test("starts with a plugin and a pooler, runs the main job, also for a person who signs in, and again after a restart", async () => {
        const host = "orcheo46.localhost";
        const source = { kind: "directory", path: join(projectDir, "tests", "canvas-app") };
        const settings = merge(committed(), {
            release: "0.46",
            version: "0.2.0",
            host,
            images: { canvas: { source }, ...(await lockedTestPlugin("0.46", "plugins-0.46")) },
            worker: { lostRuns: "restart" },
            monitoring: { kind: "annotations" },
            tracing: tracing(),
            database: { kind: "statefulset", pooler },
        });
        const { bootstrapToken } = await up(settings);
        const entrance = await callerAt(host, String(bootstrapToken));
        const workflow = await createWorkflow(entrance, "0.46", "e2e-set");
        const runId = await dispatch(entrance, workflow);
        const done = await ended(entrance, runId);
        expect(answerOf(done)).toBe(42);
        expect(actorsOf(done)).toContain("worker");
        await usesTestPlugin(entrance, "0.46");
        // First: each API process remembers for a minute that somebody has no workspace.
        await personOfNewerRelease(entrance);
        expect(await refusesOtherTokens(entrance)).toEqual([200, 200]);
        const sandboxed = await exec("deployment/worker", "python3", "-c", sandbox);
        expect(sandboxed.output).toContain("{'update': {'n': 42}}");
        Object.assign(newer, { entrance, lostRun: await loseRunOnce(entrance, "0.46") });
        await restart("postgres", "api", "worker");
        expect(await answerAgain(entrance, runId)).toBe(42);
        await expectOnlyPooled();
    });

    metricsOf(newerEntrance, "0.46");
    tracesOf(newerEntrance, "0.46");
}

/** The reconciler takes a minute and a half, in which other parts of the story go on. */
export function executedAgain(): void {
    test("a run whose worker was killed was executed again from its input", async () => {
        const { entrance, lostRun } = newer;
        if (entrance === undefined || lostRun === undefined) throw new Error("no run was lost: see the test before");
        await expectExecutedAgain(entrance, lostRun);
    });
}
