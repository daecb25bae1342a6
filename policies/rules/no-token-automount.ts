import { shownCel, type PodRule } from "../rule.ts";
import { at, shown, UNKNOWN } from "../values.ts";

const field = "automountServiceAccountToken";

export const noTokenAutomount: PodRule = {
    name: "no-token-automount",
    level: "mandatory",
    scope: "pod",
    description: "A service account token in a pod that never calls the API is a credential for whoever breaks in.",
    remedy: "Set automountServiceAccountToken: false on the pod; mount a projected token where the API is needed.",
    reference: {
        title: "CIS Kubernetes Benchmark 5.1.6: service account tokens are only mounted where necessary",
        url: "https://www.cisecurity.org/benchmark/kubernetes",
    },
    found(pod) {
        const value = at(pod.spec, field);
        return value === false || value === UNKNOWN ? undefined : shown(field, value);
    },
    cel: {
        broken: `variables.pod.?${field}.orValue(true)`,
        found: shownCel(field, `variables.pod.?${field}`),
    },
    mend(pod) {
        pod[field] = false;
    },
};
