import { kindOf, tokenOf, typeOf } from "../kinds.ts";
import type { Resource, StackFinding, StackRule } from "../rule.ts";
import { called, nameOf, namespaceOf, ofKind, podsIn, sameNamespace, selects } from "../stack.ts";
import { at, fields, holdsUnknown, known, list, number, text, UNKNOWN } from "../values.ts";
import { templatePathOf, type Pod } from "../workloads.ts";

type Found = (resource: Resource, resources: readonly Resource[]) => readonly string[];

/** Pods of the stack that a selector picks in the namespace of an object; undefined while some are not known. */
function podsUnder(owner: Resource, selector: unknown, resources: readonly Resource[]): readonly Pod[] | undefined {
    const near = resources.filter((each) => tokenOf(each.type) !== undefined && sameNamespace(owner, each));
    if (near.some((each) => templatePathOf(each.type) !== undefined && podsIn(each).length === 0)) return undefined;
    return near
        .flatMap(podsIn)
        .filter(({ metadata }) => holdsUnknown(at(metadata, "labels")) || selects(selector, at(metadata, "labels")));
}

/** Whether a target port of a Service is one of the pod's: by name, or by number where each container says its ports. */
function serves({ containers, spec: podSpec }: Pod, target: unknown): boolean {
    const given = at(podSpec, "containers");
    if (given === UNKNOWN || (Array.isArray(given) && given.some((each) => known(each) === UNKNOWN))) return true;
    const running = containers.filter(
        ({ role, spec }) => role === "container" || at(spec, "restartPolicy") === "Always",
    );
    const lists = running.map(({ spec }) => at(spec, "ports"));
    if (lists.some(holdsUnknown)) return true;
    const ports = lists.flatMap(list);
    const asked = number(target);
    if (asked === undefined) return ports.some((port) => at(port, "name") === target);
    const allSaid = lists.every((each) => list(each).length > 0);
    return !allSaid || ports.some((port) => number(at(port, "containerPort")) === asked);
}

const service: Found = (resource, resources) => {
    const selector = at(resource.props, "spec", "selector");
    const isExternal = at(resource.props, "spec", "type") === "ExternalName";
    if (isExternal || holdsUnknown(selector) || Object.keys(fields(selector)).length === 0) return [];
    const pods = podsUnder(resource, { matchLabels: selector }, resources);
    if (pods === undefined) return [];
    if (pods.length === 0) return ["selects no pod"];
    return list(at(resource.props, "spec", "ports"))
        .map((port) => at(port, "targetPort") ?? at(port, "port"))
        .filter((target) => target !== undefined && target !== UNKNOWN && !pods.some((pod) => serves(pod, target)))
        .map((target) => `targets port ${JSON.stringify(target)}, which no container of its pods has`);
};

/** The problem of a reference to a port of a Service; `port` is its number or its name. */
function backend(owner: Resource, name: unknown, port: unknown, resources: readonly Resource[]): readonly string[] {
    const wanted = text(name);
    if (wanted === undefined || wanted === "") return [];
    const named = ofKind(resources, "Service").filter((each) => sameNamespace(owner, each) && nameOf(each) === wanted);
    if (named.length === 0) return [`leads to Service "${wanted}", which is not there`];
    const said = port !== undefined && port !== UNKNOWN;
    const has = named.some(({ props }) => {
        const ports = at(props, "spec", "ports");
        if (holdsUnknown(ports)) return true;
        return list(ports).some((each) => at(each, "name") === port || number(at(each, "port")) === number(port));
    });
    return said && !has ? [`leads to port ${JSON.stringify(port)} of Service "${wanted}", which has no such port`] : [];
}

const ingress: Found = (resource, resources) => {
    const spec = at(resource.props, "spec");
    const paths = list(at(spec, "rules")).flatMap((rule) => list(at(rule, "http", "paths")));
    return [at(spec, "defaultBackend"), ...paths.map((path) => at(path, "backend"))].flatMap((each) => {
        const port = at(each, "service", "port", "number") ?? at(each, "service", "port", "name");
        // An AWS load balancer takes what an annotation says under the name of a service.
        if (at(each, "service", "port", "name") === "use-annotation") return [];
        return backend(resource, at(each, "service", "name"), port, resources);
    });
};

const route: Found = (resource, resources) =>
    list(at(resource.props, "spec", "rules"))
        .flatMap((rule) => [
            ...list(at(rule, "backendRefs")),
            ...list(at(rule, "filters")).map((filter) => at(filter, "requestMirror", "backendRef")),
        ])
        .filter((each) => each !== undefined && (at(each, "kind") ?? "Service") === "Service")
        // What another namespace has is another team's, and so another stack's.
        .filter((each) => [undefined, namespaceOf(resource)].some((near) => at(each, "namespace") === near))
        .flatMap((each) => backend(resource, at(each, "name"), at(each, "port"), resources));

/** Whether a type is of this kind, and of the group of this version where it is given; built-in kinds have several. */
function isOf(type: string, kind: string, version: string | undefined): boolean {
    if (tokenOf(type)?.kind !== kind) return false;
    if (version === undefined) return true;
    const wanted = typeOf(version, kind);
    return tokenOf(type)?.group === tokenOf(wanted)?.group || (kindOf(type) ?? "") === kindOf(wanted);
}

/** The Service that gives the pods of a StatefulSet their names. */
const governed: Found = (resource, resources) =>
    backend(resource, at(resource.props, "spec", "serviceName"), undefined, resources);

const scaler: Found = (resource, resources) => {
    const target = at(resource.props, "spec", "scaleTargetRef");
    const [kind, name] = [text(at(target, "kind")), text(at(target, "name"))];
    if (kind === undefined || name === undefined) return [];
    const version = text(at(target, "apiVersion"));
    const there = resources.some(
        (each) => isOf(each.type, kind, version) && nameOf(each) === name && sameNamespace(resource, each),
    );
    return there ? [] : [`scales ${kind} "${name}", which is not there`];
};

const budget: Found = (resource, resources) => {
    const selector = at(resource.props, "spec", "selector");
    if (selector === undefined || holdsUnknown(selector)) return [];
    return podsUnder(resource, selector, resources)?.length === 0 ? ["selects no pod"] : [];
};

const kinds: ReadonlyMap<string, Found> = new Map([
    ["Service", service],
    ["Ingress", ingress],
    ["HTTPRoute", route],
    ["GRPCRoute", route],
    ["StatefulSet", governed],
    ["HorizontalPodAutoscaler", scaler],
    ["PodDisruptionBudget", budget],
]);

export const referencesResolve: StackRule = {
    name: "references-resolve",
    // What another stack or an operator makes is not in sight.
    level: "advisory",
    scope: "stack",
    description: "A Service, route, autoscaler or budget that leads nowhere is found out by its users.",
    remedy: "Correct the name, the labels or the port; nothing is to be done where another stack or an operator makes it.",
    reference: {
        title: "Kubernetes: debugging Services",
        url: "https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/",
    },
    notInCel: "it needs other objects than the one at hand",
    found: (resources): readonly StackFinding[] =>
        resources.flatMap((resource) => {
            const problems = kinds.get(kindOf(resource.type) ?? "")?.(resource, resources) ?? [];
            return [...new Set(problems)].map((problem) => ({ resource, found: `${called(resource)} ${problem}` }));
        }),
};
