/** Authorization code with PKCE, run by the page itself: discovery, redirect, callback, token request. */
import { store } from "./session";
import { setting } from "./settings";

const STATE = "orcheo_canvas_oidc_state";
const VERIFIER = "orcheo_canvas_oidc_verifier";
const ISSUED_AT = "orcheo_canvas_oidc_state_issued_at";
const RETURN_TO = "orcheo_canvas_oidc_redirect";
const STATE_LIFE_MS = 10 * 60 * 1000;

export type Provider = "google" | "github";

const issuer = () => setting("AUTH_ISSUER").replace(/\/+$/, "");

/** Whether somebody has to sign in: the real canvas has this one switch. */
export const authEnabled = /^https?:\/\//.test(setting("AUTH_ISSUER"));

const redirectUri = () => setting("AUTH_REDIRECT_URI") || `${window.location.origin}/auth/callback`;

const base64Url = (bytes: Uint8Array) =>
    btoa(String.fromCharCode(...bytes))
        .replace(/\+/g, "-")
        .replace(/\//g, "_")
        .replace(/=+$/, "");

const random = (length: number) => base64Url(crypto.getRandomValues(new Uint8Array(length)));

async function discovery() {
    const response = await fetch(`${issuer()}/.well-known/openid-configuration`);
    if (!response.ok) throw new Error("Failed to load OAuth discovery metadata.");
    return (await response.json()) as { authorization_endpoint: string; token_endpoint: string };
}

/** Leaves this page for the provider's. */
export async function start(provider: Provider, returnTo: string): Promise<void> {
    const { authorization_endpoint } = await discovery();
    const state = random(32);
    const verifier = random(64);
    const challenge = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
    sessionStorage.setItem(STATE, state);
    sessionStorage.setItem(VERIFIER, verifier);
    sessionStorage.setItem(ISSUED_AT, String(Date.now()));
    sessionStorage.setItem(RETURN_TO, returnTo);
    const values = {
        google: setting("AUTH_PROVIDER_GOOGLE"),
        github: setting("AUTH_PROVIDER_GITHUB"),
    };
    const url = new URL(authorization_endpoint);
    const query: Record<string, string> = {
        response_type: "code",
        client_id: setting("AUTH_CLIENT_ID"),
        redirect_uri: redirectUri(),
        scope: setting("AUTH_SCOPES") || "openid profile email",
        state,
        code_challenge: base64Url(new Uint8Array(challenge)),
        code_challenge_method: "S256",
        organization: setting("AUTH_ORGANIZATION"),
        audience: setting("AUTH_AUDIENCE"),
    };
    const hint = setting("AUTH_PROVIDER_PARAM");
    if (hint) query[hint] = values[provider] || provider;
    for (const [name, value] of Object.entries(query)) if (value) url.searchParams.set(name, value);
    window.location.assign(url);
}

function takeVerifier(state: string): string {
    const [expected, verifier, issuedAt] = [STATE, VERIFIER, ISSUED_AT].map((key) => sessionStorage.getItem(key));
    for (const key of [STATE, VERIFIER, ISSUED_AT]) sessionStorage.removeItem(key);
    if (!expected || !verifier || !(Date.now() - Number(issuedAt) <= STATE_LIFE_MS))
        throw new Error("OAuth state missing.");
    if (expected !== state) throw new Error("OAuth state mismatch.");
    return verifier;
}

/** Trades the code for tokens. @returns the page that asked for the sign-in */
export async function complete(code: string, state: string): Promise<string> {
    const { token_endpoint } = await discovery();
    const response = await fetch(token_endpoint, {
        method: "POST",
        headers: { "Content-Type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams({
            grant_type: "authorization_code",
            client_id: setting("AUTH_CLIENT_ID"),
            code,
            redirect_uri: redirectUri(),
            code_verifier: takeVerifier(state),
        }).toString(),
    });
    if (!response.ok) throw new Error((await response.text()) || "OAuth token exchange failed.");
    const tokens = (await response.json()) as Record<string, string | undefined> & { expires_in?: number };
    if (!tokens.access_token) throw new Error("OAuth token response missing access token.");
    store({
        accessToken: tokens.access_token,
        idToken: tokens.id_token,
        refreshToken: tokens.refresh_token,
        tokenType: tokens.token_type,
        expiresAt: typeof tokens.expires_in === "number" ? Date.now() + tokens.expires_in * 1000 : undefined,
    });
    const returnTo = sessionStorage.getItem(RETURN_TO) ?? "/";
    sessionStorage.removeItem(RETURN_TO);
    return returnTo;
}
