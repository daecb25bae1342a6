/** What happened to a run, from its audit log and its history: whether it was lost, and whether two executions ever overlapped. */
import { at } from "../e2e/orcheo.ts";

/** Each step adds a line to the history, so that overlapping executions show in the order of the steps. LangGraph allows 25. */
export const STEPS = 20;
const STEP_SECONDS = 2;

export const workflow = `from langgraph.graph import END, START, StateGraph
from orcheo.graph.state import State
from orcheo.nodes.logic import DelayNode


def build():
    graph = StateGraph(State)
    names = ["step" + str(i) for i in range(${STEPS})]
    for name in names:
        graph.add_node(name, DelayNode(name=name, duration_seconds=${STEP_SECONDS}))
    graph.add_edge(START, names[0])
    for i in range(${STEPS - 1}):
        graph.add_edge(names[i], names[i + 1])
    graph.add_edge(names[-1], END)
    return graph
`;

/** `end`: not exactly one final state; `text`: the end cannot be understood from the history. */
export interface Problem {
    readonly kind: "lost" | "twice" | "end" | "text";
    readonly text: string;
}

export interface Verdict {
    readonly outcome: "succeeded" | "worker lost" | "failed" | "lost";
    readonly restarted: number;
    readonly enqueued: number;
    readonly problems: readonly Problem[];
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const ends = ["run_succeeded", "run_failed", "run_cancelled"];
const histories: Readonly<Record<string, string>> = { succeeded: "completed", failed: "error" };
const lostWorker =
    /^The process that executed this run \(\S+, process \d+\) was lost: no sign of life since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\./;

/** How often the audit log names an action. */
const times = (run: unknown, action: string): number =>
    list(at(run, "audit_log")).filter((entry) => at(entry, "action") === action).length;

/** Steps that do not follow the one before them: someone else executes the same run. */
function overlaps(history: unknown, succeeded: boolean): Problem[] {
    const problems: Problem[] = [];
    const twice = (text: string): void => void problems.push({ kind: "twice", text });
    let next = 0;
    let over = false;
    for (const step of list(at(history, "steps"))) {
        const status = at(step, "payload", "status");
        if (status === "restarted") next = 0;
        if (status === "error" || status === "completed") over = true;
        const [name] = Object.keys(at(step, "payload") ?? {});
        const number = /^step(\d+)$/.exec(name ?? "")?.[1];
        if (number === undefined) continue;
        if (over) twice(`step ${number} after its end`);
        else if (Number(number) !== next) twice(`step ${number} where step ${next} was next`);
        next = Number(number) + 1;
    }
    if (succeeded && next !== STEPS) problems.push({ kind: "end", text: `succeeded after ${next} of ${STEPS} steps` });
    return problems;
}

/** Of a run that had time to end, as the API shows it. */
export function verdictOf(run: unknown, history: unknown): Verdict {
    const status = String(at(run, "status"));
    const error = at(run, "error");
    const problems: Problem[] = [];
    const final = status in histories;
    if (!final) problems.push({ kind: "lost", text: `it is still ${status}` });
    const ended = ends.reduce((sum, action) => sum + times(run, action), 0);
    if (ended !== (final ? 1 : 0)) problems.push({ kind: "end", text: `${ended} ends in its audit log` });
    problems.push(...overlaps(history, status === "succeeded"));
    if (final && history === undefined) problems.push({ kind: "text", text: `${status}, and it has no history` });
    else if (final && at(history, "status") !== histories[status])
        problems.push({ kind: "text", text: `${status}, but its history says ${String(at(history, "status"))}` });
    if (status === "failed" && (typeof error !== "string" || error.trim() === "" || at(history, "error") !== error))
        problems.push({ kind: "text", text: "failed, and its history does not give the run's reason" });
    const failed = typeof error === "string" && lostWorker.test(error) ? "worker lost" : "failed";
    return {
        outcome: status === "succeeded" ? "succeeded" : status === "failed" ? failed : "lost",
        restarted: times(run, "run_restarted"),
        enqueued: times(run, "run_enqueued_again"),
        problems,
    };
}
