import type { types } from "@pulumi/kubernetes";
import type { Input } from "@pulumi/pulumi";
import { behindLoadBalancer, signedOnly } from "../config/kinds";
import type { Stack } from "../config/schema";
import { objectLabels } from "../kubernetes/labels";
import { mebibytes, millis } from "../kubernetes/quantity";
import { quotaOf, type QuotaSettings } from "./capacity.plan";
export { quotaOf, type QuotaSettings } from "./capacity.plan";

/** Opts a namespace in: policy-controller leaves others alone. */
export const signedOnlyLabel = "policy.sigstore.dev/include";

export function planNamespace({
    kubernetes,
    entrance,
    images,
}: Pick<Stack, "kubernetes" | "entrance" | "images">): types.input.core.v1.Namespace {
    const modes = ["enforce", "audit", "warn"].flatMap((mode) => [
        [`pod-security.kubernetes.io/${mode}`, "restricted"],
        [`pod-security.kubernetes.io/${mode}-version`, kubernetes.podSecurityVersion],
    ]);
    return {
        metadata: {
            name: kubernetes.namespace,
            labels: {
                ...objectLabels(),
                ...Object.fromEntries<string>(modes.map(([k = "", v = ""]) => [k, v])),
                // A new pod counts as ready once the load balancer sends to it: updates drop no request.
                ...(behindLoadBalancer(entrance.controller) && {
                    "elbv2.k8s.aws/pod-readiness-gate-inject": "enabled",
                }),
                ...(signedOnly(images) !== undefined && { [signedOnlyLabel]: "true" }),
            },
        },
    };
}

export function planQuota(stack: QuotaSettings, namespace: Input<string>): types.input.core.v1.ResourceQuota {
    const { quota } = quotaOf(stack);
    return {
        metadata: { name: "orcheo", namespace, labels: objectLabels() },
        spec: {
            hard: {
                "requests.cpu": millis(quota.cpuRequestMillis),
                "requests.memory": mebibytes(quota.memoryRequestMiB),
                "limits.memory": mebibytes(quota.memoryLimitMiB),
                "requests.ephemeral-storage": mebibytes(quota.ephemeralRequestMiB),
                "limits.ephemeral-storage": mebibytes(quota.ephemeralLimitMiB),
                "requests.storage": `${quota.storageGiB}Gi`,
                pods: String(quota.pods),
                // Nothing here is reachable but through the Ingress.
                "services.loadbalancers": "0",
                "services.nodeports": "0",
            },
        },
    };
}

/** For what others start in the namespace, such as a debug pod: a pod without limits would be refused by the quota. */
export function planLimitRange(namespace: Input<string>): types.input.core.v1.LimitRange {
    return {
        metadata: { name: "orcheo", namespace, labels: objectLabels() },
        spec: {
            limits: [
                {
                    type: "Container",
                    defaultRequest: { cpu: "50m", memory: "64Mi", "ephemeral-storage": "64Mi" },
                    default: { cpu: "500m", memory: "256Mi", "ephemeral-storage": "1Gi" },
                },
            ],
        },
    };
}
