import { lazy, Suspense, useEffect, useState } from "react";
import { backend, settings } from "./settings";

// Parts of their own, as upstream's pages are: chunks that import from the main one and are named by it.
const Workflows = lazy(() => import("./workflows"));
const Socket = lazy(() => import("./socket"));

function Health() {
    const [answer, setAnswer] = useState("asking …");
    useEffect(() => {
        const stop = new AbortController();
        fetch(`${backend}/api/system/health`, { signal: stop.signal })
            .then(async (response) => setAnswer(`HTTP ${response.status}: ${await response.text()}`))
            .catch((error: unknown) => {
                if (!stop.signal.aborted) setAnswer(`no answer: ${String(error)}`);
            });
        return () => stop.abort();
    }, []);
    return (
        <section>
            <h2>Backend</h2>
            <p>
                <code>{backend}/api/system/health</code>
            </p>
            <pre data-testid="health">{answer}</pre>
        </section>
    );
}

export function App() {
    const [token, setToken] = useState("");
    return (
        <main>
            <h1>Orcheo</h1>
            <p className="notice">
                This is the small stand-in canvas. Orcheo&apos;s own is built from its source tree; see the README of
                the deployment.
            </p>
            <Health />
            <section>
                <h2>Service token</h2>
                <input
                    type="password"
                    autoComplete="off"
                    aria-label="Service token"
                    placeholder="kept in this page only"
                    value={token}
                    onChange={(event) => setToken(event.target.value)}
                />
            </section>
            <Suspense fallback={<p>loading …</p>}>
                <Workflows token={token} />
                <Socket token={token} />
            </Suspense>
            <section>
                <h2>Settings</h2>
                <table data-testid="settings">
                    <tbody>
                        {Object.entries(settings).map(([name, value]) => (
                            <tr key={name}>
                                <th>{name}</th>
                                <td>{value || "(empty)"}</td>
                            </tr>
                        ))}
                    </tbody>
                </table>
            </section>
        </main>
    );
}
