/** What a run went through, by its audit log and its history: whether it was lost, and whether it was ever executed twice at a time. */
import { at } from "../e2e/orcheo.ts";

/** So many steps of a second, each a line of the history: executions that overlap are seen in the order of their steps. */
export const STEPS = 20;

export const workflow = `from langgraph.graph import END, START, StateGraph
from orcheo.graph.state import State
from orcheo.nodes.logic import DelayNode


def build():
    graph = StateGraph(State)
    names = ["step" + str(i) for i in range(${STEPS})]
    for name in names:
        graph.add_node(name, DelayNode(name=name, duration_seconds=1))
    graph.add_edge(START, names[0])
    for i in range(${STEPS - 1}):
        graph.add_edge(names[i], names[i + 1])
    graph.add_edge(names[-1], END)
    return graph
`;

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const ends = ["run_succeeded", "run_failed", "run_cancelled"];

/** How often the audit log names an action. */
export const times = (run: unknown, action: string): number =>
    list(at(run, "audit_log")).filter((entry) => at(entry, "action") === action).length;

/** Everything that is wrong with a run that had time to end. */
export function problemsOf(run: unknown, history: unknown): string[] {
    const problems: string[] = [];
    const status = String(at(run, "status"));
    if (!["succeeded", "failed"].includes(status)) problems.push(`lost: it is ${status}`);
    const ended = ends.reduce((sum, action) => sum + times(run, action), 0);
    if (ended !== 1) problems.push(`${ended} ends in its audit log`);
    let next = 0;
    for (const step of list(at(history, "steps"))) {
        if (at(step, "payload", "status") === "restarted") next = 0;
        const [name] = Object.keys(at(step, "payload") ?? {});
        const number = /^step(\d+)$/.exec(name ?? "")?.[1];
        if (number === undefined) continue;
        if (Number(number) !== next)
            problems.push(`step ${number} where step ${next} was next: two executions at a time`);
        next = Number(number) + 1;
    }
    if (status === "succeeded" && next !== STEPS) problems.push(`succeeded after ${next} of ${STEPS} steps`);
    if (status === "failed" && typeof at(history, "error") !== "string")
        problems.push("failed without a reason in its history");
    return problems;
}
