/** Fields that others have changed on the stack's objects since it last set them: the next update takes them back. */
import type { KubernetesObject } from "../kubernetes/cluster-api";
import { leavesOf, lostPaths, owns, shownPath, valueAt, type Path } from "../kubernetes/managed-fields.plan";
import type { RecordedObject } from "../kubernetes/recorded.plan";
import { isPulumi, managersOf, namesOf } from "./ownership.plan";

/** Annotation that differs from the state once someone else has changed the object: Pulumi then applies all of it again. */
export const reappliedKey = "orcheo.dev/reapplied-generation";

export interface Override {
    /** Such as `spec.replicas`, `spec.template.spec.containers[api].env[LOG_LEVEL]`. */
    readonly path: string;
    /** Undefined for a field that is gone, and where nobody is recorded. */
    readonly manager: string | undefined;
    readonly gone: boolean;
    readonly time: string | undefined;
    /** False for a field that the stack does not set. */
    readonly declared: boolean;
    /** The value in the cluster and the stack's; undefined where they may be secret. */
    readonly values?: readonly [unknown, unknown];
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Numbers, switches and images say no secret. */
function tellable(path: Path, values: readonly [unknown, unknown]): boolean {
    return path.at(-1) === "image" || values.every((value) => typeof value === "number" || typeof value === "boolean");
}

/** What controllers write by design, and `kubectl rollout restart`. */
const ignored = /(^|\.)metadata\.annotations\.(kubectl\.kubernetes\.io|deployment\.kubernetes\.io)\//;

/** What the stack sets; name and kind have no owner. */
function setBy({ inputs }: RecordedObject): Readonly<Record<string, unknown>> {
    const { labels, annotations } = (inputs["metadata"] ?? {}) as Record<string, unknown>;
    const rest = Object.entries(inputs).filter(([key]) => !["apiVersion", "kind", "metadata"].includes(key));
    return { metadata: { labels, annotations }, ...Object.fromEntries(rest) };
}

/** What the stack set and no longer owns. Whether the values differ is not known from metadata alone. */
const lostOf = (live: KubernetesObject, recorded: RecordedObject): readonly Path[] =>
    lostPaths(
        setBy(recorded),
        managersOf(live)
            .filter(({ manager }) => isPulumi(manager))
            .map(({ fieldsV1 }) => fieldsV1),
    );

/** Controllers add fields of their own all the time; people with kubectl mean to change something. */
function addedOf(live: KubernetesObject, { inputs }: RecordedObject) {
    return managersOf(live)
        .filter(({ manager, subresource }) => manager?.startsWith("kubectl") && subresource !== "status")
        .flatMap(({ manager, time, fieldsV1 }) => leavesOf(fieldsV1).map((path) => ({ path, manager, time })))
        .filter(({ path }) => valueAt(inputs, path) === undefined && !ignored.test(shownPath(path)));
}

/** Whether its metadata alone leave it possible that others have changed it. */
export const mayBeOverridden = (live: KubernetesObject, recorded: RecordedObject): boolean =>
    lostOf(live, recorded).length > 0 || addedOf(live, recorded).length > 0;

/**
 * @param live  the object in the cluster, with its managedFields
 * @param least  replicas at least, of a Deployment that is scaled automatically
 */
export function overridesOf(live: KubernetesObject, recorded: RecordedObject, least?: number): readonly Override[] {
    const others = managersOf(live).filter(
        ({ manager, subresource }) => !isPulumi(manager) && subresource !== "status",
    );
    const lost = lostOf(live, recorded).filter((path) => least === undefined || shownPath(path) !== "spec.replicas");
    const taken = lost.flatMap((path): Override[] => {
        const values = [valueAt(live, path), valueAt(recorded.inputs, path)] as const;
        if (same(...values)) return [];
        const { manager, time } = others.findLast(({ fieldsV1 }) => owns(fieldsV1, path)) ?? {};
        return [
            {
                path: shownPath(path),
                manager,
                time,
                declared: true,
                gone: values[0] === undefined,
                ...(tellable(path, values) && { values }),
            },
        ];
    });
    const added = addedOf(live, recorded).map(({ path, manager, time }) => ({
        ...{ path: shownPath(path), manager, time, declared: false, gone: false },
    }));
    return [...taken, ...added, ...switchedOff(live, least)];
}

const replicasOf = ({ spec }: Readonly<Record<string, unknown>>): unknown => valueAt(spec, ["replicas"]);

/** An autoscaler leaves a Deployment alone that somebody has scaled to 0. The cluster records no manager for a 0. */
function switchedOff(live: KubernetesObject, least: number | undefined): readonly Override[] {
    if (least === undefined || replicasOf(live) !== 0) return [];
    const values = [0, least] as const;
    return [{ path: "spec.replicas", manager: undefined, time: undefined, declared: true, gone: false, values }];
}

/** Replicas at least, by the autoscaler that the state has for the Deployment; undefined when it has none. */
export function leastReplicas(recorded: RecordedObject, all: Iterable<RecordedObject>): number | undefined {
    const autoscaler = [...all].find(
        ({ kind, namespace, inputs }) =>
            kind === "HorizontalPodAutoscaler" &&
            namespace === recorded.namespace &&
            valueAt(inputs, ["spec", "scaleTargetRef", "kind"]) === recorded.kind &&
            valueAt(inputs, ["spec", "scaleTargetRef", "name"]) === recorded.name,
    );
    if (autoscaler === undefined) return undefined;
    const least = valueAt(autoscaler.inputs, ["spec", "minReplicas"]);
    return typeof least === "number" ? least : 1;
}

/**
 * Replicas to declare for a Deployment that is scaled automatically: only after it was scaled to 0, and until the autoscaler has
 * scaled it. Taken away before, they would fall to 1.
 *
 * @param live  undefined while the cluster does not answer
 */
export function replicasToSet(
    live: KubernetesObject | undefined,
    recorded: RecordedObject,
    least: number | undefined,
): number | undefined {
    if (least === undefined) return undefined;
    if (live !== undefined && replicasOf(live) === 0) return least;
    const before = replicasOf(recorded.inputs);
    return typeof before === "number" && (live === undefined || replicasOf(live) === before) ? before : undefined;
}

/** One line for an object; undefined when nobody has changed it. */
export function overrideMessage(recorded: RecordedObject, overrides: readonly Override[]): string | undefined {
    if (overrides.length === 0) return undefined;
    const said = overrides.map(({ path, manager, time, declared, gone, values }) => {
        const by = [manager ?? (gone ? "removed" : "an unknown manager"), ...(time === undefined ? [] : [time])].join(
            ", ",
        );
        if (!declared) return `${path} was added (${by})`;
        if (values === undefined) return `${path} (${by})`;
        return `${path}: ${JSON.stringify(values[0])} instead of ${JSON.stringify(values[1])} (${by})`;
    });
    return `${titleOf(recorded)} was changed outside of Pulumi: ${said.join(", ")}. An update takes this back`;
}

/** One line for all objects that the state has and the cluster has not; undefined when there are none. */
export function missingMessage(missing: readonly RecordedObject[]): string | undefined {
    if (missing.length === 0) return undefined;
    const objects = missing.map(({ kind, name, namespace }) => ({ kind, metadata: { name, namespace } }));
    return (
        `deleted outside of Pulumi: ${namesOf(objects)}. \`pulumi up --refresh\` creates again what is missing; ` +
        "without --refresh, an update leaves it missing, and fails where it has to change it"
    );
}

const titleOf = ({ kind, name, namespace }: RecordedObject): string =>
    `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;

/** Value of the annotation: a new one whenever others have changed the object, else the one that the state has. */
export function reappliedOf(
    { metadata: { generation, resourceVersion } }: KubernetesObject,
    recorded: RecordedObject,
    overrides: readonly Override[],
): string | undefined {
    if (overrides.length === 0) return keptOf(recorded);
    // Labels change no generation, and `kubectl scale` leaves no time.
    const times = overrides.flatMap(({ time }) => time ?? []).sort();
    const version = generation ?? (times.length === 0 ? resourceVersion : undefined);
    return [version, times.at(-1)].flatMap((each) => (each === undefined ? [] : String(each as number))).join(" ");
}

/** It stays once it is there: to remove it would be a change again. */
export function keptOf({ inputs }: RecordedObject): string | undefined {
    const { annotations } = (inputs["metadata"] ?? {}) as { annotations?: Record<string, string> };
    return annotations?.[reappliedKey];
}

export const forceKey = "pulumi.com/patchForce";

/**
 * Whether an update takes fields of the namespace from others; not before someone else has set some. The one of two stacks that creates it
 * second is then refused, by the mark of the first.
 *
 * @param live  undefined while the cluster does not answer
 */
export function forcedOf(live: KubernetesObject | undefined, { inputs }: RecordedObject): string | undefined {
    const before = valueAt(inputs, ["metadata", "annotations", forceKey]);
    const others =
        live !== undefined &&
        managersOf(live).some(({ manager, subresource }) => !isPulumi(manager) && subresource !== "status");
    return others || before !== undefined ? "true" : undefined;
}
