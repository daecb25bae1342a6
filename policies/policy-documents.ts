/** Where resources of AWS keep policy documents. */
import { policyProperties, otherLanguages } from "./policy-properties.ts";
import type { Resource } from "./rule.ts";
import { at, isObject, list } from "./values.ts";

/** Names of properties that mostly hold something else, such as the content of an object in a bucket. */
const general = ["body", "content", "definition", "document", "statement", "text"];
/** Properties of any type: a resource of another version of the SDK may keep its policy in one of them. */
const everywhere = [...new Set(Object.values(policyProperties).flat())].filter((key) => !general.includes(key)).sort();

/** Whether the SDK itself says that this property holds a policy. */
export function holdsPolicy(type: string, key: string): boolean {
    return Object.hasOwn(policyProperties, type) && (policyProperties[type] ?? []).includes(key);
}

/** The values at a path such as `inlinePolicies[].policy`. */
function valuesAt(value: unknown, path: readonly string[]): readonly unknown[] {
    const [key, ...rest] = path;
    if (key === undefined) return [value];
    if (!key.endsWith("[]")) return valuesAt(at(value, key), rest);
    return list(at(value, key.slice(0, -2))).flatMap((each) => valuesAt(each, rest));
}

/** Every policy document of a resource, with the property that holds it. */
export function documentsOf({
    type,
    props,
}: Resource): readonly { readonly key: string; readonly document: unknown }[] {
    const own = Object.hasOwn(policyProperties, type) ? (policyProperties[type] ?? []) : [];
    return [...new Set([...everywhere, ...own])]
        .filter((key) => !otherLanguages.includes(`${type} ${key}`))
        .flatMap((key) => valuesAt(props, key.split(".")).map((document) => ({ key, document })))
        .filter(({ key, document }) => holdsPolicy(type, key) || isObject(document) || typeof document === "string")
        .filter(({ document }) => document !== undefined);
}
