/** What the stack rules ask of a set of Kubernetes resources. */
import type { Resource } from "./rule.ts";
import { at, fields, list, number, strings, text, UNKNOWN } from "./values.ts";
import { kindOf, podsOf, type Pod } from "./workloads.ts";

// A rule asks the same of the same stack for each of its workloads: what that takes grows with the stack once, not twice.
const sorted = new WeakMap<readonly Resource[], Map<string, Resource[]>>();
const templates = new WeakMap<Resource, readonly Pod[]>();

export function ofKind(resources: readonly Resource[], ...kinds: readonly string[]): readonly Resource[] {
    let byKind = sorted.get(resources);
    if (byKind === undefined) {
        byKind = new Map<string, Resource[]>();
        for (const resource of resources) {
            const kind = kindOf(resource.type) ?? "";
            const same = byKind.get(kind);
            if (same === undefined) byKind.set(kind, [resource]);
            else same.push(resource);
        }
        sorted.set(resources, byKind);
    }
    return kinds.flatMap((kind) => byKind.get(kind) ?? []);
}

function podsIn(resource: Resource): readonly Pod[] {
    const pods = templates.get(resource) ?? podsOf(resource.type, resource.name, resource.props);
    templates.set(resource, pods);
    return pods;
}

/** Name of the object; auto-named ones go by their Pulumi name. */
export function nameOf(resource: Resource): string {
    return text(at(resource.props, "metadata", "name")) ?? resource.name;
}

/** `Deployment "api"`, as every message names an object. */
export function called(resource: Resource): string {
    return `${resource.type.slice(resource.type.lastIndexOf(":") + 1)} "${nameOf(resource)}"`;
}

/** Namespace of the object: UNKNOWN at preview when it is an output of a new namespace. */
export function namespaceOf(resource: Resource): unknown {
    return at(resource.props, "metadata", "namespace") ?? "default";
}

/** Whether two objects may be in the same namespace; what is unknown may be. */
export function sameNamespace(one: Resource, other: Resource): boolean {
    const [a, b] = [namespaceOf(one), namespaceOf(other)];
    return a === UNKNOWN || b === UNKNOWN || a === b;
}

/** Whether an object is in the namespace, or may be. */
export function inNamespace(resource: Resource, namespace: Resource): boolean {
    const found = namespaceOf(resource);
    return found === UNKNOWN || found === nameOf(namespace);
}

/** Deployments and StatefulSets: the workloads whose replicas a person or an autoscaler chooses. */
export function scalable(resources: readonly Resource[]): readonly Resource[] {
    return ofKind(resources, "Deployment", "StatefulSet");
}

/** The HorizontalPodAutoscalers that target the workload. */
export function scalersOf(workload: Resource, resources: readonly Resource[]): readonly Resource[] {
    return ofKind(resources, "HorizontalPodAutoscaler").filter((scaler) => {
        const target = at(scaler.props, "spec", "scaleTargetRef");
        return (
            at(target, "kind") === kindOf(workload.type) &&
            at(target, "name") === nameOf(workload) &&
            sameNamespace(scaler, workload)
        );
    });
}

/**
 * The fewest replicas the workload will have: an autoscaler's minimum, its own number, or Kubernetes' default of 1.
 * Undefined while that is not known.
 */
export function fewestReplicas(workload: Resource, resources: readonly Resource[]): number | undefined {
    const [scaler] = scalersOf(workload, resources);
    const asked =
        scaler === undefined ? at(workload.props, "spec", "replicas") : at(scaler.props, "spec", "minReplicas");
    return asked === UNKNOWN ? undefined : (number(asked) ?? 1);
}

/** Whether a label selector picks these labels. An empty one picks all; expressions that cannot be told pick none. */
export function selects(selector: unknown, labels: unknown): boolean {
    const wanted = Object.entries(fields(at(selector, "matchLabels")));
    const expressions = list(at(selector, "matchExpressions"));
    const given = fields(labels);
    return (
        wanted.every(([key, value]) => given[key] === value) &&
        expressions.every((expression) => {
            const value = text(given[text(at(expression, "key")) ?? ""]);
            const values = strings(at(expression, "values"));
            switch (at(expression, "operator")) {
                case "In":
                    return value !== undefined && values.includes(value);
                case "NotIn":
                    return value === undefined || !values.includes(value);
                case "Exists":
                    return value !== undefined;
                case "DoesNotExist":
                    return value === undefined;
                default:
                    return false;
            }
        })
    );
}

/** The workloads of the stack whose pods an object with a selector (a PDB, a NetworkPolicy) speaks of. */
export function workloadsUnder(owner: Resource, resources: readonly Resource[]): readonly Resource[] {
    const selector = at(owner.props, "spec", "selector");
    return scalable(resources).filter(
        (workload) =>
            sameNamespace(owner, workload) &&
            podsIn(workload).some((pod) => selects(selector, at(pod.metadata, "labels"))),
    );
}

/** A number or a percentage as Kubernetes writes them, of `whole`. Undefined when it is neither. */
export function share(value: unknown, whole: number): number | undefined {
    const percent = /^(\d+)%$/.exec(text(value) ?? "");
    return percent === null ? number(value) : (Number(percent[1]) * whole) / 100;
}
