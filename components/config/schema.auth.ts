/** Who may call the API, and how people sign in: one setting for the backend and the canvas. */
import { z } from "zod";
import { cidr, isUrlHost } from "./addresses";
import { canvasOrigin, canvasText, canvasWord } from "./canvas-rules";
import { choice, flag, httpsUrl, kind, labelKey, labelValue, name, oneOf, path, text, whole } from "./fields";

/** Characters that a JavaScript string and a response header of the canvas can hold (images/canvas/entrypoint.sh). */
const word = "[A-Za-z0-9._:/@+=~%-]+";

const issuerForm =
    "the issuer's https:// URL as its tokens name it, without a query and without /.well-known/openid-configuration";
const issuer = () =>
    text(/^https:\/\/[A-Za-z0-9._:[\]-]+(\/[A-Za-z0-9._:/~%+-]*)?$/, issuerForm).refine(
        (value) => !value.includes("/.well-known/") && isUrlHost(URL.parse(value)?.hostname ?? ""),
        { error: issuerForm },
    );

const reach = oneOf([
    z.strictObject({
        kind: kind("addresses"),
        cidrs: z.array(cidr()).default([]).describe("Private addresses of the issuer; public ones are open anyway."),
    }),
    z.strictObject({
        kind: kind("pods"),
        namespace: name().describe("Namespace of the issuer's pods."),
        podLabels: z.record(labelKey(), labelValue()).describe("Labels of the issuer's pods."),
        port: whole(1, 65_535).default(8443).describe("Port of the pods, not of their Service."),
    }),
])
    .prefault({ kind: "addresses" })
    .describe("Destinations that the NetworkPolicy allows, to fetch the keys.");

const authority = oneOf([
    z.strictObject({ kind: kind("system") }),
    z.strictObject({ kind: kind("file"), path: path().describe("PEM file, which becomes a ConfigMap.") }),
])
    .prefault({ kind: "system" })
    .describe("The CA that signed the issuer's certificate; `system`: the public ones. Browsers have to trust it too.");

const scopeList = "a list of scopes with openid, each once and without spaces";

const oidc = z.strictObject({
    kind: kind("oidc"),
    issuer: issuer().describe(
        "Issuer of the tokens. Its discovery document (/.well-known/openid-configuration) is read before each preview and update.",
    ),
    clientId: canvasText("a client id").describe(
        "Public client of the canvas, with PKCE and the redirect URI https://<host>/auth/callback.",
    ),
    audience: text(new RegExp(`^${word}$`), "one audience, without spaces or commas").describe(
        "Audience that access tokens must name. The canvas asks for it (parameter `audience`).",
    ),
    scopes: z
        .array(text(new RegExp(`^${word}$`), "a scope without spaces"), { error: scopeList })
        .refine((scopes) => scopes.includes("openid") && new Set(scopes).size === scopes.length, { error: scopeList })
        .default(["openid", "profile", "email"])
        .describe("Scopes that the canvas asks for. docs/sign-in.md lists those that Orcheo checks."),
    jwksUrl: httpsUrl()
        .optional()
        .describe("The issuer's keys, when pods have to fetch them from another place than discovery says."),
    algorithms: z
        .array(choice(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]))
        .min(1, { error: "at least one algorithm" })
        .default(["RS256"])
        .describe("Algorithms that access tokens may be signed with."),
    clockSkewSeconds: whole(0, 300)
        .default(30)
        .describe("How far the issuer's clock may differ from the API's when a token's times are checked."),
    providerHints: z
        .strictObject({
            organization: canvasText("an organization")
                .optional()
                .describe("Parameter `organization`, as Auth0 has it."),
            param: canvasWord("a parameter")
                .optional()
                .describe("Parameter that names the provider behind the issuer: `connection` or `kc_idp_hint`."),
            google: canvasWord("a connection").optional().describe("Its value for the Google button."),
            github: canvasWord("a connection").optional().describe("Its value for the GitHub button."),
        })
        .prefault({})
        .describe("Parameters of the sign-in request."),
    authority,
    reach,
    endpointOrigins: z
        .array(canvasOrigin())
        .default([])
        .describe("Origins of the issuer's endpoints that browsers call, other than the issuer's own."),
    checkDiscovery: flag()
        .default(true)
        .describe("Read the discovery document where Pulumi runs; false for an issuer that only the cluster reaches."),
});

const tokensOnly = z.strictObject({ kind: kind("tokensOnly") });

export const auth = z
    .strictObject({
        signIn: oneOf([tokensOnly, oidc])
            .prefault({ kind: "tokensOnly" })
            .describe(
                "How people sign in: with an OpenID provider (`oidc`), or not at all (`tokensOnly`, service tokens alone: the canvas shows nothing).",
            ),
        clientUploads: flag()
            .default(false)
            .describe(
                "Let callers upload workflow scripts (release 0.46: ORCHEO_WORKFLOW_TRUST_MODE=allow_client_uploads).",
            ),
    })
    .prefault({})
    .describe(
        "Who may call the API. Anonymous callers never may: the image starts with ORCHEO_AUTH_MODE=required only.",
    );

export type Auth = z.output<typeof auth>;
export type Oidc = Extract<Auth["signIn"], { kind: "oidc" }>;

/** Settings that moved here, and where each is now: a stack that still has one is refused with the new name. */
export const movedToAuth: Readonly<Record<string, string>> = {
    "auth.oidc":
        "auth.signIn, with kind: oidc, issuer, clientId and audience (jwksUrl only if discovery is not enough)",
    "auth.kind": "auth.signIn.kind",
    "canvas.settings.authIssuer": "auth.signIn.issuer, with auth.signIn.kind: oidc",
    "canvas.settings.authClientId": "auth.signIn.clientId",
    "canvas.settings.authRedirectUri": "nothing: it is always https://<host>/auth/callback; leave it out",
    "canvas.settings.authScopes": "auth.signIn.scopes, a list",
    "canvas.settings.authAudience": "auth.signIn.audience",
    "canvas.settings.authOrganization": "auth.signIn.providerHints.organization",
    "canvas.settings.authProviderParam": "auth.signIn.providerHints.param",
    "canvas.settings.authProviderGoogle": "auth.signIn.providerHints.google",
    "canvas.settings.authProviderGithub": "auth.signIn.providerHints.github",
};
