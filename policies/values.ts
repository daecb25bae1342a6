/**
 * Reading resource inputs of which nothing is certain: they may be malformed, huge, or unknown until the update.
 *
 * An unknown value is never a violation at preview: the engine asks again during the update, when it is known.
 */

/** A value that is not known before the update. */
export const UNKNOWN = Symbol("unknown");

// What Pulumi's engine sends for a value that is not known yet: one constant of its protocol for each type.
// https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/plugin/rpc.go
export const unknownText = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const sentinels: ReadonlySet<unknown> = new Set([
    unknownText,
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
    "e48ece36-62e2-4504-bad9-02848725956a",
    "030794c1-ac77-496b-92df-f27374a8bd58",
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

export type Fields = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null;
}

/**
 * The plain object behind the policy SDK's proxies, one of which throws at the first unknown property and would so hide a
 * violation in the next container.
 */
export function unwrap(value: unknown): unknown {
    let inner = value;
    while (isObject(inner) && inner["__isSpecialProxy"] === true) inner = inner["__getSpecialProxyTarget"];
    return inner;
}

/** The value, or UNKNOWN; null counts as absent, as it does in Kubernetes. */
export function known(value: unknown): unknown {
    if (value === null) return undefined;
    return sentinels.has(value) ? UNKNOWN : value;
}

/** The object's own fields, or an empty object for anything that is not an object. */
export function fields(value: unknown): Fields {
    return isObject(value) && !Array.isArray(value) ? value : {};
}

/** The value at a path; UNKNOWN as soon as a part of the way is unknown, undefined where there is nothing. */
export function at(value: unknown, ...path: readonly string[]): unknown {
    let here = known(value);
    for (const key of path) {
        if (here === UNKNOWN) return UNKNOWN;
        const next = fields(here);
        here = Object.hasOwn(next, key) ? known(next[key]) : undefined;
    }
    return here;
}

/** The known elements of a list; an empty list for anything else. */
export function list(value: unknown): readonly unknown[] {
    return Array.isArray(value) ? value.map(known).filter((each) => each !== UNKNOWN && each !== undefined) : [];
}

/** The strings among the elements of a list. */
export function strings(value: unknown): readonly string[] {
    return list(value).filter((each) => typeof each === "string");
}

export function text(value: unknown): string | undefined {
    return typeof value === "string" && !sentinels.has(value) ? value : undefined;
}

/** A number, or a string that holds one, as Pulumi inputs sometimes do. */
export function number(value: unknown): number | undefined {
    if (typeof value === "number") return value;
    return typeof value === "string" && /^-?[0-9]+$/.test(value) ? Number(value) : undefined;
}

/** How a message shows a value that was found. Only for fields that never carry secrets. */
export function shown(field: string, value: unknown): string {
    if (value === undefined) return `${field} is not set`;
    return `${field} is ${typeof value === "string" ? value : JSON.stringify(value)}`;
}

/** Whether anything in the value is not known before the update. Without recursion: the value may be within itself. */
export function holdsUnknown(value: unknown): boolean {
    const seen = new Set<unknown>();
    const todo = [value];
    while (todo.length > 0) {
        const here = todo.pop();
        if (here === UNKNOWN || sentinels.has(here)) return true;
        if (!isObject(here) || seen.has(here)) continue;
        seen.add(here);
        for (const inner of Object.values(here)) todo.push(inner);
    }
    return false;
}
