/** auth.signIn: one setting for the backend and the canvas, checked before anything changes. */
import { describe, expect, it } from "vitest";
import { planEnvironment } from "../../components/backend/backend.plan";
import { planSettings } from "../../components/canvas/canvas.plan";
import type { Stack } from "../../components/config/schema";
import { machine } from "../../components/machine";
import { planNetworkPolicies } from "../../components/network/network.plan";
import { checkSignIn } from "../../components/preflight/sign-in";
import { parseStack } from "../../components/stack/read";
import { caText, discoveryOf, goodProbes, run, runBoth, settingsOf } from "../harness";

const oidc = { kind: "oidc", issuer: "https://id.example.com/team", clientId: "orcheo", audience: "orcheo-api" };

const parse = (settings: object) =>
    parseStack({
        stack: "dev",
        keys: [],
        json: JSON.stringify({ ...settingsOf("dev"), ...settings }),
        secret: false,
    });

function stackOf(signIn: object, more: object = {}): Stack {
    const { stack, problems } = parse({ auth: { signIn }, ...more });
    if (stack === undefined || problems.length > 0) throw new Error(JSON.stringify(problems));
    return stack;
}

const sentences = (settings: object): string[] =>
    parse(settings).problems.map(({ at, found, remedy }) => `${at}: ${found}; ${remedy}`);

describe("settings", () => {
    it("reach the backend and the canvas from one place", () => {
        const stack = stackOf(
            {
                ...oidc,
                scopes: ["openid", "workflows:read"],
                providerHints: { organization: "org_1", param: "connection", google: "google-oauth2", github: "gh" },
                endpointOrigins: ["https://tokens.example.com"],
            },
            { entrance: { port: 8443 } },
        );
        expect(planSettings(stack)).toEqual({
            VITE_ORCHEO_BACKEND_URL: "https://orcheo.localhost:8443",
            VITE_ORCHEO_AUTH_ISSUER: oidc.issuer,
            VITE_ORCHEO_AUTH_CLIENT_ID: "orcheo",
            VITE_ORCHEO_AUTH_REDIRECT_URI: "https://orcheo.localhost:8443/auth/callback",
            VITE_ORCHEO_AUTH_SCOPES: "openid workflows:read",
            VITE_ORCHEO_AUTH_AUDIENCE: "orcheo-api",
            VITE_ORCHEO_AUTH_ORGANIZATION: "org_1",
            VITE_ORCHEO_AUTH_PROVIDER_PARAM: "connection",
            VITE_ORCHEO_AUTH_PROVIDER_GOOGLE: "google-oauth2",
            VITE_ORCHEO_AUTH_PROVIDER_GITHUB: "gh",
            CANVAS_CSP_CONNECT_ORIGINS: "https://tokens.example.com",
        });
        expect(planEnvironment("api", stack)).toMatchObject({
            ORCHEO_AUTH_MODE: "required",
            ORCHEO_AUTH_ISSUER: oidc.issuer,
            ORCHEO_AUTH_AUDIENCE: "orcheo-api",
            ORCHEO_AUTH_JWKS_URL: `${oidc.issuer}/.well-known/openid-configuration`,
            ORCHEO_AUTH_ALLOWED_ALGORITHMS: "RS256,HS256",
            ORCHEO_AUTH_CLOCK_SKEW_SECONDS: "30",
        });
    });

    it("may name the place of the keys, and keep an issuer's slash", () => {
        const jwksUrl = "https://keys.example.com/jwks";
        expect(planEnvironment("api", stackOf({ ...oidc, jwksUrl }))).toMatchObject({ ORCHEO_AUTH_JWKS_URL: jwksUrl });
        expect(planEnvironment("api", stackOf({ ...oidc, issuer: "https://t.auth0.com/" }))).toMatchObject({
            ORCHEO_AUTH_ISSUER: "https://t.auth0.com/",
            ORCHEO_AUTH_JWKS_URL: "https://t.auth0.com/.well-known/openid-configuration",
        });
    });

    it("leave sign-in out by default: tokens only, and anonymous callers never", () => {
        const environment = planEnvironment("api", stackOf({ kind: "tokensOnly" }));
        expect(environment).toMatchObject({ ORCHEO_AUTH_MODE: "required" });
        expect(Object.keys(environment).filter((name) => /^ORCHEO_AUTH_(?!MODE)/.test(name))).toEqual([]);
        expect(planSettings(stackOf({ kind: "tokensOnly" }))).toEqual({
            VITE_ORCHEO_BACKEND_URL: "https://orcheo.localhost",
        });
    });

    it("let the page reach the helper on a person's own machine only when asked to", () => {
        const connect = (signIn: object, canvas: object) =>
            planSettings(stackOf(signIn, { canvas })).CANVAS_CSP_CONNECT_ORIGINS;
        const browserHelper = true;
        expect(connect({ kind: "tokensOnly" }, { browserHelper })).toBe("http://localhost:3333");
        expect(connect({ ...oidc, endpointOrigins: ["https://tokens.example.com"] }, { browserHelper })).toBe(
            "https://tokens.example.com http://localhost:3333",
        );
        expect(connect(oidc, {})).toBeUndefined();
    });

    it("open the network to a private issuer only, and for the API alone", () => {
        const policy = (signIn: object) => planNetworkPolicies(stackOf(signIn))["issuer-out"];
        const egress = (signIn: object): unknown => policy(signIn)?.egress;
        const pods = { kind: "pods", namespace: "sign-in", podLabels: { app: "idp" }, port: 9443 };
        expect(egress({ ...oidc, reach: pods })).toContainEqual({
            to: [
                {
                    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "sign-in" } },
                    podSelector: { matchLabels: { app: "idp" } },
                },
            ],
            ports: [{ port: 9443, protocol: "TCP" }],
        });
        const cidrs = { kind: "addresses", cidrs: ["10.20.0.0/16"] };
        const issuer = "https://id.example.com:8443/team";
        expect(egress({ ...oidc, issuer, reach: cidrs })).toContainEqual({
            to: [{ ipBlock: { cidr: "10.20.0.0/16" } }],
            ports: [{ port: 8443, protocol: "TCP" }],
        });
        expect(policy({ ...oidc, reach: pods })?.podSelector).toMatchObject({
            matchLabels: { "app.kubernetes.io/component": "api" },
        });
        expect([policy(oidc), policy({ kind: "tokensOnly" })]).toEqual([undefined, undefined]);
    });

    it.each<[string, object, string]>([
        [
            "a plain-http issuer",
            { issuer: "http://id.example.com" },
            'issuer: found "http://id.example.com"; accepted: the issuer\'s https:// URL',
        ],
        [
            "the discovery document's URL",
            { issuer: "https://id.example.com/.well-known/openid-configuration" },
            "without /.well-known",
        ],
        ["no client id", { clientId: undefined }, "clientId: is missing; accepted: a client id"],
        ["no audience", { audience: undefined }, "audience: is missing; accepted: one audience"],
        [
            "several audiences",
            { audience: "a,b" },
            'audience: found "a,b"; accepted: one audience, without spaces or commas',
        ],
        ["a list of audiences", { audience: ["a", "b"] }, "accepted: one audience"],
        [
            "scopes as one text",
            { scopes: "openid profile" },
            'scopes: found "openid profile"; accepted: a list of scopes with openid',
        ],
        ["scopes without openid", { scopes: ["profile"] }, "accepted: a list of scopes with openid"],
        ["its own kind", { kind: "saml" }, 'accepted: "tokensOnly" or "oidc"'],
        ["an unsigned token", { algorithms: ["none"] }, 'algorithms[0]: found "none"; accepted: "RS256"'],
    ])("%s is refused with key, value and remedy", (_, change, message) => {
        const found = sentences({ auth: { signIn: { ...oidc, ...change } } });
        expect(found.map((each) => each.replace(/^orcheo:stack\.auth\.signIn\.?/, ""))).toEqual([
            expect.stringContaining(message),
        ]);
    });

    it("that moved are refused with their new names, all at once", () => {
        const settings = { authIssuer: "https://id.example.com", authClientId: "orcheo", authScopes: "openid" };
        expect(
            sentences({
                canvas: { settings },
                auth: {
                    oidc: { issuer: "https://id.example.com", jwksUrl: "https://id.example.com/keys", audience: "a" },
                },
            }),
        ).toEqual([
            "orcheo:stack.canvas.settings.authIssuer: is no longer a setting; accepted instead: auth.signIn.issuer, with auth.signIn.kind: oidc",
            "orcheo:stack.canvas.settings.authClientId: is no longer a setting; accepted instead: auth.signIn.clientId",
            "orcheo:stack.canvas.settings.authScopes: is no longer a setting; accepted instead: auth.signIn.scopes, a list",
            "orcheo:stack.auth.oidc: is no longer a setting; accepted instead: auth.signIn, with kind: oidc, issuer, clientId and audience (jwksUrl only if discovery is not enough)",
        ]);
    });
});

describe("the discovery document", () => {
    const check = (document: unknown, change: object = {}) =>
        checkSignIn(stackOf({ ...oidc, ...change }), {
            ...goodProbes,
            json: () => Promise.resolve({ value: document }),
        });
    const good = discoveryOf(oidc.issuer);

    it("is read once, with the CAs that the settings name", async () => {
        const asked: unknown[] = [];
        const json = (url: string, ca: string | undefined) => {
            asked.push(url, ca);
            return Promise.resolve({ value: good });
        };
        const authority = { kind: "file", path: "ca.pem" };
        expect(await checkSignIn(stackOf({ ...oidc, authority }), { ...goodProbes, json })).toEqual([]);
        expect(asked).toEqual([`${oidc.issuer}/.well-known/openid-configuration`, caText]);
    });

    it.each<[string, unknown, string]>([
        ["names another issuer", { ...good, issuer: `${oidc.issuer}/` }, `which calls itself "${oidc.issuer}/"`],
        ["names none", {}, "names no issuer"],
        ["is no object", "hello", "names no issuer"],
        ["has no keys", { ...good, jwks_uri: undefined }, "whose jwks_uri is missing"],
        ["has keys in clear", { ...good, jwks_uri: "http://id.example.com/keys" }, 'whose jwks_uri is "http://'],
        ["has no token endpoint", { ...good, token_endpoint: undefined }, "whose token_endpoint is missing"],
        [
            "has its token endpoint elsewhere",
            { ...good, token_endpoint: "https://tokens.example.com/t" },
            "the token endpoint is at https://tokens.example.com",
        ],
        ["knows no S256", { ...good, code_challenge_methods_supported: ["plain"] }, "which offers PKCE by plain"],
    ])("that %s is refused", async (_, document, message) => {
        const problems = await check(document);
        expect(problems.map(({ at, found }) => `${at}: ${found}`)).toEqual([
            expect.stringMatching(
                new RegExp(`^orcheo:stack\\.auth\\.signIn\\..*${message.replaceAll(/[.?/]/g, "\\$&")}`),
            ),
        ]);
    });

    it("may leave out what the settings say", async () => {
        expect(await check({ ...good, jwks_uri: undefined }, { jwksUrl: "https://id.example.com/keys" })).toEqual([]);
        const elsewhere = { ...good, token_endpoint: "https://tokens.example.com/t" };
        expect(await check(elsewhere, { endpointOrigins: ["https://tokens.example.com"] })).toEqual([]);
    });

    it("that cannot be read refuses previews and updates, unless the issuer is the cluster's alone", async () => {
        const program = (signIn: object) => ({
            stack: "dev" as const,
            settings: { ...settingsOf("dev"), auth: { signIn } },
            probes: { json: () => Promise.resolve({ failed: "status 404" }) },
        });
        for (const preview of [true, false]) {
            const { error, resources } = await run(program(oidc), preview);
            expect(error).toContain(
                `orcheo:stack.auth.signIn.issuer: found "${oidc.issuer}", whose discovery document ${oidc.issuer}/.well-known/openid-configuration cannot be read (status 404)`,
            );
            expect(error).toContain("set auth.signIn.checkDiscovery to false");
            expect(resources).toEqual([]);
        }
        await runBoth(program({ ...oidc, checkDiscovery: false }));
    });

    it("is asked for over https, on this machine for names below localhost", async () => {
        // Nothing listens on port 1.
        expect(await machine.json("https://sign-in.localhost:1/x", undefined)).toEqual({
            failed: expect.stringContaining("ECONNREFUSED 127.0.0.1:1") as string,
        });
    });
});

describe("outputs", () => {
    it("say how people sign in, or that nobody can", async () => {
        const outputs = async (signIn: object) =>
            (await runBoth({ stack: "dev", settings: { ...settingsOf("dev"), auth: { signIn } } })).outputs;
        expect(await outputs(oidc)).toMatchObject({
            signIn: `people sign in at https://orcheo.localhost through ${oidc.issuer}, whose client "orcheo" needs the redirect URI https://orcheo.localhost/auth/callback`,
        });
        expect(await outputs({ kind: "tokensOnly" })).toMatchObject({
            signIn: expect.stringContaining("nobody can sign in by browser") as string,
        });
    });

    it("trust an issuer's private CA beside that of the proxy, in one ConfigMap", async () => {
        const signIn = { ...oidc, authority: { kind: "file", path: "issuer.pem" } };
        const settings = { ...settingsOf("dev"), auth: { signIn }, outbound: { caBundleFile: "proxy.pem" } };
        const probes = { read: (path: string) => `# ${path}\n${caText}` };
        const { resources } = await runBoth({ stack: "dev", settings, probes });
        const text = JSON.stringify(resources.find(({ name }) => name === "backend-private-ca")?.inputs);
        expect(text).toContain("# proxy.pem");
        expect(text).toContain("# issuer.pem");
    });
});
