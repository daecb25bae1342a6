/** Runs that lose their worker or their message. The reconciler takes a minute and a half, in which other parts of the story go on. */
import { expect, test } from "vitest";
import { clusterInfo } from "../../../local/cluster/cluster.ts";
import { actorsOf, answerOf, ask, at, createWorkflow, dispatch, ended, type Entrance } from "../orcheo.ts";
import { attempt, caller, env, eventually, expectReady, kube, spec } from "./harness.ts";
import { commands } from "./runbooks.ts";

const worker = ["-l", "app.kubernetes.io/component=worker"];
const LOST = "e2e-lost";
const statusOf = async (entrance: Entrance, runId: string): Promise<unknown> =>
    at((await ask(entrance, "GET", `/api/runs/${runId}`)).body, "status");

async function expectRunning(entrance: Entrance, runId: string): Promise<void> {
    const status = (): Promise<unknown> => statusOf(entrance, runId);
    expect(await eventually(60, status, (seen) => seen === "running")).toBe("running");
}

/** Kills the worker that executes the run. */
async function killWorker(entrance: Entrance, runId: string): Promise<void> {
    await expectRunning(entrance, runId);
    await kube("delete", "pods", ...worker, "--grace-period=0", "--force", "--wait=true", "--timeout=60s");
}

/** How often the audit log names an action of the reconciler. */
const settled = (run: unknown, action: string): number => {
    const log = at(run, "audit_log");
    return Array.isArray(log)
        ? log.filter((entry) => at(entry, "actor") === "reconciler" && at(entry, "action") === action).length
        : 0;
};

const lost: { slow?: string; run?: string; waiting?: string; cancelled?: string } = {};

export function loseRuns(): void {
    test("a worker is killed in the middle of a run", async () => {
        const { id } = await createWorkflow(caller(), "0.33", LOST, 300);
        lost.slow = id;
        lost.run = await dispatch(caller(), { id });
        await killWorker(caller(), lost.run);
    });

    test("a run that is dispatched while Valkey is away is accepted and waits", async () => {
        const workflow = await createWorkflow(caller(), "0.33", "e2e-without-queue");
        await kube("scale", "statefulset/valkey", "--replicas=0");
        await kube("wait", "pod/valkey-0", "--for=delete", "--timeout=60s");
        lost.waiting = await dispatch(caller(), workflow);
        expect(await statusOf(caller(), lost.waiting)).toBe("pending");
        await kube("scale", "statefulset/valkey", "--replicas=1");
        await expectReady("valkey");
        await expectReady("worker");
    });
}

export function lostRuns(): void {
    test("the run whose worker was killed has failed, and its history says why in words", async () => {
        const done = await ended(caller(), String(lost.run), 240);
        expect(at(done, "status")).toBe("failed");
        expect(at(done, "error")).toMatch(
            /^The process that executed this run \(worker-\S+, process \d+\) was lost: no sign of life since \S+ \S+ UTC\.$/,
        );
        expect(settled(done, "run_failed")).toBe(1);
        const { body } = await ask(caller(), "GET", `/api/executions/${String(lost.run)}/history`);
        expect(at(body, "status")).toBe("error");
        expect(at(body, "error")).toBe(at(done, "error"));
    });

    test("the run that was dispatched without Valkey was sent to the queue again and executed", async () => {
        const done = await ended(caller(), String(lost.waiting), 120);
        expect(answerOf(done)).toBe(42);
        expect(settled(done, "run_enqueued_again")).toBeGreaterThan(0);
    });

    test("the runbook's commands show runs and what became of them, and end one by hand within seconds", async () => {
        const runId = await dispatch(caller(), { id: String(lost.slow) });
        lost.cancelled = runId;
        await expectRunning(caller(), runId);
        const script = `set -euo pipefail\n${commands("stuck-runs.md")}`;
        const variables = { ...env, RUN: runId, CURL_CA_BUNDLE: clusterInfo(spec).caFile };
        const { code, output } = await attempt("bash", ["-c", script], variables);
        expect(code, output.slice(-3000)).toBe(0);
        expect(output).toMatch(new RegExp(`${runId} \\| running \\| worker-\\S+, process \\d+ +\\| +1 \\| 00:00:`));
        for (const action of ["fail", "enqueue"]) expect(output).toContain(`"action": "${action}"`);
        const done = await ended(caller(), runId);
        expect(at(done, "status")).toBe("cancelled");
        expect(actorsOf(done)).toContain("me");
        const log = () => kube("logs", ...worker, "--tail=-1");
        const stopped = `run ${runId}: this process no longer holds its lease and stops executing it`;
        expect(await eventually(20, log, (text) => text.includes(stopped))).toContain(stopped);
    });
}

/** Some minutes after `lostRuns`. */
export function endedByHand(): void {
    test("the history of a run that was ended by hand has ended too, with the reason that was given", async () => {
        const history = async (): Promise<unknown> =>
            (await ask(caller(), "GET", `/api/executions/${String(lost.cancelled)}/history`)).body;
        const seen = await eventually(120, history, (body) => at(body, "status") === "cancelled");
        expect(at(seen, "status")).toBe("cancelled");
        expect(at(seen, "error")).toBe("it hung");
    });
}

/** Kills the worker of a run that is executed again, by `worker.lostRuns: restart`. @returns the run */
export async function loseRunOnce(entrance: Entrance, release: string): Promise<string> {
    const runId = await dispatch(entrance, await createWorkflow(entrance, release, LOST, 15));
    await killWorker(entrance, runId);
    return runId;
}

export async function expectExecutedAgain(entrance: Entrance, runId: string): Promise<void> {
    const done = await ended(entrance, runId, 240);
    expect(answerOf(done)).toBe(42);
    expect(settled(done, "run_restarted")).toBe(1);
    const { body } = await ask(entrance, "GET", `/api/executions/${runId}/history`);
    expect(at(body, "status")).toBe("completed");
    expect(JSON.stringify(at(body, "steps"))).toMatch(/was lost: no sign of life since .* It is executed again/);
}
