/** Orcheo's API as the pages need it, with the session's token on every call. */
import { accessToken } from "./session";
import { backend } from "./settings";

export interface Workflow {
    id: string;
    name: string;
    handle?: string | null;
}

export interface Version {
    id: string;
    version: number;
    graph: unknown;
}

export async function call<T>(path: string, body?: unknown): Promise<T> {
    const token = accessToken();
    const response = await fetch(`${backend}${path}`, {
        method: body === undefined ? "GET" : "POST",
        headers: {
            ...(token && { Authorization: `Bearer ${token}` }),
            ...(body !== undefined && { "Content-Type": "application/json" }),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`HTTP ${response.status}: ${await response.text()}`);
    return (await response.json()) as T;
}

/** The socket that runs a workflow. The real canvas names the token twice as well: in the address and as a subprotocol. */
export function openSocket(workflowId: string): WebSocket {
    const token = accessToken();
    const address = `${backend.replace(/^http/, "ws")}/ws/workflow/${workflowId}`;
    if (token === null) return new WebSocket(address);
    return new WebSocket(`${address}?${new URLSearchParams({ access_token: token })}`, [
        "orcheo-auth",
        `bearer.${token}`,
    ]);
}
