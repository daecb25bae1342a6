/** Runs that exceed what one may have (harness.ts, `lowLimits`), and those beside them. Backups are tried meanwhile. */
import { expect, test } from "vitest";
import { answerOf, ask, at, createWorkflow, dispatch, ended } from "../orcheo.ts";
import { caller, lowLimits } from "./harness.ts";

/** Takes 20 MB every tenth of a second, up to 2 GB. */
const greedy = `import asyncio
from langgraph.graph import END, START, StateGraph
from orcheo.graph.state import State


async def eat(state):
    kept = []
    for n in range(100):
        kept.append("x" * 20000000)
        await asyncio.sleep(0.1)
    return {}


def build():
    graph = StateGraph(State)
    graph.add_node("eat", eat)
    graph.add_edge(START, "eat")
    graph.add_edge("eat", END)
    return graph
`;

const { longestRunSeconds, memoryPerProcessMiB } = lowLimits.worker;
const started: { greedy?: string; beside?: string; slow?: string } = {};

/** A worker executes two runs at a time: the third waits until the greedy one has ended. */
export async function startLimitedRuns(): Promise<void> {
    const { id: beside } = await createWorkflow(caller(), "0.33", "e2e-beside", 25);
    const { id: eats } = await createWorkflow(caller(), "0.33", "e2e-greedy", { script: greedy });
    const { id: slow } = await createWorkflow(caller(), "0.33", "e2e-too-long", 600);
    started.beside = await dispatch(caller(), { id: beside });
    started.greedy = await dispatch(caller(), { id: eats });
    started.slow = await dispatch(caller(), { id: slow });
}

/** What a person reads of a failed run, in the run and in its history. */
async function reasonOf(runId: string | undefined): Promise<unknown> {
    const done = await ended(caller(), String(runId), 120);
    expect(at(done, "status"), JSON.stringify(done)).toBe("failed");
    const { body } = await ask(caller(), "GET", `/api/executions/${String(runId)}/history`);
    expect([at(body, "status"), at(body, "error")]).toEqual(["error", at(done, "error")]);
    return at(done, "error");
}

export function limitedRuns(): void {
    test("a run that took too much memory failed with that as its reason, and the run beside it succeeded", async () => {
        expect(await reasonOf(started.greedy)).toMatch(
            new RegExp(
                `^It took \\d+ MiB of memory, and a process of the worker may have ${memoryPerProcessMiB} MiB \\(worker\\.memoryPerProcessMiB\\)\\.$`,
            ),
        );
        expect(answerOf(await ended(caller(), String(started.beside)))).toBe(42);
    });

    test("a run that took too long failed with that as its reason, and the next one succeeds", async () => {
        expect(await reasonOf(started.slow)).toBe(
            `It ran for longer than ${longestRunSeconds} s, the longest that a run may take here (worker.longestRunSeconds).`,
        );
        const next = await createWorkflow(caller(), "0.33", "e2e-after-limits");
        expect(answerOf(await ended(caller(), await dispatch(caller(), next)))).toBe(42);
    });
}
