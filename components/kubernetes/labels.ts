/** @see https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/ */

/** Workloads with settings of their own in the section `pods`. */
export type Workload = "api" | "worker" | "beat" | "init" | "canvas" | "postgres" | "pgbouncer" | "valkey" | "backup";
export type Role = Workload | "network-probe";

/** What selects the pods of one role. Never changes: selectors are immutable. */
export function selector(role: Role): Record<string, string> {
    return { "app.kubernetes.io/name": "orcheo", "app.kubernetes.io/component": role };
}

/** Labels of pods. Without the version, which would restart the database with every release. */
export function podLabels(role: Role): Record<string, string> {
    return { ...selector(role), ...common };
}

/**
 * Labels of the objects themselves. Without the version: each release would change every object, and of one whose metadata alone change, Pulumi's
 * provider may record the state from before, so that the next preview shows a change again.
 */
export function objectLabels(role?: Role): Record<string, string> {
    const own = role === undefined ? { "app.kubernetes.io/name": "orcheo" } : selector(role);
    return { ...own, ...common };
}

/** Labels of what runs Orcheo itself, and changes with each release in any case. */
export function releaseLabels(role: Role, version: string): Record<string, string> {
    return { ...objectLabels(role), "app.kubernetes.io/version": version };
}

const common = { "app.kubernetes.io/part-of": "orcheo", "app.kubernetes.io/managed-by": "pulumi" };

/** On pods that connect to the pooler instead of PostgreSQL: the network policies tell them apart. */
export const pooledLabel = "orcheo.dev/pooled";

/** Value of `app.kubernetes.io/instance`: at most 63 characters that a label may have. */
export function instanceOf(project: string, stack: string): string {
    return `${project}-${stack}`.slice(0, 63).replace(/[^A-Za-z0-9]+$/, "");
}
