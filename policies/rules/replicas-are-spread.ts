import type { StackRule } from "../rule.ts";
import { called, fewestReplicas, namespaceOf, scalable, selects } from "../stack.ts";
import { at, holdsUnknown, list, strings, text, UNKNOWN } from "../values.ts";
import { podsOf, type Pod } from "../workloads.ts";

/** What keeps pods off one node: nodes themselves, or zones, which share none. */
const apart = ["kubernetes.io/hostname", "topology.kubernetes.io/zone"];

/** Whether this template asks the scheduler to spread its pods; true while that is not known yet. */
function keptApart({ spec, metadata }: Pod, namespace: unknown): boolean {
    const labels = at(metadata, "labels");
    const constraints = at(spec, "topologySpreadConstraints");
    const affinity = at(spec, "affinity", "podAntiAffinity");
    if (holdsUnknown(constraints) || holdsUnknown(affinity) || holdsUnknown(labels)) return true;
    const terms = [
        ...list(at(affinity, "requiredDuringSchedulingIgnoredDuringExecution")),
        ...list(at(affinity, "preferredDuringSchedulingIgnoredDuringExecution")).map((each) =>
            at(each, "podAffinityTerm"),
        ),
    ].filter((term) => {
        const namespaces = strings(at(term, "namespaces"));
        const own = namespaces.length === 0 || namespace === UNKNOWN || namespaces.includes(text(namespace) ?? "");
        return own || at(term, "namespaceSelector") !== undefined;
    });
    // A selector that is left out selects no pod.
    return [...list(constraints), ...terms]
        .filter((term) => apart.includes(text(at(term, "topologyKey")) ?? ""))
        .some((term) => {
            const selector = at(term, "labelSelector");
            return selector !== undefined && selects(selector, labels);
        });
}

export const replicasAreSpread: StackRule = {
    name: "replicas-are-spread",
    level: "mandatory",
    scope: "stack",
    description: "Several replicas on one node fall together with it.",
    remedy: "Add topologySpreadConstraints (or podAntiAffinity) on kubernetes.io/hostname that select the pod's own labels.",
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
            if (keptApart(pod, namespaceOf(resource))) return [];
            return [{ resource, found: `${called(resource)} may put its ${fewest} replicas on one node` }];
        }),
};
