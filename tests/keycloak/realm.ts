/** A realm as docs/sign-in.md describes it: a public client with PKCE, an audience, Orcheo's scopes, and one person. */
import { orcheoScopes } from "../../local/cluster/addons/sign-in/clients.ts";

export const clientId = "orcheo";
export const audience = "orcheo-api";

type Mapper = readonly [name: string, kind: string, config: Readonly<Record<string, string>>];

const inTokens = { "access.token.claim": "true", "id.token.claim": "true" };
const property = (attribute: string, claim: string): Mapper => [
    claim,
    "oidc-usermodel-attribute-mapper",
    { ...inTokens, "user.attribute": attribute, "claim.name": claim, "jsonType.label": "String" },
];
/** An import that names scopes creates no others: these are Keycloak's own, as far as they are used. */
const standardScopes: Readonly<Record<string, readonly Mapper[]>> = {
    basic: [["sub", "oidc-sub-mapper", { "access.token.claim": "true" }]],
    profile: [["name", "oidc-full-name-mapper", inTokens], property("username", "preferred_username")],
    email: [property("email", "email")],
};

const scope = (name: string, mappers: readonly Mapper[] = []) => ({
    name,
    protocol: "openid-connect",
    attributes: { "include.in.token.scope": "true" },
    protocolMappers: mappers.map(([mapper, protocolMapper, config]) => ({
        name: mapper,
        protocol: "openid-connect",
        protocolMapper,
        config,
    })),
});

export const realm = (origin: string, person: { readonly username: string; readonly password: string }) => ({
    realm: "team",
    enabled: true,
    accessTokenLifespan: 300,
    revokeRefreshToken: true,
    refreshTokenMaxReuse: 0,
    bruteForceProtected: true,
    clientScopes: [
        ...Object.entries(standardScopes).map(([name, mappers]) => scope(name, mappers)),
        ...orcheoScopes.map((name) => scope(name)),
    ],
    clients: [
        {
            clientId,
            publicClient: true,
            standardFlowEnabled: true,
            directAccessGrantsEnabled: false,
            redirectUris: [`${origin}/auth/callback`],
            webOrigins: [origin],
            attributes: { "pkce.code.challenge.method": "S256", "post.logout.redirect.uris": `${origin}/*` },
            defaultClientScopes: Object.keys(standardScopes),
            optionalClientScopes: orcheoScopes,
            protocolMappers: [
                {
                    name: "audience",
                    protocol: "openid-connect",
                    protocolMapper: "oidc-audience-mapper",
                    config: { "included.custom.audience": audience, "access.token.claim": "true" },
                },
            ],
        },
    ],
    users: [
        {
            username: person.username,
            enabled: true,
            email: "ada@example.com",
            emailVerified: true,
            firstName: "Ada",
            lastName: "Example",
            credentials: [{ type: "password", value: person.password, temporary: false }],
        },
    ],
});
