/** Fields that others have changed on the stack's objects since it last set them: an update takes them back. */
import { isRecord } from "../config/values";
import type { KubernetesObject } from "../kubernetes/cluster-api";
import type { RecordedObject } from "../kubernetes/recorded.plan";
import { isPulumi, managersOf } from "./ownership.plan";

export interface Override {
    /** Such as `spec.replicas`, `spec.template.spec.containers[api].env[LOG_LEVEL]`. */
    readonly path: string;
    readonly manager: string;
    readonly time: string | undefined;
    /** False for a field that the stack does not set, and which stays. */
    readonly declared: boolean;
    /** The value in the cluster and the stack's; undefined where they may be secret. */
    readonly values?: readonly [unknown, unknown];
}

type Step = string | { readonly key: Readonly<Record<string, unknown>> };

/**
 * The leaves of managedFields' `fieldsV1`.
 *
 * @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/#System
 */
function leavesOf(fields: unknown, path: readonly Step[] = []): readonly (readonly Step[])[] {
    if (!isRecord(fields)) return [path];
    const children = Object.entries(fields).filter(([key]) => key !== ".");
    if (children.length === 0) return path.length === 0 ? [] : [path];
    return children.flatMap(([key, below]) => {
        if (key.startsWith("f:")) return leavesOf(below, [...path, key.slice(2)]);
        if (key.startsWith("k:"))
            return leavesOf(below, [...path, { key: JSON.parse(key.slice(2)) as Record<string, unknown> }]);
        // A member of a set, or an index: the list itself says enough.
        return [path];
    });
}

function valueAt(value: unknown, path: readonly Step[]): unknown {
    return path.reduce<unknown>((here, step) => {
        if (typeof step === "string") return isRecord(here) ? here[step] : undefined;
        if (!Array.isArray(here)) return undefined;
        const wanted = Object.entries(step.key);
        // `protocol` is part of a port's key, and mostly left at its default.
        const fits = (item: unknown) =>
            isRecord(item) && wanted.every(([key, is]) => item[key] === is || (key === "protocol" && !(key in item)));
        return here.find(fits);
    }, value);
}

const shownPath = (path: readonly Step[]): string =>
    path.reduce<string>((shown, step) => {
        if (typeof step === "string") return shown === "" ? step : `${shown}.${step}`;
        return `${shown}[${Object.values(step.key).map(String).join(" ")}]`;
    }, "");

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Numbers, switches and images say no secret. */
function tellable(path: readonly Step[], values: readonly [unknown, unknown]): boolean {
    return path.at(-1) === "image" || values.every((value) => typeof value === "number" || typeof value === "boolean");
}

/** What controllers write by design. */
const ignored = /^metadata\.annotations\.(kubectl\.kubernetes\.io|deployment\.kubernetes\.io)\//;

/** @param live  the object in the cluster, with its managedFields */
export function overridesOf(live: KubernetesObject, { inputs }: RecordedObject): readonly Override[] {
    return managersOf(live)
        .filter(({ manager, subresource }) => !isPulumi(manager) && subresource !== "status")
        .flatMap(({ manager = "", time, fieldsV1 }) =>
            leavesOf(fieldsV1).flatMap((path): Override[] => {
                const [mine, theirs] = [valueAt(inputs, path), valueAt(live, path)];
                const declared = mine !== undefined;
                const shown = shownPath(path);
                if (declared && same(mine, theirs)) return [];
                // Controllers add fields of their own all the time; people with kubectl mean to change something.
                if (!declared && (!manager.startsWith("kubectl") || ignored.test(shown))) return [];
                const values = [theirs, mine] as const;
                return [
                    {
                        ...{ path: shown, manager, time, declared },
                        ...(declared && tellable(path, values) && { values }),
                    },
                ];
            }),
        );
}

/** One line for an object; undefined when nobody has changed it. */
export function overrideMessage(live: KubernetesObject, recorded: RecordedObject): string | undefined {
    const overrides = overridesOf(live, recorded);
    const said = (wanted: boolean) =>
        overrides
            .filter(({ declared }) => declared === wanted)
            .map(({ path, manager, time, values }) => {
                const by = `${manager}${time === undefined ? "" : `, ${time}`}`;
                return values === undefined
                    ? `${path} (${by})`
                    : `${path}: ${JSON.stringify(values[0])} instead of ${JSON.stringify(values[1])} (${by})`;
            })
            .join(", ");
    const { kind, name, namespace } = recorded;
    const object = `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
    const taken = said(true);
    const left = said(false);
    if (taken === "" && left === "") return undefined;
    return [
        ...(taken === ""
            ? []
            : [
                  `${object} was changed outside of Pulumi: ${taken}. An update that changes this object overrides it; \`pulumi up --refresh\` always does`,
              ]),
        ...(left === "" ? [] : [`${object} has fields that this stack does not set, and which stay: ${left}`]),
    ].join(". ");
}
