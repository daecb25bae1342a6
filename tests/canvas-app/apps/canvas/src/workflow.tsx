import { useEffect, useRef, useState } from "react";
import { call, openSocket, type Version, type Workflow } from "./backend";
import { Header } from "./header";
import { merged, type Span, Trace } from "./trace";

/** One workflow: its latest version runs over a WebSocket, and its trace grows with what that socket brings. */
export default function WorkflowPage({ reference }: { reference: string }) {
    const [tab, setTab] = useState<"workflow" | "trace">("workflow");
    const [workflow, setWorkflow] = useState<Workflow>();
    const [spans, setSpans] = useState<readonly Span[]>([]);
    const [running, setRunning] = useState(false);
    const [problem, setProblem] = useState("");
    const socket = useRef<WebSocket>(null);
    useEffect(() => {
        call<Workflow>(`/api/workflows/${reference}`).then(setWorkflow, (error: unknown) =>
            setProblem(`Failed to load workflow: ${String(error)}`),
        );
        return () => socket.current?.close();
    }, [reference]);

    async function run({ id }: Workflow) {
        const versions = await call<Version[]>(`/api/workflows/${id}/versions`);
        const latest = versions.toSorted((one, other) => other.version - one.version)[0];
        if (latest === undefined) throw new Error("this workflow has no version");
        setRunning(true);
        setSpans([]);
        const next = openSocket(id);
        next.onopen = () =>
            next.send(
                JSON.stringify({
                    type: "run_workflow",
                    graph_config: latest.graph,
                    inputs: {},
                    execution_id: `run-${crypto.randomUUID()}`,
                }),
            );
        next.onmessage = ({ data }) => {
            const message = JSON.parse(String(data)) as { type?: string; spans?: Span[]; status?: string };
            if (message.type === "trace:update") setSpans((before) => merged(before, message.spans ?? []));
        };
        next.onerror = () => setProblem("Workflow stream error: The WebSocket connection reported an error.");
        next.onclose = () => setRunning(false);
        socket.current?.close();
        socket.current = next;
    }

    return (
        <>
            <Header title={workflow?.name ?? ""} />
            <main>
                <div role="tablist">
                    <button role="tab" aria-selected={tab === "workflow"} onClick={() => setTab("workflow")}>
                        Workflow
                    </button>
                    <button role="tab" aria-selected={tab === "trace"} onClick={() => setTab("trace")}>
                        Trace
                    </button>
                </div>
                {problem !== "" && <p role="alert">{problem}</p>}
                {tab === "workflow" && workflow !== undefined && (
                    <section>
                        <h2>{workflow.name}</h2>
                        <button
                            disabled={running}
                            onClick={() =>
                                void run(workflow).catch((error: unknown) =>
                                    setProblem(`Failed to run workflow: ${String(error)}`),
                                )
                            }
                        >
                            {running ? "Running..." : "Run"}
                        </button>
                    </section>
                )}
                {tab === "trace" && <Trace spans={spans} />}
            </main>
        </>
    );
}
