/** Serves the identity provider and its sign-in page. `try.ts` runs it on this machine without a cluster. */
import { existsSync, readFileSync } from "node:fs";
import {
    createServer as createHttpServer,
    type IncomingMessage,
    type RequestListener,
    type Server,
    type ServerResponse,
} from "node:http";
import { createServer as createHttpsServer, type Server as HttpsServer } from "node:https";
import { join } from "node:path";
import type Provider from "oidc-provider";
import { loginPage, errorPage } from "./pages.ts";
import { matches } from "./password.ts";
import { createProvider, pageHeaders } from "./provider.ts";
import { readSettings, type SignInSettings } from "./settings.ts";
import { Store } from "./store.ts";
import { afterFailure, noGuesses, waitSeconds } from "./throttle.ts";

const certificateCheckMs = 60_000;
const longestFormBytes = 4096;

function answer(response: ServerResponse, status: number, html: string, more: Record<string, string> = {}): void {
    response.writeHead(status, { "Content-Type": "text/html; charset=utf-8", ...pageHeaders, ...more });
    response.end(html);
}

async function formOf(request: IncomingMessage): Promise<URLSearchParams | undefined> {
    const parts: Buffer[] = [];
    let size = 0;
    for await (const part of request as AsyncIterable<Buffer>) {
        size += part.length;
        if (size > longestFormBytes) return undefined;
        parts.push(part);
    }
    return new URLSearchParams(Buffer.concat(parts).toString("utf8"));
}

/** The sign-in page's own path, /sign-in/<uid>. */
function signInPage(provider: Provider, settings: SignInSettings) {
    const { person, passwordCommand } = settings;
    // There is one person: one count, and a guesser cannot go round it by another address or name.
    let guesses = noGuesses;
    return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
        const { prompt, params, uid, session } = await provider.interactionDetails(request, response);
        const action = `/sign-in/${uid}`;
        if (prompt.name === "consent" && session?.accountId !== undefined) {
            // Asked for by the client (prompt=consent); the clients are the stack's own.
            await provider.interactionFinished(request, response, { consent: {} }, { mergeWithLastSubmission: true });
            return;
        }
        const refused = (status: number, username: string, error: string, more = {}): void => {
            answer(response, status, loginPage({ action, username, error, passwordCommand }), more);
        };
        if (request.method !== "POST") {
            const hint = typeof params.login_hint === "string" ? params.login_hint : "";
            answer(response, 200, loginPage({ action, username: hint, passwordCommand }));
            return;
        }
        const form = await formOf(request);
        const username = form?.get("username")?.trim() ?? "";
        const wait = waitSeconds(guesses, Date.now());
        if (wait > 0) {
            const error = `Too many wrong passwords. Try again in ${wait} seconds.`;
            refused(429, username, error, { "Retry-After": String(wait) });
            return;
        }
        // The password is checked for unknown names as well, which then take as long.
        const right = matches(form?.get("password") ?? "", person.passwordHash);
        if (!right || username !== person.username) {
            guesses = afterFailure(guesses, Date.now());
            process.stdout.write(`sign-in: refused, ${guesses.failures} in a row\n`);
            refused(401, username, "The user name or the password is wrong.");
            return;
        }
        guesses = noGuesses;
        process.stdout.write(`sign-in: accepted for client ${String(params.client_id)}\n`);
        await provider.interactionFinished(request, response, { login: { accountId: username, remember: false } });
    };
}

/** @returns the listener; `/healthz` and the keys are answered under any name, everything else under the issuer's only */
export function listener(settings: SignInSettings, store: Store): RequestListener {
    const provider = createProvider(settings, store);
    provider.on("server_error", (_ctx, error: Error) => {
        process.stderr.write(`sign-in: ${error.stack ?? error.message}\n`);
    });
    const callback = provider.callback();
    const signIn = signInPage(provider, settings);
    const { host } = new URL(settings.issuer);
    return (request, response) => {
        const path = (request.url ?? "/").split("?")[0] ?? "/";
        if (path === "/healthz") {
            response.writeHead(200).end("ok\n");
            return;
        }
        // The provider's addresses follow the Host header.
        if (request.headers.host !== host && path !== "/jwks") {
            response.writeHead(421).end(`this is ${host}\n`);
            return;
        }
        if (!path.startsWith("/sign-in/")) {
            void callback(request, response);
            return;
        }
        signIn(request, response).catch((error: unknown) => {
            const name = error instanceof Error ? error.name : "Error";
            process.stderr.write(`sign-in: ${name} at the sign-in page\n`);
            answer(
                response,
                400,
                errorPage(name, "This sign-in has expired or was already used. Go back to Orcheo and start again."),
            );
        });
    };
}

/** Serves https, or http on loopback when there is no certificate. */
export function serve(settings: SignInSettings, store: Store): Server | HttpsServer {
    const { port, tlsDir } = settings;
    if (tlsDir === undefined) return createHttpServer(listener(settings, store)).listen(port, "127.0.0.1");
    const pair = () => ({
        cert: readFileSync(join(tlsDir, "tls.crt")),
        key: readFileSync(join(tlsDir, "tls.key")),
    });
    let { cert } = pair();
    const server = createHttpsServer({ ...pair(), minVersion: "TLSv1.2" }, listener(settings, store));
    // cert-manager renews it long before it expires.
    setInterval(() => {
        if (!existsSync(join(tlsDir, "tls.crt"))) return;
        const next = pair();
        if (next.cert.equals(cert)) return;
        server.setSecureContext(next);
        cert = next.cert;
    }, certificateCheckMs).unref();
    return server.listen(port);
}

/** Serves until it is asked to stop by a signal. */
export function start(settings: SignInSettings): void {
    const store = new Store(settings.dataFile);
    const server = serve(settings, store);
    process.stdout.write(`sign-in: serving ${settings.issuer} on port ${settings.port}\n`);
    for (const signal of ["SIGTERM", "SIGINT"] as const)
        process.once(signal, () => {
            server.close(() => {
                store.close();
                process.exit(0);
            });
            server.closeAllConnections();
        });
}

if (import.meta.main) start(readSettings(process.env));
