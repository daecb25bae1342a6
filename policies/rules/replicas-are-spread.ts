import type { StackRule } from "../rule.ts";
import { called, fewestReplicas, scalable } from "../stack.ts";
import { at, holdsUnknown, list } from "../values.ts";
import { podsOf } from "../workloads.ts";

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
            const constraints = at(pod.spec, "topologySpreadConstraints");
            const apart = at(pod.spec, "affinity", "podAntiAffinity");
            if (holdsUnknown(constraints) || list(constraints).length > 0 || apart !== undefined) return [];
            return [{ resource, found: `${called(resource)} may put its ${fewest} replicas on one node` }];
        }),
};
