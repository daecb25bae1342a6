import type { ResourceRule } from "../rule.ts";
import { called } from "../stack.ts";
import { at, UNKNOWN } from "../values.ts";
import { kindOf, templatePaths } from "../workloads.ts";

export const readablePodTemplate: ResourceRule = {
    name: "readable-pod-template",
    level: "mandatory",
    scope: "resource",
    types: (type) => Object.hasOwn(templatePaths, kindOf(type) ?? ""),
    description: "A workload whose pod template cannot be read cannot be judged.",
    remedy: "Give the pod spec a list of containers.",
    reference: {
        title: "Kubernetes API: PodSpec",
        url: "https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#PodSpec",
    },
    notInCel: "the API server refuses such an object before any policy is asked",
    found(resource) {
        const path = templatePaths[kindOf(resource.type) ?? ""] ?? [];
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
