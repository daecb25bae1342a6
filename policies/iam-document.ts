/** Reads policy documents of AWS, given as JSON text or as objects, of which any part may be unknown. */
import { at, isObject, list, strings, text, UNKNOWN } from "./values.ts";

/** The statements of a document, or why there are none to read. */
export type Document = readonly unknown[] | typeof UNKNOWN | "unreadable";

/** @param document  the value of a property that holds a policy */
export function readDocument(document: unknown): Document {
    if (document === undefined || document === null) return [];
    let policy: unknown = document;
    if (typeof document === "string") {
        const json = text(document);
        if (json === undefined) return UNKNOWN;
        // An empty policy is none, as AWS takes it.
        if (json.trim() === "") return [];
        try {
            policy = JSON.parse(json);
        } catch {
            return "unreadable";
        }
    }
    if (policy === UNKNOWN) return UNKNOWN;
    if (!isObject(policy) || Array.isArray(policy)) return "unreadable";
    const found = at(policy, "Statement");
    if (found === UNKNOWN) return UNKNOWN;
    if (Array.isArray(found)) return list(found);
    return isObject(found) ? [found] : "unreadable";
}

/** The statements of a policy document. Unknown or unreadable: none. */
export function statements(document: unknown): readonly unknown[] {
    const read = readDocument(document);
    return typeof read === "object" ? read : [];
}

/** One string or a list of them, as policy documents allow. */
export function oneOrMore(value: unknown): readonly string[] {
    const one = text(value);
    if (one !== undefined) return [one];
    return typeof value === "boolean" || typeof value === "number" ? [String(value)] : strings(value);
}

/** One test of a Condition: its operator without qualifiers, the key in lower case, the values. */
export interface Test {
    readonly operator: string;
    /** `forallvalues`, `foranyvalue` or nothing. */
    readonly set: string;
    /** Passes where the request has no such key. */
    readonly ifExists: boolean;
    readonly key: string;
    readonly values: readonly string[];
    /** Some of it is known only in the update. */
    readonly unknown: boolean;
}

/** The tests of a statement's Condition, all of which must pass; UNKNOWN when even their number is. */
export function testsOf(statement: unknown): readonly Test[] | typeof UNKNOWN {
    const conditions = at(statement, "Condition");
    if (conditions === UNKNOWN) return UNKNOWN;
    if (!isObject(conditions)) return [];
    return Object.keys(conditions).flatMap((written): readonly Test[] => {
        const keys = at(conditions, written);
        const [, set = "", operator = "", ifExists] =
            /^(?:(forallvalues|foranyvalue):)?(.*?)(ifexists)?$/.exec(written.toLowerCase()) ?? [];
        const test = { operator, set, ifExists: ifExists !== undefined };
        if (keys === UNKNOWN) return [{ ...test, key: "", values: [], unknown: true }];
        if (!isObject(keys)) return [];
        return Object.keys(keys).map((key) => {
            const given = at(keys, key);
            const values = oneOrMore(given);
            const unknown = given === UNKNOWN || (Array.isArray(given) && values.length < given.length);
            return { ...test, key: key.toLowerCase(), values, unknown };
        });
    });
}
