import { useState } from "react";
import { backend } from "./settings";

interface Workflow {
    id: string;
    name: string;
}

export default function Workflows({ token }: { token: string }) {
    const [workflows, setWorkflows] = useState<Workflow[]>();
    const [problem, setProblem] = useState("");

    async function list() {
        setProblem("");
        try {
            const response = await fetch(`${backend}/api/workflows`, { headers: { Authorization: `Bearer ${token}` } });
            if (!response.ok) throw new Error(`HTTP ${response.status}: ${await response.text()}`);
            setWorkflows((await response.json()) as Workflow[]);
        } catch (error) {
            setWorkflows(undefined);
            setProblem(String(error));
        }
    }

    return (
        <section>
            <h2>Workflows</h2>
            <button disabled={token === ""} onClick={() => void list()}>
                List workflows
            </button>
            {problem !== "" && <pre>{problem}</pre>}
            {workflows !== undefined && (
                <ul data-testid="workflows">
                    {workflows.map(({ id, name }) => (
                        <li key={id}>
                            {name} <code>{id}</code>
                        </li>
                    ))}
                    {workflows.length === 0 && <li>none yet</li>}
                </ul>
            )}
        </section>
    );
}
