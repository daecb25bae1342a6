import type { types } from "@pulumi/kubernetes";
import type { Input } from "@pulumi/pulumi";
import { objectLabels, selector, type Role } from "./labels";

/** One pod at a time may be evicted. Never `minAvailable`, which with one replica would block a drain forever. */
export function planDisruptionBudget(role: Role, namespace: Input<string>): types.input.policy.v1.PodDisruptionBudget {
    return {
        metadata: { name: role, namespace, labels: objectLabels(role) },
        spec: { maxUnavailable: 1, selector: { matchLabels: selector(role) } },
    };
}
