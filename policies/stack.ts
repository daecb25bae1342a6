/** What the stack rules ask of a set of Kubernetes resources. */
import { isKind, kindOf } from "./kinds.ts";
import type { Resource } from "./rule.ts";
import { at, fields, list, number, strings, text, UNKNOWN } from "./values.ts";
import { podsOf, type Pod } from "./workloads.ts";

// A rule asks the same of the same stack for each of its workloads: what that takes grows with the stack once, not twice.
type Index = ReadonlyMap<string, readonly Resource[]>;
const kinds = new WeakMap<readonly Resource[], Index>();
const scalers = new WeakMap<readonly Resource[], Index>();
const templates = new WeakMap<Resource, readonly Pod[]>();

/** The resources by what `keyOf` says of each, found out once for a stack. */
function indexed(
    known: WeakMap<readonly Resource[], Index>,
    stack: readonly Resource[],
    of: () => readonly Resource[],
    keyOf: (resource: Resource) => string,
): Index {
    const found = known.get(stack);
    if (found !== undefined) return found;
    const index = new Map<string, Resource[]>();
    for (const resource of of()) {
        const key = keyOf(resource);
        const same = index.get(key);
        if (same === undefined) index.set(key, [resource]);
        else same.push(resource);
    }
    known.set(stack, index);
    return index;
}

export function ofKind(resources: readonly Resource[], ...wanted: readonly string[]): readonly Resource[] {
    const index = indexed(
        kinds,
        resources,
        () => resources,
        ({ type }) => kindOf(type) ?? "",
    );
    return wanted.flatMap((kind) => index.get(kind) ?? []);
}

/** The pods that a resource carries, of any kind. */
export function podsIn(resource: Resource): readonly Pod[] {
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

/** Namespace of the object, or else its provider's: UNKNOWN at preview when it is an output of a new namespace. */
export function namespaceOf({ props, provider }: Resource): unknown {
    return at(props, "metadata", "namespace") ?? at(provider, "namespace") ?? "default";
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
    const targeted = (kind: unknown, name: unknown): string => `${text(kind) ?? ""}/${text(name) ?? ""}`;
    const index = indexed(
        scalers,
        resources,
        () => ofKind(resources, "HorizontalPodAutoscaler"),
        ({ props }) => {
            const target = at(props, "spec", "scaleTargetRef");
            const kind = text(at(target, "kind")) ?? "";
            return targeted(isKind(kind, at(target, "apiVersion")) ? kind : "", at(target, "name"));
        },
    );
    const found = index.get(targeted(kindOf(workload.type), nameOf(workload))) ?? [];
    return found.filter((scaler) => sameNamespace(scaler, workload));
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

/** Whether a label selector matches these labels. An empty one matches everything; an unknown expression matches nothing. */
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
