import type { types } from "@pulumi/kubernetes";
import type { Input } from "@pulumi/pulumi";
import { objectLabels, type Role } from "./labels";

export interface StorageArgs {
    readonly role: Role;
    readonly namespace: Input<string>;
    readonly storageGiB: number;
    readonly storageClass?: string;
}

/** A volume of its own, not a template of the StatefulSet's: so it can grow in place and be protected. */
export function planClaim({
    role,
    namespace,
    storageGiB,
    storageClass,
}: StorageArgs): types.input.core.v1.PersistentVolumeClaim {
    return {
        metadata: {
            name: `${role}-data`,
            namespace,
            labels: objectLabels(role),
            // It is bound when its first pod is scheduled; waiting here would wait forever.
            annotations: { "pulumi.com/skipAwait": "true" },
        },
        spec: {
            accessModes: ["ReadWriteOnce"],
            ...(storageClass !== undefined && { storageClassName: storageClass }),
            resources: { requests: { storage: `${storageGiB}Gi` } },
        },
    };
}
