/** The embedded cluster's identity provider, run on loopback: the real library, the real store, no cluster. */
import { mkdtempSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { clientOf, orcheoScopes, personScopes, registrationOf } from "../../local/cluster/addons/sign-in/clients.ts";
import { escape, loginPage } from "../../local/cluster/addons/sign-in/pages.ts";
import { hashOf, matches, newPassword } from "../../local/cluster/addons/sign-in/password.ts";
import { listener } from "../../local/cluster/addons/sign-in/server.ts";
import { newSecrets, readSettings } from "../../local/cluster/addons/sign-in/settings.ts";
import { Store } from "../../local/cluster/addons/sign-in/store.ts";
import { afterFailure, freeGuesses, noGuesses, waitSeconds } from "../../local/cluster/addons/sign-in/throttle.ts";
import {
    Browser,
    byFetch,
    claimsOf,
    discover,
    follow,
    openForm,
    signIn,
    verifierAndChallenge,
} from "./sign-in-client.ts";

const origin = "http://localhost:5173";
const password = "right-password";
const directory = mkdtempSync(join(tmpdir(), "sign-in-test-"));
writeFileSync(join(directory, "orcheo-dev.json"), JSON.stringify({ origin, audience: "orcheo" }));
const secrets = newSecrets(password, { username: "admin", name: "Orcheo Admin", email: "admin@orcheo.localhost" });
const scopes = [...personScopes, ...orcheoScopes].join(" ");

let server: Server;
let issuer: string;

/** Restarting with the same file and secrets is what a new pod does. */
async function start(dataFile = ":memory:", port = 0): Promise<void> {
    server = createServer();
    await new Promise<void>((done) => server.listen(port, "127.0.0.1", done));
    issuer = `http://localhost:${(server.address() as AddressInfo).port}`;
    const rest = { port: 0, clientsDir: directory, passwordCommand: "cat password" };
    const lifetimes = { accessTokenSeconds: 3600, refreshTokenSeconds: 86_400 };
    server.on("request", listener({ ...secrets, ...rest, ...lifetimes, issuer, dataFile }, new Store(dataFile)));
}

const stop = () =>
    new Promise<void>((done) => {
        server.close(() => {
            done();
        });
        server.closeAllConnections();
    });

const person = () => ({
    issuer,
    clientId: "orcheo-dev",
    redirectUri: `${origin}/auth/callback`,
    scopes,
    username: "admin",
    password,
});
const offline = () => ({ ...person(), scopes: `${scopes} offline_access`, params: { prompt: "consent" } });
const refresh = async (token: string) => {
    const { token_endpoint } = await discover(issuer);
    const form = { grant_type: "refresh_token", client_id: "orcheo-dev", refresh_token: token };
    const { status, body } = await byFetch(token_endpoint, { method: "POST", form, headers: { origin } });
    return { status, ...(JSON.parse(body) as { access_token?: string; refresh_token?: string; error?: string }) };
};

vi.spyOn(process.stdout, "write").mockReturnValue(true);
afterAll(() => {
    vi.restoreAllMocks();
});

describe("sign-in with the embedded cluster's provider", () => {
    beforeEach(() => start());
    afterEach(stop);

    it("issues an access token for Orcheo's API and an ID token with the person's name", async () => {
        const tokens = await signIn(person());
        const claims = claimsOf(tokens.access_token);
        expect(claims).toMatchObject({ iss: issuer, aud: "orcheo", sub: "admin", client_id: "orcheo-dev" });
        expect(String(claims.scope).split(" ")).toEqual(expect.arrayContaining(orcheoScopes));
        expect(Number(claims.exp) - Number(claims.iat)).toBe(3600);
        expect(claimsOf(tokens.id_token)).toMatchObject({ name: "Orcheo Admin", email: "admin@orcheo.localhost" });
        expect(tokens.refresh_token).toBeUndefined();
    });

    it("ignores the parameter `audience` that the canvas sends", async () => {
        const tokens = await signIn({ ...person(), params: { audience: "something-else" } });
        expect(claimsOf(tokens.access_token).aud).toBe("orcheo");
    });

    it("refuses a wrong password with a message, and slows guessing down", async () => {
        const browser = new Browser(byFetch);
        const { url, html } = await openForm(person(), browser, verifierAndChallenge().challenge);
        expect(html).toContain('<label for="password">');
        const post = (form: Record<string, string>) => browser.ask(url, { method: "POST", form });
        for (let count = 0; count < freeGuesses; count += 1) {
            const answer = await post({ username: count % 2 === 0 ? "admin" : "nobody", password: "wrong" });
            expect(answer.status).toBe(401);
            expect(answer.body).toContain('role="alert" id="error">The user name or the password is wrong.');
            expect(answer.body).not.toContain('wrong"');
        }
        const blocked = await post({ username: "admin", password });
        expect(blocked.status).toBe(429);
        expect(blocked.headers["retry-after"]).toBe("15");
    });

    it("asks for the password at each sign-in, also in a browser that signed in before", async () => {
        const browser = new Browser(byFetch);
        const send = browser.ask.bind(browser);
        await signIn({ ...person(), send });
        const { html } = await openForm({ ...person(), send }, browser, verifierAndChallenge().challenge);
        expect(html).toContain('<label for="password">');
    });

    it.each([
        ["another redirect URI", { redirect_uri: `${origin}/elsewhere` }, "redirect_uri"],
        ["an unknown client", { client_id: "somebody" }, "client is invalid"],
        ["no PKCE", { code_challenge: "", code_challenge_method: "" }, "PKCE"],
    ])("refuses %s", async (_, params, message) => {
        await expect(signIn({ ...person(), params })).rejects.toThrow(message);
    });

    it("rotates refresh tokens, and revokes all of them when an old one is used again", async () => {
        const first = (await signIn(offline())).refresh_token ?? "";
        const second = await refresh(first);
        expect(second.status).toBe(200);
        expect(claimsOf(second.access_token ?? "")).toMatchObject({ aud: "orcheo" });
        expect(second.refresh_token).not.toBe(first);
        expect(await refresh(first)).toMatchObject({ status: 400, error: "invalid_grant" });
        expect(await refresh(second.refresh_token ?? "")).toMatchObject({ status: 400, error: "invalid_grant" });
    });

    it("refuses a revoked refresh token", async () => {
        const token = (await signIn(offline())).refresh_token ?? "";
        const { revocation_endpoint } = await discover(issuer);
        const form = { client_id: "orcheo-dev", token };
        expect((await byFetch(revocation_endpoint, { method: "POST", form })).status).toBe(200);
        expect(await refresh(token)).toMatchObject({ status: 400, error: "invalid_grant" });
    });

    it("lets the canvas' page call the token and revocation endpoints, and no other page", async () => {
        const { token_endpoint, revocation_endpoint } = await discover(issuer);
        for (const endpoint of [token_endpoint, revocation_endpoint]) {
            const form = { client_id: "orcheo-dev", grant_type: "authorization_code", code: "x", token: "x" };
            const ask = (from: string) => byFetch(endpoint, { method: "POST", form, headers: { origin: from } });
            expect((await ask(origin)).headers["access-control-allow-origin"]).toBe(origin);
            expect((await ask("https://evil.example")).headers["access-control-allow-origin"]).toBeUndefined();
        }
    });

    it("signs out when the client asks, and returns to it", async () => {
        const browser = new Browser(byFetch);
        const send = browser.ask.bind(browser);
        const { id_token } = await signIn({ ...person(), send });
        const { end_session_endpoint } = await discover(issuer);
        const query = new URLSearchParams({ id_token_hint: id_token, post_logout_redirect_uri: `${origin}/login` });
        const asked = await browser.ask(`${end_session_endpoint}?${query.toString()}`);
        expect(asked.body).toContain("Sign out of Orcheo?");
        const form = { xsrf: /name="xsrf" value="([^"]+)"/.exec(asked.body)?.[1] ?? "", logout: "yes" };
        const action = /action="([^"]+)"/.exec(asked.body)?.[1] ?? "";
        const ended = await browser.ask(action, { method: "POST", form });
        expect((await follow(browser, ended, action, origin)).pathname).toBe("/login");
    });

    it("answers health and keys under any name, and nothing else", async () => {
        const elsewhere = issuer.replace("localhost", "127.0.0.1");
        expect((await byFetch(`${elsewhere}/healthz`)).status).toBe(200);
        const keys = await byFetch(`${elsewhere}/jwks`);
        expect(keys.body).not.toContain('"d"');
        expect((await byFetch(`${elsewhere}/.well-known/openid-configuration`)).status).toBe(421);
    });

    it("explains a sign-in page that is opened again too late", async () => {
        const answer = await byFetch(`${issuer}/sign-in/unknown`);
        expect([answer.status, answer.body.includes("This sign-in has expired")]).toEqual([400, true]);
    });
});

it("keeps refresh tokens over a restart", async () => {
    const file = join(directory, "provider.sqlite");
    await start(file);
    const token = (await signIn(offline())).refresh_token ?? "";
    const { port } = new URL(issuer);
    await stop();
    await start(file, Number(port));
    expect((await refresh(token)).status).toBe(200);
    await stop();
});

describe("the parts of the provider", () => {
    it("stores passwords as salted hashes", () => {
        const chosen = newPassword();
        expect(chosen).toMatch(/^[A-Za-z0-9]{24}$/);
        expect(matches(chosen, hashOf(chosen))).toBe(true);
        expect(matches(`${chosen} `, hashOf(chosen))).toBe(false);
        expect(hashOf(chosen)).not.toBe(hashOf(chosen));
        expect(() => matches(chosen, chosen)).toThrow("not one of scrypt");
    });

    it("doubles the wait with each wrong password, up to 15 minutes", () => {
        const waits = Array.from({ length: 30 }).reduce<number[]>((seen, _, index) => {
            const guesses = Array.from({ length: index + 1 }).reduce<typeof noGuesses>(
                (now) => afterFailure(now, 0),
                noGuesses,
            );
            return [...seen, waitSeconds(guesses, 0)];
        }, []);
        expect(waits.slice(0, 8)).toEqual([0, 0, 0, 0, 15, 30, 60, 120]);
        expect(waits.at(-1)).toBe(900);
        expect(waitSeconds({ failures: 5, blockedUntil: 1500 }, 1000)).toBe(1);
    });

    it("escapes what a page repeats", () => {
        expect(escape(`<a href="x">'&'</a>`)).toBe("&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
        expect(loginPage({ action: "/", username: '"><script>', passwordCommand: "" })).not.toContain("<script>");
    });

    it("registers clients by file, and by no path", () => {
        expect(registrationOf(directory, "orcheo-dev")).toEqual({ origin, audience: "orcheo" });
        expect(registrationOf(directory, "../orcheo-dev")).toBeUndefined();
        expect(registrationOf(directory, "other")).toBeUndefined();
        expect(clientOf("a", { origin, audience: "x" }).redirect_uris).toEqual([`${origin}/auth/callback`]);
    });

    it("reports every missing setting at once", () => {
        expect(() => readSettings({ SIGN_IN_PORT: "x" })).toThrow(
            /SIGN_IN_ISSUER: is missing.*SIGN_IN_SECRETS.*SIGN_IN_CLIENTS.*SIGN_IN_DATA.*SIGN_IN_PORT: found "x"/s,
        );
    });
});
