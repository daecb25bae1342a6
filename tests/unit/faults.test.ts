import { expect, it } from "vitest";
import { problemsIn, summary, table } from "../faults/table";
import { STEPS, verdictOf } from "../faults/verdict";

const steps = (...numbers: readonly number[]) =>
    numbers.map((number) => ({ payload: { [`step${number}`]: { results: {} } } }));
const all = Array.from({ length: STEPS }, (_, number) => number);
const restarted = { payload: { status: "restarted" } };
const completed = { payload: { status: "completed" } };
const failed = { payload: { status: "error" } };
const run = (status: string, actions: readonly string[], error?: string) => ({
    status,
    error,
    audit_log: actions.map((action) => ({ action })),
});
const succeeded = run("succeeded", ["run_started", "run_succeeded"]);
const history = (status: string, lines: readonly object[], error?: string) => ({ status, steps: lines, error });
const reason =
    "The process that executed this run (worker-5d7-x, process 41) was lost: no sign of life since 2026-11-27 15:00:00 UTC.";
const texts = (...[one, its]: Parameters<typeof verdictOf>) => verdictOf(one, its).problems.map(({ text }) => text);

it("a run that was executed once, or again after it was lost, is correct", () => {
    expect(verdictOf(succeeded, history("completed", [...steps(...all), completed]))).toEqual({
        outcome: "succeeded",
        restarted: 0,
        enqueued: 0,
        problems: [],
    });
    const again = run("succeeded", ["run_restarted", "run_enqueued_again", "run_succeeded"]);
    expect(verdictOf(again, history("completed", [...steps(0, 1), restarted, ...steps(...all)]))).toMatchObject({
        restarted: 1,
        enqueued: 1,
        problems: [],
    });
});

it("a lost worker is distinguished from Orcheo's own errors", () => {
    const lost = run("failed", ["run_failed"], reason);
    expect(verdictOf(lost, history("error", [...steps(0, 1), failed], reason))).toMatchObject({
        outcome: "worker lost",
        problems: [],
    });
    const own = "the connection is closed";
    expect(verdictOf(run("failed", ["run_failed"], own), history("error", [], own))).toMatchObject({
        outcome: "failed",
        problems: [],
    });
});

it("a run without an end, or with two, is a problem", () => {
    const endless = verdictOf(run("running", []), history("running", []));
    expect(endless.outcome).toBe("lost");
    expect(endless.problems.map(({ text }) => text)).toEqual(["it is still running"]);
    const twoEnds = run("succeeded", ["run_failed", "run_succeeded"]);
    expect(texts(twoEnds, history("completed", steps(...all)))).toEqual(["2 ends in its audit log"]);
    expect(texts(succeeded, history("completed", steps(0, 1)))).toEqual([`succeeded after 2 of ${STEPS} steps`]);
});

it("a history that contradicts its run, or does not give its reason, is a problem", () => {
    expect(texts(succeeded, history("running", steps(...all)))).toEqual(["succeeded, but its history says running"]);
    const lost = run("failed", ["run_failed"], reason);
    expect(texts(lost, undefined)).toContain("failed, and it has no history");
    expect(texts(lost, history("error", []))).toEqual(["failed, and its history does not give the run's reason"]);
    expect(texts(run("failed", ["run_failed"], " "), history("error", [], " "))).toHaveLength(1);
});

it("two executions at a time show in the order of the steps", () => {
    const mixed = [...steps(0, 1), restarted, ...steps(0, 2), ...steps(...all.slice(1))];
    expect(texts(succeeded, history("completed", mixed))).toEqual([
        "step 2 where step 1 was next",
        "step 1 where step 3 was next",
    ]);
    const lost = run("failed", ["run_failed"], reason);
    expect(texts(lost, history("error", [...steps(0), failed, ...steps(1)], reason))).toEqual(["step 1 after its end"]);
});

it("the table counts runs, and no problem is left out", () => {
    const verdicts = [
        verdictOf(succeeded, history("completed", steps(...all))),
        verdictOf(run("pending", []), history("running", [])),
        verdictOf(succeeded, history("completed", [...steps(0, 0), ...steps(...all.slice(1))])),
    ];
    const measured = {
        date: "2026-11-27",
        machine: "2 cores, 24 GiB",
        release: "0.33",
        policy: "fail",
        losses: ["kill Valkey", "kill Postgres"],
        verdicts,
        seconds: undefined,
    };
    expect(problemsIn(measured)).toBe(2);
    expect(summary(measured)).toContain("runs: 3, losses: 2, succeeded: 2");
    expect(summary(measured)).toMatch(/s until all were final: never$/);
    expect(table([measured]).split("\n")[2]).toBe(
        "| 2026-11-27 | 2 cores, 24 GiB | 0.33 | `fail` | 3 | 2 | 2 | 0 | 0 | 0 | 0 | 1 | 1 | 0 | never |",
    );
});
