/** Orcheo as a caller from outside sees it: through the Ingress, with the local authority's certificate verified. */
import { randomBytes, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import { run } from "../../local/process.ts";

export interface Answer {
    readonly status: number;
    /** The JSON of the body; its text where it is none. */
    readonly body: unknown;
    readonly headers: string;
}

export interface Entrance {
    /** `https://host:port`. */
    readonly origin: string;
    readonly caFile: string;
    readonly token?: string;
}

/** One request by curl. @throws when no answer comes, or the certificate does not verify */
export async function ask(
    { origin, caFile, token }: Entrance,
    method: string,
    path: string,
    body?: unknown,
): Promise<Answer> {
    const { hostname, port } = new URL(origin);
    const answered = await run(
        "curl",
        [
            ...["--silent", "--show-error", "--max-time", "60", "--include", "--http1.1", "--request", method],
            ...["--cacert", caFile, "--resolve", `${hostname}:${port === "" ? 443 : port}:127.0.0.1`],
            ...(token === undefined ? [] : ["--header", `Authorization: Bearer ${token}`]),
            ...(body === undefined ? [] : ["--header", "Content-Type: application/json", "--data-binary", "@-"]),
            `${origin}${path}`,
        ],
        { input: body === undefined ? undefined : JSON.stringify(body), timeoutSeconds: 70 },
    );
    // A large body is sent after a first word of the server's.
    const said = answered.replace(/^HTTP\/\S+ 100 Continue\r\n\r\n/, "");
    const end = said.indexOf("\r\n\r\n");
    const headers = said.slice(0, end);
    const text = said.slice(end + 4);
    return { status: Number(/^HTTP\/\S+ (\d+)/.exec(headers)?.[1]), body: parsed(text), headers };
}

function parsed(text: string): unknown {
    try {
        return JSON.parse(text) as unknown;
    } catch {
        return text;
    }
}

/** The certificate of the server. @throws when the authority did not sign it, or it is for another name */
export const verifiedCertificate = ({ origin, caFile }: Entrance): Promise<X509Certificate> =>
    new Promise((done, fail) => {
        const { hostname, port } = new URL(origin);
        const options = {
            host: "127.0.0.1",
            port: Number(port || 443),
            servername: hostname,
            ca: readFileSync(caFile),
        };
        const socket = connect(options, () => {
            done(new X509Certificate(socket.getPeerX509Certificate()?.raw ?? Buffer.of()));
            socket.end();
        });
        socket.on("error", fail);
    });

/** The status that answers a WebSocket of a workflow; with 101 it is open, and closed again. */
export const socketStatus = ({ origin, caFile, token }: Entrance, workflow: string): Promise<number | undefined> =>
    new Promise((done, fail) => {
        const { hostname, port, host } = new URL(origin);
        const asked = request({
            host: "127.0.0.1",
            port: Number(port || 443),
            servername: hostname,
            ca: readFileSync(caFile),
            path: `/ws/workflow/${workflow}`,
            headers: {
                host,
                ...(token !== undefined && { authorization: `Bearer ${token}` }),
                connection: "Upgrade",
                upgrade: "websocket",
                "sec-websocket-version": "13",
                "sec-websocket-key": randomBytes(16).toString("base64"),
            },
        });
        asked.on("upgrade", ({ statusCode }, socket) => {
            socket.destroy();
            done(statusCode);
        });
        asked.on("response", (answer) => {
            answer.resume();
            done(answer.statusCode);
        });
        asked.on("error", fail);
        asked.end();
    });

export const at = (value: unknown, ...path: readonly (string | number)[]): unknown =>
    path.reduce<unknown>(
        (here, key) =>
            typeof here === "object" && here !== null ? (here as Record<string | number, unknown>)[key] : undefined,
        value,
    );

/** Sets one variable, after a wait: the smallest workflow with a result. */
const script = (waitSeconds: number): string => `from langgraph.graph import END, START, StateGraph
from orcheo.graph.state import State
from orcheo.nodes.logic import DelayNode, SetVariableNode


def build():
    graph = StateGraph(State)
    graph.add_node("wait", DelayNode(name="wait", duration_seconds=${waitSeconds}))
    graph.add_node("set", SetVariableNode(name="set", variables={"answer": 42}))
    graph.add_edge(START, "wait")
    graph.add_edge("wait", "set")
    graph.add_edge("set", END)
    return graph
`;

/** The body of the answer. @throws for any other status */
export async function expected(answer: Promise<Answer>, ...statuses: readonly number[]): Promise<unknown> {
    const { status, body } = await answer;
    if (!statuses.includes(status)) throw new Error(`status ${status}: ${JSON.stringify(body)}`);
    return body;
}

export interface Workflow {
    readonly id: string;
}

/** Creates the workflow with one version, of seconds to wait or a script. 0.46 keeps workflows in workspaces. */
export async function createWorkflow(
    entrance: Entrance,
    release: string,
    handle: string,
    content: number | { readonly script: string } = 0,
): Promise<Workflow> {
    if (release === "0.46")
        await expected(ask(entrance, "POST", "/api/workspaces", { slug: "e2e", name: "E2E" }), 201, 409);
    const workflow = await expected(
        ask(entrance, "POST", "/api/workflows", { name: handle, handle, actor: "e2e" }),
        201,
    );
    const id = String(at(workflow, "id"));
    const source = typeof content === "number" ? script(content) : content.script;
    const version = { script: source, entrypoint: "build", created_by: "e2e" };
    await expected(ask(entrance, "POST", `/api/workflows/${id}/versions/ingest`, version), 201);
    return { id };
}

/**
 * Hands `count` runs to the workers.
 * Never repeated: a dispatch whose answer was lost has made its runs.
 * @returns the runs' ids
 */
export async function dispatchRuns(
    entrance: Entrance,
    workflow_id: string,
    count: number,
    actor: string,
): Promise<string[]> {
    const runs = Array.from({ length: count }, () => ({ input_payload: { x: 1 } }));
    const body = await expected(
        ask(entrance, "POST", "/api/triggers/manual/dispatch", { workflow_id, actor, runs }),
        200,
    );
    return runs.map((_, place) => String(at(body, place, "id")));
}

/** Hands one run to the workers. @returns the run's id */
export async function dispatch(entrance: Entrance, { id }: Workflow): Promise<string> {
    const [run] = await dispatchRuns(entrance, id, 1, "e2e");
    return String(run);
}

/** Waits until the run has ended. */
export async function ended(entrance: Entrance, runId: string, seconds = 90): Promise<unknown> {
    for (const end = Date.now() + seconds * 1000; ;) {
        const seen = await expected(ask(entrance, "GET", `/api/runs/${runId}`), 200);
        if (["succeeded", "failed", "cancelled"].includes(String(at(seen, "status")))) return seen;
        if (Date.now() > end)
            throw new Error(`the run is still ${String(at(seen, "status"))}: ${JSON.stringify(seen)}`);
        await sleep(500);
    }
}

/** What a node returned; the two generations keep it in different places. */
export const resultOf = (run_: unknown, node: string): unknown =>
    at(run_, "output_payload", "final_state", "results", node) ??
    at(run_, "output_payload", "final_state", "node_results", node);

/** What the workflow computed. */
export const answerOf = (run_: unknown): unknown => at(resultOf(run_, "set"), "answer");

/** Who had a hand in the run. */
export const actorsOf = (run_: unknown): unknown[] => {
    const log = at(run_, "audit_log");
    return Array.isArray(log) ? log.map((entry: unknown) => at(entry, "actor")) : [];
};
