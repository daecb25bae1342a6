import { expect, it } from "vitest";
import { problemsOf, STEPS } from "../faults/verdict";

const steps = (...numbers: readonly number[]) =>
    numbers.map((number) => ({ payload: { [`step${number}`]: { results: {} } } }));
const all = Array.from({ length: STEPS }, (_, number) => number);
const restarted = { payload: { status: "restarted" } };
const run = (status: string, ...actions: readonly string[]) => ({
    status,
    audit_log: actions.map((action) => ({ action })),
});
const succeeded = run("succeeded", "run_started", "run_succeeded");

it("a run that was executed once, or again after it was lost, is right", () => {
    expect(problemsOf(succeeded, { steps: steps(...all) })).toEqual([]);
    expect(problemsOf(succeeded, { steps: [...steps(0, 1), restarted, ...steps(...all)] })).toEqual([]);
    expect(problemsOf(run("failed", "run_failed"), { steps: steps(0, 1), error: "The worker was lost." })).toEqual([]);
});

it("a run without an end, with two, without its reason or executed twice at a time is wrong", () => {
    expect(problemsOf(run("running"), { steps: [] })).toEqual(["lost: it is running", "0 ends in its audit log"]);
    expect(problemsOf(run("succeeded", "run_failed", "run_succeeded"), { steps: steps(...all) })).toEqual([
        "2 ends in its audit log",
    ]);
    expect(problemsOf(run("failed", "run_failed"), { steps: [] })).toEqual(["failed without a reason in its history"]);
    expect(
        problemsOf(succeeded, { steps: [...steps(0, 1), restarted, ...steps(0, 2), ...steps(...all.slice(1))] }),
    ).toEqual([
        "step 2 where step 1 was next: two executions at a time",
        "step 1 where step 3 was next: two executions at a time",
    ]);
});
