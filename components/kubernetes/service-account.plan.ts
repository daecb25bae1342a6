import type { types } from "@pulumi/kubernetes";
import type { Input } from "@pulumi/pulumi";
import { objectLabels, type Role } from "./labels";

/** A role's own identity; pods get no token of it. */
export function planServiceAccount(
    role: Role,
    namespace: Input<string>,
    annotations: Readonly<Record<string, Input<string>>> = {},
): types.input.core.v1.ServiceAccount {
    const annotated = Object.keys(annotations).length > 0;
    return {
        metadata: {
            name: role,
            namespace,
            labels: objectLabels(role),
            ...(annotated && { annotations: { ...annotations } }),
        },
        automountServiceAccountToken: false,
    };
}
