/** Finds the pod templates that a resource carries, with every container in them. */
import { at, fields, list, text, UNKNOWN, type Fields } from "./values.ts";

export interface Container {
    readonly name: string;
    readonly role: "container" | "initContainer" | "ephemeralContainer";
    readonly spec: Fields;
}

export interface Pod {
    /** The object that carries the template, as messages name it: `Deployment "api"`. */
    readonly owner: string;
    readonly spec: Fields;
    readonly metadata: Fields;
    readonly containers: readonly Container[];
}

/** Where each kind of Kubernetes keeps its pod template. */
export const templatePaths: Readonly<Record<string, readonly string[]>> = {
    Pod: [],
    PodTemplate: ["template"],
    Deployment: ["spec", "template"],
    StatefulSet: ["spec", "template"],
    DaemonSet: ["spec", "template"],
    ReplicaSet: ["spec", "template"],
    ReplicationController: ["spec", "template"],
    Job: ["spec", "template"],
    CronJob: ["spec", "jobTemplate", "spec", "template"],
};

/** Where custom resources (Argo Rollouts, Kubeflow jobs and the like) mostly keep theirs. */
const customPaths = [
    ["spec", "template"],
    ["spec", "podTemplate"],
    ["spec", "jobTemplate", "spec", "template"],
];

/** Kind of a Kubernetes type token (`kubernetes:apps/v1:Deployment`), or undefined for other types. */
export function kindOf(type: string): string | undefined {
    return type.startsWith("kubernetes:") ? type.slice(type.lastIndexOf(":") + 1) : undefined;
}

/** The containers of a pod spec, all three sorts of them. */
function containersOf(spec: Fields): Container[] {
    const sorts = [
        ["containers", "container"],
        ["initContainers", "initContainer"],
        ["ephemeralContainers", "ephemeralContainer"],
    ] as const;
    return sorts.flatMap(([key, role]) =>
        list(at(spec, key)).map((each, index) => ({
            name: text(at(each, "name")) ?? `#${index}`,
            role,
            spec: fields(each),
        })),
    );
}

function podAt(owner: string, object: unknown, path: readonly string[]): Pod | undefined {
    const template = at(object, ...path);
    const spec = at(template, "spec");
    if (spec === UNKNOWN || spec === undefined || typeof spec !== "object") return undefined;
    const podSpec = fields(spec);
    return { owner, spec: podSpec, metadata: fields(at(template, "metadata")), containers: containersOf(podSpec) };
}

/**
 * Every pod template in a resource: of the built-in kinds, of lists of them, and of custom resources that keep one in a
 * usual place. `name` is the resource's own, for objects that leave `metadata.name` to Pulumi.
 */
export function podsOf(type: string, name: string, props: Fields): readonly Pod[] {
    const kind = kindOf(type);
    if (kind === undefined) return [];
    if (kind.endsWith("List")) {
        return list(at(props, "items")).flatMap((item) => {
            const itemKind = text(at(item, "kind")) ?? kind.slice(0, -"List".length);
            return podsOf(`kubernetes:list:${itemKind}`, name, fields(item));
        });
    }
    const owner = `${kind} "${text(at(props, "metadata", "name")) ?? name}"`;
    const path = templatePaths[kind];
    if (path !== undefined) {
        const pod = podAt(owner, props, path);
        return pod === undefined ? [] : [pod];
    }
    return customPaths
        .map((custom) => podAt(owner, props, custom))
        .filter((pod) => pod !== undefined && pod.containers.length > 0)
        .filter((pod) => pod !== undefined);
}

/** The container's security setting, or else the pod's; UNKNOWN when either that decides is unknown. */
export function effective(container: Container, pod: Pod, ...path: readonly string[]): unknown {
    const own = at(container.spec, "securityContext", ...path);
    return own === undefined ? at(pod.spec, "securityContext", ...path) : own;
}
