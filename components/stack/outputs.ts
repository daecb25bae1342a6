import * as pulumi from "@pulumi/pulumi";
import type { SecretValue } from "../backend/backend";
import type { Stack } from "../config/schema";

/** What to do next, as outputs: commands, never a secret. */
export function guide(
    stack: Pick<Stack, "kubectl" | "kubernetes">,
    { bootstrapToken, url }: { bootstrapToken: SecretValue; url: string },
) {
    const { namespace } = stack.kubernetes;
    const { secretName, key } = bootstrapToken;
    const { kubectl } = stack;
    return {
        bootstrapToken: pulumi.interpolate`${kubectl} get secret ${secretName} --output jsonpath='{.data.${key.replaceAll(".", "\\.")}}' | base64 --decode`,
        nextSteps: [
            `open ${url}`,
            "make a service token of your own with the bootstrap token (see bootstrapToken): POST /api/admin/service-tokens",
            `look at the pods: ${kubectl} get pods`,
            "take everything down but the data: pulumi destroy --exclude-protected",
            `delete the data too: pulumi state unprotect --all, pulumi destroy, ${kubectl} delete namespace ${namespace}`,
        ],
    };
}
