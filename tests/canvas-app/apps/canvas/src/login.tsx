import { useEffect, useState } from "react";
import { complete, type Provider, start } from "./oidc";

/** The real page offers the same two buttons, whichever provider is configured. */
export function Login({ returnTo }: { returnTo: string }) {
    const [problem, setProblem] = useState("");
    const signIn = (provider: Provider) =>
        start(provider, returnTo).catch((error: unknown) => setProblem(`Login failed: ${String(error)}`));
    return (
        <main>
            <h1>Sign in</h1>
            <p>Continue with your OAuth provider.</p>
            <button onClick={() => void signIn("google")}>Google</button>
            <button onClick={() => void signIn("github")}>GitHub</button>
            {problem !== "" && <p role="alert">{problem}</p>}
        </main>
    );
}

/** Every code works once; React's strict mode runs effects twice. */
let completing: Promise<string> | undefined;

export function Callback() {
    const [message, setMessage] = useState("Completing sign-in…");
    useEffect(() => {
        const query = new URLSearchParams(window.location.search);
        const [code, state] = [query.get("code"), query.get("state")];
        if (query.has("error")) return setMessage("OAuth login failed. Please try again.");
        if (!code || !state) return setMessage("Missing OAuth response details.");
        completing ??= complete(code, state);
        completing.then(
            (returnTo) => window.location.replace(returnTo),
            (error: unknown) => {
                console.error("Unable to complete login.", error);
                setMessage("Unable to complete login.");
            },
        );
    }, []);
    return (
        <main>
            <h1>Signing in</h1>
            <p>{message}</p>
        </main>
    );
}
