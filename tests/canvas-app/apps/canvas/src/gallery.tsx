import { useEffect, useState } from "react";
import { call, type Workflow } from "./backend";
import { Header } from "./header";
import { template } from "./template";

const open = (workflow: Workflow) => window.location.assign(`/workflow-canvas/${workflow.handle ?? workflow.id}`);

export default function Gallery() {
    const [tab, setTab] = useState<"all" | "templates">("all");
    const [search, setSearch] = useState("");
    const [workflows, setWorkflows] = useState<Workflow[]>();
    const [problem, setProblem] = useState("");
    const failed = (what: string) => (error: unknown) => setProblem(`${what}: ${String(error)}`);
    useEffect(() => {
        call<Workflow[]>("/api/workflows").then(setWorkflows, failed("Unable to load workflows"));
    }, []);

    async function create() {
        const workflow = await call<Workflow>("/api/workflows", { name: template.name, actor: "canvas" });
        const version = { script: template.script, entrypoint: "build", created_by: "canvas" };
        await call(`/api/workflows/${workflow.id}/versions/ingest`, version);
        open(workflow);
    }

    const found = (name: string) => name.toLowerCase().includes(search.trim().toLowerCase());
    const useTemplate = () => void create().catch(failed("Failed to create workflow from template"));
    const shown = workflows?.filter(({ name }) => found(name));
    return (
        <>
            <Header title="Workflows" />
            <main>
                <input
                    placeholder="Search workflows..."
                    value={search}
                    onChange={(event) => setSearch(event.target.value)}
                />
                <div role="tablist">
                    <button role="tab" aria-selected={tab === "all"} onClick={() => setTab("all")}>
                        All <small>{workflows?.length ?? 0}</small>
                    </button>
                    <button role="tab" aria-selected={tab === "templates"} onClick={() => setTab("templates")}>
                        Templates <small>1</small>
                    </button>
                </div>
                {problem !== "" && <p role="alert">{problem}</p>}
                {tab === "templates" && found(template.name) && (
                    <article>
                        <h3>{template.name}</h3>
                        <button onClick={useTemplate}>Use template</button>
                    </article>
                )}
                {tab === "all" && shown?.length === 0 && <h3>No workflows found</h3>}
                {tab === "all" &&
                    shown?.map((workflow) => (
                        <article key={workflow.id} role="button" tabIndex={0} onClick={() => open(workflow)}>
                            <h3>{workflow.name}</h3>
                            <code>{workflow.id}</code>
                        </article>
                    ))}
            </main>
        </>
    );
}
