/** The session, kept in the browser as the real canvas keeps it: same key, same shape, no refresh. */
const KEY = "orcheo_canvas_auth_tokens";
/** A token that ends within a minute counts as ended. */
const SKEW_MS = 60_000;

export interface Tokens {
    accessToken: string;
    idToken?: string;
    refreshToken?: string;
    tokenType?: string;
    /** Milliseconds since 1970. */
    expiresAt?: number;
}

function stored(): Tokens | null {
    try {
        return JSON.parse(localStorage.getItem(KEY) ?? "null") as Tokens | null;
    } catch {
        return null;
    }
}

export const store = (tokens: Tokens) => localStorage.setItem(KEY, JSON.stringify(tokens));

export const clear = () => localStorage.removeItem(KEY);

/** The access token of a session that has not ended; a session that has is removed. */
export function accessToken(): string | null {
    const tokens = stored();
    const fresh = Boolean(tokens?.accessToken) && (!tokens?.expiresAt || Date.now() < tokens.expiresAt - SKEW_MS);
    if (!fresh) clear();
    return fresh ? (tokens?.accessToken ?? null) : null;
}
