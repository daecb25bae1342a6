import { kindOf, templatePathOf, tokenOf } from "../kinds.ts";
import type { ResourceRule } from "../rule.ts";
import { searchPods } from "../shapes.ts";
import { called } from "../stack.ts";
import { at, UNKNOWN } from "../values.ts";

export const readablePodTemplate: ResourceRule = {
    name: "readable-pod-template",
    level: "mandatory",
    scope: "resource",
    types: (type) => templatePathOf(type) !== undefined || (tokenOf(type) !== undefined && kindOf(type) === undefined),
    description: "A workload whose pods cannot be read cannot be evaluated.",
    remedy: "Give the pod spec a list of containers; split an object that is deeper or larger than the API server stores.",
    reference: {
        title: "Kubernetes API: PodSpec",
        url: "https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#PodSpec",
    },
    notInCel: "the API server refuses such an object before any policy is asked",
    found(resource) {
        const path = templatePathOf(resource.type);
        if (path === undefined) {
            const { complete } = searchPods(resource.type, resource.props);
            return complete ? [] : [`${called(resource)} is too deep or too large to be searched for pods`];
        }
        const containers = at(resource.props, ...path, "spec", "containers");
        if (containers === UNKNOWN) return [];
        const readable =
            Array.isArray(containers) &&
            containers.every(
                (each: unknown) => typeof each === "string" || (typeof each === "object" && each !== null),
            );
        return readable ? [] : [`${called(resource)} has no readable list of containers`];
    },
};
