/** Signs a person in as a browser does: the canvas' authorization code flow with PKCE, and the provider's form. */
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { request } from "node:https";

export interface Answer {
    readonly status: number;
    readonly location: string | undefined;
    readonly cookies: readonly string[];
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
}

export interface Ask {
    readonly method?: "GET" | "POST" | "OPTIONS";
    readonly headers?: Readonly<Record<string, string>>;
    readonly form?: Readonly<Record<string, string>>;
}

/** Sends one request and follows no redirect. */
export type Send = (url: string, ask?: Ask) => Promise<Answer>;

export const byFetch: Send = async (url, { method = "GET", headers = {}, form } = {}) => {
    const body = form && new URLSearchParams(form);
    const answer = await fetch(url, { method, headers, redirect: "manual", ...(body && { body }) });
    return {
        status: answer.status,
        location: answer.headers.get("location") ?? undefined,
        cookies: answer.headers.getSetCookie(),
        headers: Object.fromEntries(answer.headers),
        body: await answer.text(),
    };
};

/** Sends to servers whose certificate a CA of the test's own has issued. `address`: where all of them are, instead of by name. */
export const verifiedBy =
    (caFile: string, address?: string): Send =>
    (url, { method = "GET", headers = {}, form } = {}) =>
        new Promise((done, fail) => {
            const { hostname, host, port, pathname, search } = new URL(url);
            const asked = request({
                host: address ?? hostname,
                port: Number(port || 443),
                servername: hostname,
                ca: readFileSync(caFile),
                method,
                path: `${pathname}${search}`,
                headers: { host, ...headers, ...(form && { "content-type": "application/x-www-form-urlencoded" }) },
            });
            asked.on("error", fail);
            asked.on("response", (answer) => {
                let body = "";
                answer.setEncoding("utf8").on("data", (part: string) => (body += part));
                answer.on("end", () => {
                    const { location, "set-cookie": cookies = [], ...rest } = answer.headers;
                    const texts = Object.entries(rest).map(([name, value]): [string, string] => [name, String(value)]);
                    done({
                        status: answer.statusCode ?? 0,
                        location,
                        cookies,
                        headers: Object.fromEntries(texts),
                        body,
                    });
                });
            });
            asked.end(form && new URLSearchParams(form).toString());
        });

export interface Tokens {
    readonly access_token: string;
    readonly id_token: string;
    readonly refresh_token?: string;
    readonly expires_in: number;
    readonly scope: string;
}

export interface SignIn {
    readonly issuer: string;
    readonly clientId: string;
    readonly redirectUri: string;
    readonly scopes: string;
    readonly username: string;
    readonly password: string;
    /** Further parameters of the authorization request. */
    readonly params?: Readonly<Record<string, string>>;
    readonly send?: Send;
}

export interface Discovery {
    readonly issuer: string;
    readonly authorization_endpoint: string;
    readonly token_endpoint: string;
    readonly revocation_endpoint: string;
    readonly end_session_endpoint: string;
    readonly jwks_uri: string;
}

export async function discover(issuer: string, send: Send = byFetch): Promise<Discovery> {
    const { status, body } = await send(`${issuer}/.well-known/openid-configuration`);
    if (status !== 200) throw new Error(`discovery answers ${status}: ${body.slice(0, 200)}`);
    return JSON.parse(body) as Discovery;
}

/** The words of a page, for messages. */
const textOf = (html: string): string =>
    html
        .replaceAll(/<(style|script)\b.*?<\/\1>/gs, "")
        .replaceAll(/<[^>]*>/g, " ")
        .replaceAll(/\s+/g, " ")
        .slice(0, 800);

/** A browser's cookies of one origin. */
export class Browser {
    readonly #cookies = new Map<string, string>();
    readonly #send: Send;

    constructor(send: Send) {
        this.#send = send;
    }

    async ask(url: string, ask: Ask = {}): Promise<Answer> {
        const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
        const headers = { ...ask.headers, ...(cookie !== "" && { cookie }) };
        const answer = await this.#send(url, { ...ask, headers });
        for (const line of answer.cookies) {
            const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
            if (value === "" || /expires=Thu, 01 Jan 1970/i.test(line)) this.#cookies.delete(name);
            else this.#cookies.set(name, value);
        }
        return answer;
    }
}

export const verifierAndChallenge = () => {
    const verifier = randomBytes(48).toString("base64url");
    return { verifier, challenge: createHash("sha256").update(verifier).digest("base64url") };
};

/** The way to the form, where the provider shows it: its URL and HTML. */
export async function openForm(
    settings: SignIn,
    browser: Browser,
    challenge: string,
): Promise<{ url: string; html: string }> {
    const { issuer, clientId, redirectUri, scopes, params, send = byFetch } = settings;
    const { authorization_endpoint } = await discover(issuer, send);
    const query = new URLSearchParams({
        response_type: "code",
        client_id: clientId,
        redirect_uri: redirectUri,
        scope: scopes,
        state: "some-state",
        code_challenge: challenge,
        code_challenge_method: "S256",
        ...params,
    });
    const first = await browser.ask(`${authorization_endpoint}?${query.toString()}`);
    // Some show the form right there, others lead to it.
    if (first.status === 200) return { url: authorization_endpoint, html: first.body };
    if (first.location === undefined) throw new Error(`no form: ${first.status} ${textOf(first.body)}`);
    const url = new URL(first.location, authorization_endpoint).href;
    if (url.startsWith(redirectUri)) throw new Error(`no form: ${new URL(url).search}`);
    return { url, html: (await browser.ask(url)).body };
}

/** Where the form's answer leads to: follows redirects until the client's address. */
export async function follow(browser: Browser, from: Answer, at: string, redirectUri: string): Promise<URL> {
    let answer = from;
    let here = at;
    for (let hops = 0; hops < 8; hops += 1) {
        if (answer.location === undefined) throw new Error(`ends at ${here}: ${answer.status} ${textOf(answer.body)}`);
        here = new URL(answer.location, here).href;
        if (here.startsWith(redirectUri)) return new URL(here);
        answer = await browser.ask(here);
    }
    throw new Error(`too many redirects, the last to ${here}`);
}

/** @throws when the provider refuses, with its answer */
export async function signIn(settings: SignIn): Promise<Tokens> {
    const { issuer, clientId, redirectUri, username, password, send = byFetch } = settings;
    const browser = new Browser(send);
    const { verifier, challenge } = verifierAndChallenge();
    const { url, html } = await openForm(settings, browser, challenge);
    const action = /<form[^>]*action="([^"]+)"/.exec(html)?.[1]?.replaceAll("&amp;", "&") ?? "";
    const posted = new URL(action, url).href;
    const answered = await browser.ask(posted, { method: "POST", form: { username, password } });
    const back = await follow(browser, answered, posted, redirectUri);
    const code = back.searchParams.get("code");
    if (code === null) throw new Error(`no code: ${back.search}`);
    const form = { grant_type: "authorization_code", code, redirect_uri: redirectUri, code_verifier: verifier };
    const { token_endpoint } = await discover(issuer, send);
    const answer = await send(token_endpoint, { method: "POST", form: { client_id: clientId, ...form } });
    if (answer.status !== 200) throw new Error(`tokens: ${answer.status} ${answer.body}`);
    return JSON.parse(answer.body) as Tokens;
}

export const claimsOf = (token: string): Record<string, unknown> =>
    JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8")) as Record<string, unknown>;
