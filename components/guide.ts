import * as pulumi from "@pulumi/pulumi";
import type { Stack } from "./config/schema";

/** What to do next, as outputs: commands, never a secret. */
export function guide(stack: Stack, { secretName, url }: { secretName: pulumi.Output<string>; url: string }) {
    const { context, namespace, kubeconfig } = stack.kubernetes;
    const file = kubeconfig === undefined ? "" : ` --kubeconfig ${kubeconfig}`;
    const kubectl = `kubectl${file} --context ${context} --namespace ${namespace}`;
    return {
        bootstrapToken: pulumi.interpolate`${kubectl} get secret ${secretName} --output jsonpath='{.data.auth-bootstrap-service-token}' | base64 --decode`,
        nextSteps: [
            `open ${url}`,
            "make a service token of your own with the bootstrap token (see bootstrapToken): POST /api/admin/service-tokens",
            `look at the pods: ${kubectl} get pods`,
            "take everything down but the data: pulumi destroy --exclude-protected",
            `delete the data too: pulumi state unprotect --all, pulumi destroy, kubectl${file} --context ${context} delete namespace ${namespace}`,
        ],
    };
}
