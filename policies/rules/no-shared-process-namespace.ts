import { hardeningGuide, type PodRule } from "../rule.ts";
import { at } from "../values.ts";

export const noSharedProcessNamespace: PodRule = {
    name: "no-shared-process-namespace",
    level: "mandatory",
    scope: "pod",
    description: "Containers that share processes read each other's files and environment through /proc.",
    remedy: "Remove shareProcessNamespace.",
    reference: hardeningGuide("Kubernetes Pod security"),
    found: (pod) => (at(pod.spec, "shareProcessNamespace") === true ? "shareProcessNamespace is true" : undefined),
    cel: {
        broken: "variables.pod.?shareProcessNamespace.orValue(false)",
        found: `"shareProcessNamespace is true"`,
    },
};
