/**
 * What a Pulumi type token names. Group and kind decide together: Crossplane's Deployment and Volcano's Job are neither
 * Kubernetes' own, nor is another group's Namespace.
 */
import { text } from "./values.ts";

export interface Token {
    /** API group; `core` for the one without a name. */
    readonly group: string;
    readonly version: string;
    readonly kind: string;
}

/** The kinds that rules ask for by name, with the groups that define them; some have an older group as well. */
const kinds: readonly (readonly [groups: readonly string[], kinds: readonly string[]])[] = [
    [["core"], ["Pod", "PodTemplate", "ReplicationController", "Namespace", "ConfigMap", "Secret", "Service"]],
    [["core"], ["PersistentVolumeClaim", "ResourceQuota", "LimitRange", "ServiceAccount"]],
    [["apps"], ["StatefulSet", "ControllerRevision"]],
    [
        ["apps", "extensions"],
        ["Deployment", "DaemonSet", "ReplicaSet"],
    ],
    [["batch"], ["Job", "CronJob"]],
    [
        ["networking.k8s.io", "extensions"],
        ["Ingress", "NetworkPolicy"],
    ],
    [["rbac.authorization.k8s.io"], ["Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"]],
    [["gateway.networking.k8s.io"], ["Gateway", "HTTPRoute", "GRPCRoute"]],
    [["autoscaling"], ["HorizontalPodAutoscaler"]],
    [["policy"], ["PodDisruptionBudget"]],
    [["storage.k8s.io"], ["StorageClass"]],
];
const groupsOf = new Map(kinds.flatMap(([groups, names]) => names.map((kind) => [kind, groups] as const)));

/** Group, version and kind of a Kubernetes type token (`kubernetes:apps/v1:Deployment`); undefined for other types. */
export function tokenOf(type: string): Token | undefined {
    const parts = /^kubernetes:(?:([^/:]+)\/)?([^/:]+):([^:]+)$/.exec(type);
    if (parts === null) return undefined;
    return { group: parts[1] ?? "core", version: parts[2] ?? "", kind: parts[3] ?? "" };
}

/** Pulumi's type token of an object. */
export function typeOf(apiVersion: string, kind: string): string {
    return `kubernetes:${apiVersion.includes("/") ? apiVersion : `core/${apiVersion}`}:${kind}`;
}

/** The kind of a type token where Kubernetes itself, or a project that rules know, defines it; undefined for any other. */
export function kindOf(type: string): string | undefined {
    const token = tokenOf(type);
    return token !== undefined && groupsOf.get(token.kind)?.includes(token.group) === true ? token.kind : undefined;
}

/** Whether a group defines a kind; as `apiVersion` of a reference, which may leave it out. */
export function isKind(kind: string, apiVersion: unknown): boolean {
    const given = text(apiVersion);
    return given === undefined || kindOf(typeOf(given, kind)) === kind;
}

/** A test for `types` of a rule: the built-in kinds of these names, in any version. */
export function builtIn(...kinds: readonly string[]): (type: string) => boolean {
    return (type) => kinds.includes(kindOf(type) ?? "");
}

/** The type of a list's items (`DeploymentList`); `kubernetes:core/v1:List` has no type of its own: undefined. */
export function itemType(type: string): string | undefined {
    const kind = tokenOf(type)?.kind ?? "";
    return kind.endsWith("List") && kind !== "List" ? type.slice(0, -"List".length) : undefined;
}

/** Whether a resource of this type may hold objects of any type. */
export function isMixedList(type: string): boolean {
    return tokenOf(type)?.kind === "List";
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

/** The path to the pod template of a built-in kind; undefined for every other type. */
export function templatePathOf(type: string): readonly string[] | undefined {
    const kind = kindOf(type);
    return kind !== undefined && Object.hasOwn(templatePaths, kind) ? templatePaths[kind] : undefined;
}
