import type { types } from "@pulumi/kubernetes";
import type { Input } from "@pulumi/pulumi";
import { quotaOf } from "./capacity.plan";
import type { Stack } from "./config/schema";
import { objectLabels } from "./labels";
import { mebibytes, millis } from "./quantity";

export function planNamespace({ kubernetes, entrance, version }: Stack): types.input.core.v1.Namespace {
    const modes = ["enforce", "audit", "warn"].flatMap((mode) => [
        [`pod-security.kubernetes.io/${mode}`, "restricted"],
        [`pod-security.kubernetes.io/${mode}-version`, kubernetes.podSecurityVersion],
    ]);
    return {
        metadata: {
            name: kubernetes.namespace,
            labels: {
                ...objectLabels(undefined, version),
                ...Object.fromEntries<string>(modes.map(([k = "", v = ""]) => [k, v])),
                // A new pod counts as ready once the load balancer sends to it: updates drop no request.
                ...(entrance.controller.kind.startsWith("aws") && {
                    "elbv2.k8s.aws/pod-readiness-gate-inject": "enabled",
                }),
            },
        },
    };
}

const ownClass = "orcheo-gp3";

/** The class of a volume: the configured one, that of a new cluster on AWS, which has none of its own, or the cluster's default. */
export function storageClassOf({ aws }: Pick<Stack, "aws">, configured: string | undefined): string | undefined {
    return configured ?? (aws?.cluster.kind === "new" ? ownClass : undefined);
}

/** Whether anything asks for a volume of that class. */
export function needsStorageClass({ aws, database, cache }: Pick<Stack, "aws" | "database" | "cache">): boolean {
    const claims = [database.kind === "statefulset" && database, cache.kind === "valkey" && cache];
    return claims.some((claim) => claim !== false && storageClassOf({ aws }, claim.storageClass) === ownClass);
}

/**
 * Encrypted volumes of EBS that can grow, and that stay when their claim goes.
 *
 * @see https://docs.aws.amazon.com/eks/latest/userguide/create-storage-class.html
 */
export function planStorageClass({ aws, version }: Stack): types.input.storage.v1.StorageClass {
    const auto = aws?.cluster.kind === "new" && aws.cluster.nodes.kind === "auto";
    return {
        metadata: { name: ownClass, labels: objectLabels(undefined, version) },
        provisioner: auto ? "ebs.csi.eks.amazonaws.com" : "ebs.csi.aws.com",
        parameters: { type: "gp3", encrypted: "true" },
        reclaimPolicy: "Retain",
        allowVolumeExpansion: true,
        volumeBindingMode: "WaitForFirstConsumer",
    };
}

export function planQuota(stack: Stack, namespace: Input<string>): types.input.core.v1.ResourceQuota {
    const { quota } = quotaOf(stack);
    return {
        metadata: { name: "orcheo", namespace, labels: objectLabels(undefined, stack.version) },
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
export function planLimitRange(stack: Stack, namespace: Input<string>): types.input.core.v1.LimitRange {
    return {
        metadata: { name: "orcheo", namespace, labels: objectLabels(undefined, stack.version) },
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
