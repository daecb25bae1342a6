import type { StackRule } from "../rule.ts";
import { called, fewestReplicas, scalable } from "../stack.ts";
import { at, holdsUnknown, list, text } from "../values.ts";
import { podsOf } from "../workloads.ts";

/** What keeps pods off one node: nodes themselves, or zones, which share none. */
const apart = ["kubernetes.io/hostname", "topology.kubernetes.io/zone"];

/** Whether the scheduler is told to keep pods of this spec apart, or it is not known yet. */
function keptApart(spec: unknown): boolean {
    const constraints = at(spec, "topologySpreadConstraints");
    const affinity = at(spec, "affinity", "podAntiAffinity");
    if (holdsUnknown(constraints) || holdsUnknown(affinity)) return true;
    const terms = [
        ...list(constraints),
        ...list(at(affinity, "requiredDuringSchedulingIgnoredDuringExecution")),
        ...list(at(affinity, "preferredDuringSchedulingIgnoredDuringExecution")).map((each) =>
            at(each, "podAffinityTerm"),
        ),
    ];
    return terms.some((term) => apart.includes(text(at(term, "topologyKey")) ?? ""));
}

export const replicasAreSpread: StackRule = {
    name: "replicas-are-spread",
    level: "mandatory",
    scope: "stack",
    description: "Several replicas on one node fall together with it.",
    remedy: "Add topologySpreadConstraints (or podAntiAffinity) on kubernetes.io/hostname to the pod.",
    reference: {
        title: "Kubernetes: pod topology spread constraints",
        url: "https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/",
    },
    notInCel: "the fewest replicas stand in the autoscaler, another object",
    found: (resources) =>
        scalable(resources).flatMap((resource) => {
            const fewest = fewestReplicas(resource, resources);
            const [pod] = podsOf(resource.type, resource.name, resource.props);
            if (fewest === undefined || fewest < 2 || pod === undefined) return [];
            if (keptApart(pod.spec)) return [];
            return [{ resource, found: `${called(resource)} may put its ${fewest} replicas on one node` }];
        }),
};
