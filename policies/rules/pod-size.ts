import { excesses, excessesCel } from "../pod-bounds.ts";
import type { PodRule } from "../rule.ts";

export const podSize: PodRule = {
    name: "pod-size",
    level: "mandatory",
    scope: "pod",
    description: "The API server refuses to evaluate a pod that is larger than its budget for policies.",
    remedy: "Split the pod, mount the settings as files from a ConfigMap, or name fewer groups.",
    reference: {
        title: "Kubernetes: CEL, resource constraints",
        url: "https://kubernetes.io/docs/reference/using-api/cel/#resource-constraints",
    },
    found(pod) {
        const found = excesses(pod);
        return found.length > 0 ? `has ${found.join(", ")}` : undefined;
    },
    cel: { broken: `${excessesCel}.size() > 0`, found: `"has " + ${excessesCel}.join(", ")` },
};
