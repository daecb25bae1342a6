import * as pulumi from "@pulumi/pulumi";
import type { SecretValue } from "../backend/backend";
import type { Stack } from "../config/schema";

/** What to do next, as outputs: commands, never a secret. */
export function guide(
    stack: Pick<Stack, "auth" | "cache" | "database" | "kubectl" | "kubernetes">,
    { bootstrapToken, url }: { bootstrapToken: SecretValue; url: string },
) {
    const { secretName, key } = bootstrapToken;
    const { kubectl } = stack;
    return {
        bootstrapToken: pulumi.interpolate`${kubectl} get secret ${secretName} --output jsonpath='{.data.${key.replaceAll(".", "\\.")}}' | base64 --decode`,
        signIn: signInGuide(stack.auth, url),
        nextSteps: [
            `open ${url}`,
            "make your own service token with the bootstrap token (see bootstrapToken): POST /api/admin/service-tokens",
            `check the pods: ${kubectl} get pods`,
            `take everything down but the data: ${own} && pulumi destroy --exclude-protected`,
            `delete the data too: ${[own, "pulumi state unprotect --all", "pulumi destroy", ...kept(stack)].join(" && ")}`,
        ],
    };
}

function signInGuide({ signIn }: Stack["auth"], url: string): string {
    return signIn.kind === "oidc"
        ? `people sign in at ${url} through ${signIn.issuer}, whose client "${signIn.clientId}" needs the redirect URI ${url}/auth/callback`
        : `nobody can sign in by browser (orcheo:stack.auth.signIn.kind is "tokensOnly"): call ${url}/api with a service token, as in "Authorization: Bearer <token>"; docs/sign-in.md says how to let people sign in`;
}

/** Refused while anything belongs to another stack, which a destroy of this one would delete. */
const own = "pulumi preview";

/** Command that deletes what `pulumi destroy` leaves; an existing namespace is kept. */
function kept({
    kubernetes,
    database,
    cache,
    kubectl,
}: Pick<Stack, "cache" | "database" | "kubectl" | "kubernetes">): readonly string[] {
    const { namespace, namespaceKind } = kubernetes;
    if (namespaceKind === "created") return [`${kubectl} delete namespace ${namespace}`];
    const claims = [
        ...(database.kind === "statefulset" ? ["postgres-data"] : []),
        ...(cache.kind === "valkey" ? ["valkey-data"] : []),
    ];
    return claims.length === 0 ? [] : [`${kubectl} delete persistentvolumeclaim ${claims.join(" ")}`];
}
