/** Reads the issuer's discovery document: what the canvas and the API will rely on is refused before anything changes. */
import { discoveryUrl } from "../config/derived";
import type { Problem } from "../config/problems";
import type { Oidc } from "../config/schema.auth";
import type { Sections } from "../config/schema";
import type { Probes } from "../machine";
import { at, listAt, textAt } from "./check";

const setting = "orcheo:stack.auth.signIn";

/** In previews as well: a preview that the update then refuses would be none. */
export async function checkSignIn(
    { auth, canvas, outbound }: Partial<Pick<Sections, "auth" | "canvas" | "outbound">>,
    probes: Pick<Probes, "json" | "isFile" | "read">,
): Promise<Problem[]> {
    if (auth?.signIn.kind !== "oidc" || !auth.signIn.checkDiscovery) return [];
    const { signIn } = auth;
    const files = [signIn.authority.kind === "file" ? signIn.authority.path : undefined, outbound?.caBundleFile];
    // A file that is missing is reported by itself.
    const ca = files.filter((file) => file !== undefined && probes.isFile(file)).map((file) => probes.read(file ?? ""));
    const url = discoveryUrl(signIn.issuer);
    const answer = await probes.json(url, ca.length === 0 ? undefined : ca.join("\n"));
    if ("failed" in answer)
        return [
            {
                at: `${setting}.issuer`,
                found: `found ${JSON.stringify(signIn.issuer)}, whose discovery document ${url} cannot be read (${answer.failed})`,
                remedy: "accepted: an issuer with OpenID discovery; a private CA belongs into auth.signIn.authority; for one that only the cluster reaches set auth.signIn.checkDiscovery to false",
            },
        ];
    return discoveryProblems(signIn, answer.value, canvas?.contentSecurityOrigins ?? []);
}

/** @param openOrigins  what the Content-Security-Policy allows beside the issuer */
export function discoveryProblems(signIn: Oidc, document: unknown, openOrigins: readonly string[]): Problem[] {
    const problem = (key: string, found: string, remedy: string): Problem => ({
        at: `${setting}.${key}`,
        found,
        remedy,
    });
    const issuer = textAt(document, "issuer");
    if (issuer === undefined)
        return [
            problem(
                "issuer",
                `found ${JSON.stringify(signIn.issuer)}, whose discovery document names no issuer`,
                "accepted: an OpenID provider",
            ),
        ];
    const problems: Problem[] = [];
    // Entra ID writes a placeholder for the tenant of shared endpoints, which no token holds.
    if (issuer !== signIn.issuer)
        problems.push(
            problem(
                "issuer",
                `found ${JSON.stringify(signIn.issuer)}, which calls itself ${JSON.stringify(issuer)}`,
                `accepted: ${JSON.stringify(issuer)}, as its tokens have it, to the last slash`,
            ),
        );
    for (const endpoint of [
        "authorization_endpoint",
        "token_endpoint",
        ...(signIn.jwksUrl === undefined ? ["jwks_uri"] : []),
    ]) {
        const url = textAt(document, endpoint);
        if (url === undefined || URL.parse(url)?.protocol !== "https:")
            problems.push(
                problem(
                    "issuer",
                    `found ${JSON.stringify(signIn.issuer)}, whose ${endpoint} is ${url === undefined ? "missing" : JSON.stringify(url)}`,
                    "accepted: an issuer whose endpoints are https:// URLs",
                ),
            );
    }
    const own = [signIn.issuer, ...signIn.endpointOrigins, ...openOrigins].map((url) => URL.parse(url)?.origin);
    const tokens = URL.parse(textAt(document, "token_endpoint") ?? "");
    if (tokens !== null && !own.includes(tokens.origin))
        problems.push(
            problem(
                "endpointOrigins",
                `found ${JSON.stringify(signIn.endpointOrigins)}, and the token endpoint is at ${tokens.origin}`,
                `accepted: a list with ${JSON.stringify(tokens.origin)}: browsers call it, which the Content-Security-Policy has to allow`,
            ),
        );
    const methods = at(document, "code_challenge_methods_supported");
    if (Array.isArray(methods) && !methods.includes("S256"))
        problems.push(
            problem(
                "issuer",
                `found ${JSON.stringify(signIn.issuer)}, which offers PKCE by ${listAt(document, "code_challenge_methods_supported").join(", ")}`,
                "accepted: an issuer with PKCE by S256",
            ),
        );
    return problems;
}
