/** Registered clients: one file a stack, `<client id>.json` with {"origin", "audience"}; read anew for each request. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ClientMetadata } from "oidc-provider";

export interface Registration {
    /** Where the canvas is: https://orcheo.localhost. */
    readonly origin: string;
    /** The audience that the stack's API expects. */
    readonly audience: string;
}

/** Scopes that Orcheo 0.33 and 0.46 ask for somewhere; what else a person does needs a valid token only. */
export const orcheoScopes = [
    "workflows:read",
    "workflows:write",
    "workflows:execute",
    "vault:read",
    "vault:write",
    "chatkit:session",
    "admin:tokens:read",
    "admin:tokens:write",
];

/** `openid` makes it OpenID Connect; profile and email put a name into the ID token. */
export const personScopes = ["openid", "profile", "email"];

export function registrationOf(dir: string, clientId: string): Registration | undefined {
    // An id is a file name here: nothing that leads elsewhere.
    if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(clientId)) return undefined;
    const file = join(dir, `${clientId}.json`);
    if (!existsSync(file)) return undefined;
    const { origin, audience } = JSON.parse(readFileSync(file, "utf8")) as Partial<Registration>;
    if (typeof origin !== "string" || typeof audience !== "string")
        throw new Error(`${file}: "origin" and "audience" have to be strings`);
    return { origin, audience };
}

/** A public client (a page has no secret) that must use PKCE, with exact addresses to return to. */
export const clientOf = (clientId: string, { origin }: Registration): ClientMetadata => ({
    client_id: clientId,
    client_name: "Orcheo",
    application_type: "web",
    token_endpoint_auth_method: "none",
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    redirect_uris: [`${origin}/auth/callback`],
    post_logout_redirect_uris: [origin, `${origin}/`, `${origin}/login`],
    scope: [...personScopes, "offline_access", ...orcheoScopes].join(" "),
});
