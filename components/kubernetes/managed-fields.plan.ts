/**
 * Who owns which field of an object, as its `managedFields` say.
 *
 * @see https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
 */
import { isRecord } from "../config/values";

/** A step into an object: a key, or the item of a list with these keys. */
export type Step = string | { readonly key: Readonly<Record<string, unknown>> };
export type Path = readonly Step[];

/** The leaves of a manager's `fieldsV1`; an item of a list that the manager added is one. */
export function leavesOf(fields: unknown, path: Path = []): readonly Path[] {
    if (!isRecord(fields)) return [path];
    const children = Object.entries(fields).filter(([key]) => key !== ".");
    if (children.length === 0) return path.length === 0 ? [] : [path];
    return children.flatMap(([key, below]) => {
        if (key.startsWith("f:")) return leavesOf(below, [...path, key.slice(2)]);
        if (key.startsWith("k:")) {
            const item = [...path, { key: keyOf(key) }];
            return isRecord(below) && "." in below ? [item] : leavesOf(below, item);
        }
        // A member of a set, or an index: the list itself says enough.
        return [path];
    });
}

/** The value at a path, or undefined. */
export function valueAt(value: unknown, path: Path): unknown {
    return path.reduce<unknown>((here, step) => {
        if (typeof step === "string") return isRecord(here) ? here[step] : undefined;
        return Array.isArray(here) ? here.find((item) => fits(item, step.key)) : undefined;
    }, value);
}

export const shownPath = (path: Path): string =>
    path.reduce<string>((shown, step) => {
        if (typeof step === "string") return shown === "" ? step : `${shown}.${step}`;
        return `${shown}[${Object.values(step.key).map(String).join(" ")}]`;
    }, "");

/**
 * Fields set in `value` that none of these managers owns any more: another manager has changed or removed them.
 *
 * @param owned  their `fieldsV1`
 */
export function lostPaths(value: unknown, owned: readonly unknown[], path: Path = []): readonly Path[] {
    if (value === undefined || value === null) return [];
    const nodes = owned.filter(isRecord);
    // All of it is owned as one.
    if (path.length > 0 && nodes.some((node) => Object.keys(node).length === 0)) return [];
    if (isRecord(value))
        return Object.entries(value).flatMap(([key, below]) =>
            lostPaths(below, childrenOf(nodes, `f:${key}`), [...path, key]),
        );
    if (Array.isArray(value)) return lostItems(value, nodes, path);
    return nodes.length > 0 ? [] : [path];
}

function lostItems(items: readonly unknown[], nodes: readonly Record<string, unknown>[], path: Path): readonly Path[] {
    const names = new Set(nodes.flatMap((node) => Object.keys(node)));
    const keys = [...names].filter((name) => name.startsWith("k:"));
    if (keys.length === 0) {
        const isMember = (item: unknown) => names.has(`v:${JSON.stringify(item)}`);
        return items.length > 0 && items.every(isMember) ? [] : [path];
    }
    return items.flatMap((item) => {
        const own = keys.find((key) => fits(item, keyOf(key)));
        if (own !== undefined) return lostPaths(item, childrenOf(nodes, own), [...path, { key: keyOf(own) }]);
        const fields = Object.keys(keyOf(keys[0] ?? "")).filter((field) => isRecord(item) && field in item);
        return [[...path, { key: Object.fromEntries(fields.map((field) => [field, valueAt(item, [field])])) }]];
    });
}

/** Whether a manager owns the field, or something in it. */
export function owns(fields: unknown, path: Path): boolean {
    let node: unknown = fields;
    for (const step of path) {
        if (!isRecord(node)) return false;
        const entries: [string, unknown][] = Object.entries(node);
        if (entries.length === 0) return true;
        const [, below] =
            entries.find(([key]) =>
                typeof step === "string"
                    ? key === `f:${step}`
                    : key.startsWith("k:") &&
                      Object.entries(keyOf(key)).every(([field, is]) => fitsField(step.key, field, is)),
            ) ?? [];
        node = below;
    }
    return node !== undefined;
}

const childrenOf = (nodes: readonly Record<string, unknown>[], key: string): readonly unknown[] =>
    nodes.flatMap((node) => (key in node ? [node[key]] : []));

const keyOf = (key: string): Record<string, unknown> => JSON.parse(key.slice(2)) as Record<string, unknown>;

// `protocol` is part of a port's key, and mostly left at its default.
const fitsField = (item: Readonly<Record<string, unknown>>, key: string, is: unknown): boolean =>
    item[key] === is || (key === "protocol" && !(key in item));

const fits = (item: unknown, key: Readonly<Record<string, unknown>>): boolean =>
    isRecord(item) && Object.entries(key).every(([field, is]) => fitsField(item, field, is));
