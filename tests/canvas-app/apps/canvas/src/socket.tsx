import { useEffect, useRef, useState } from "react";
import { backend } from "./settings";

export default function Socket({ token }: { token: string }) {
    const [workflow, setWorkflow] = useState("");
    const [state, setState] = useState("closed");
    const socket = useRef<WebSocket>(null);
    useEffect(() => () => socket.current?.close(), []);

    function open() {
        socket.current?.close();
        setState("connecting …");
        // The token goes as a subprotocol: in the address it would land in access logs.
        const next = new WebSocket(`${backend.replace(/^http/, "ws")}/ws/workflow/${encodeURIComponent(workflow)}`, [
            "orcheo-auth",
            `bearer.${token}`,
        ]);
        next.onopen = () => setState("open");
        next.onmessage = (event) => setState(`message: ${String(event.data)}`);
        next.onclose = (event) => setState(`closed (${event.code}) ${event.reason}`);
        socket.current = next;
    }

    return (
        <section>
            <h2>WebSocket</h2>
            <input
                aria-label="Workflow"
                placeholder="workflow id or handle"
                value={workflow}
                onChange={(event) => setWorkflow(event.target.value)}
            />
            <button disabled={token === "" || workflow === ""} onClick={open}>
                Connect
            </button>
            <pre data-testid="socket">{state}</pre>
        </section>
    );
}
