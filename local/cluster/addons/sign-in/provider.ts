/** The identity provider: oidc-provider with one person, public clients with PKCE, and JWT access tokens for Orcheo's API. */
import Provider, { type Configuration, errors, interactionPolicy, type KoaContextWithOIDC } from "oidc-provider";
import { clientOf, orcheoScopes, type Registration, registrationOf } from "./clients.ts";
import { errorPage, signedOutPage, signOutPage } from "./pages.ts";
import type { Person, SignInSettings } from "./settings.ts";
import type { Store } from "./store.ts";

/** Content-Security-Policy of the pages; a form may lead back to the client, which `form-action` would check as well. */
export const pageHeaders = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Strict-Transport-Security": "max-age=63072000",
};

/**
 * Every sign-in asks for the password: the canvas signs out by forgetting its token, and the next person at the same
 * browser must not be signed in by a session that is left here.
 */
function policy() {
    const prompts = interactionPolicy.base();
    prompts
        .get("login")
        ?.checks.add(
            new interactionPolicy.Check("asks_each_time", "the password is asked for at each sign-in", (ctx) =>
                ctx.oidc.result?.login === undefined
                    ? interactionPolicy.Check.REQUEST_PROMPT
                    : interactionPolicy.Check.NO_NEED_TO_PROMPT,
            ),
        );
    return prompts;
}

/** An API's name here: resources are URIs (RFC 8707), and audiences any text. */
const resourceOf = ({ audience }: Registration): string => `urn:orcheo:${encodeURIComponent(audience)}`;

const claimsOf = ({ username, name, email }: Person) => ({
    sub: username,
    preferred_username: username,
    name,
    email,
    email_verified: true,
});

function configuration(settings: SignInSettings, store: Store): Configuration {
    const { person, accessTokenSeconds } = settings;
    const registered = (clientId: string | undefined) =>
        clientId === undefined ? undefined : registrationOf(settings.clientsDir, clientId);
    return {
        adapter: (model: string) =>
            model === "Client"
                ? {
                      ...store.adapter(model),
                      find: (id) => {
                          const registration = registered(id);
                          return Promise.resolve(registration && clientOf(id, registration));
                      },
                  }
                : store.adapter(model),
        jwks: settings.jwks,
        cookies: { keys: [...settings.cookieKeys], long: { signed: true }, short: { signed: true } },
        pkce: { required: () => true },
        scopes: ["openid", "offline_access", ...orcheoScopes],
        claims: { profile: ["name", "preferred_username"], email: ["email", "email_verified"] },
        // The canvas reads the person's name from the ID token.
        conformIdTokenClaims: false,
        findAccount: (_ctx, id) =>
            id === person.username ? { accountId: id, claims: () => Promise.resolve(claimsOf(person)) } : undefined,
        clientBasedCORS: (_ctx, origin, client) => registered(client.clientId)?.origin === origin,
        responseTypes: ["code"],
        interactions: { policy: policy(), url: (_ctx, interaction) => `/sign-in/${interaction.uid}` },
        // The clients are the stack's own: there is nobody to ask for consent.
        loadExistingGrant: async (ctx) => {
            const { client, session, provider } = ctx.oidc;
            if (client === undefined || session?.accountId === undefined) return undefined;
            const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
            grant.addOIDCScope(client.scope ?? "");
            const registration = registered(client.clientId);
            if (registration) grant.addResourceScope(resourceOf(registration), orcheoScopes.join(" "));
            await grant.save();
            return grant;
        },
        // Access tokens carry who it is: Orcheo 0.46 reads name and address from them.
        extraTokenClaims: () => ({ name: person.name, email: person.email, email_verified: true }),
        ttl: {
            AccessToken: accessTokenSeconds,
            AuthorizationCode: 60,
            Grant: settings.refreshTokenSeconds,
            IdToken: accessTokenSeconds,
            Interaction: 600,
            RefreshToken: settings.refreshTokenSeconds,
            Session: settings.refreshTokenSeconds,
        },
        rotateRefreshToken: true,
        features: {
            devInteractions: { enabled: false },
            revocation: { enabled: true },
            userinfo: { enabled: false },
            resourceIndicators: {
                enabled: true,
                // The canvas names no resource (RFC 8707): the registered audience is meant.
                defaultResource: (_ctx, client) => {
                    const registration = registered(client.clientId);
                    return registration === undefined ? [] : resourceOf(registration);
                },
                useGrantedResource: () => true,
                getResourceServerInfo: (_ctx, resource, client) => {
                    const registration = registered(client.clientId);
                    if (registration === undefined || resourceOf(registration) !== resource)
                        throw new errors.InvalidTarget();
                    return {
                        audience: registration.audience,
                        scope: orcheoScopes.join(" "),
                        accessTokenFormat: "jwt",
                        accessTokenTTL: accessTokenSeconds,
                        jwt: { sign: { alg: "RS256" } },
                    };
                },
            },
            rpInitiatedLogout: {
                enabled: true,
                logoutSource: (ctx, form) => {
                    show(ctx, signOutPage(form));
                },
                postLogoutSuccessSource: (ctx) => {
                    show(ctx, signedOutPage());
                },
            },
        },
        renderError: (ctx, { error, error_description: description = "" }) => {
            show(ctx, errorPage(error, description));
        },
    };
}

function show(ctx: KoaContextWithOIDC, html: string): void {
    ctx.type = "html";
    ctx.set(pageHeaders);
    ctx.body = html;
}

export const createProvider = (settings: SignInSettings, store: Store): Provider =>
    new Provider(settings.issuer, configuration(settings, store));
