/** Applies a rule's safe fix to the pods of a resource; what is excepted, unknown or malformed stays as it is. */
import { Secret } from "@pulumi/policy";

import { offenders, evaluate, waits, type OneByOne } from "./evaluate.ts";
import { itemsOf } from "./lists.ts";
import type { Resource, Settings } from "./rule.ts";
import { isObject, unwrap } from "./values.ts";
import { podsOf, templatePathOf } from "./workloads.ts";

type Fix = (fields: Record<string, unknown>) => void;

/**
 * The inputs in clear, as validations get them. The SDK hands remediations a proxy around a proxy, each of which returns a
 * new object on every access, around values marked as secret.
 */
export function clear(value: unknown): unknown {
    const inner = unwrap(value);
    if (inner instanceof Secret) return clear(inner.value);
    if (Array.isArray(inner)) return inner.map(clear);
    // Assets and archives are no plain objects; they hold no pods.
    if (!isObject(inner) || Object.getPrototypeOf(inner) !== Object.prototype) return inner;
    return Object.fromEntries(Object.entries(inner).map(([key, each]) => [key, clear(each)]));
}

/** A copy of the inputs in which some of the objects are fixed. `inClear` is the same value without marks and proxies. */
function fixed(value: unknown, inClear: unknown, fixes: ReadonlyMap<unknown, Fix>): unknown {
    const inner = unwrap(value);
    if (inner instanceof Secret) return new Secret(fixed(inner.value, inClear, fixes));
    if (Array.isArray(inner) && Array.isArray(inClear)) {
        return inner.map((each, index) => fixed(each, inClear[index], fixes));
    }
    if (!isObject(inner) || !isObject(inClear) || Object.getPrototypeOf(inner) !== Object.prototype) return inner;
    const copy = Object.fromEntries(
        Object.entries(inner).map(([key, each]) => [key, fixed(each, inClear[key], fixes)] as const),
    );
    fixes.get(inClear)?.(copy);
    return copy;
}

/** The objects within the resource that break the rule, each with its fix. */
function fixesOf(rule: OneByOne, resource: Resource, settings: Settings): ReadonlyMap<unknown, Fix> {
    if (rule.scope === "resource" || rule.remediate === undefined) return new Map();
    // Kubernetes itself defines these templates: a custom resource may not take the fields of a fix.
    const pods = itemsOf(resource)
        .filter(({ type }) => templatePathOf(type) !== undefined)
        .flatMap(({ type, name, props }) => podsOf(type, name, props));
    const broken =
        rule.scope === "pod"
            ? pods.filter((pod) => rule.found(pod, settings) !== undefined && !waits(rule, pod)).map((pod) => pod.spec)
            : pods.flatMap((pod) => offenders(rule, pod, settings)).map(({ container }) => container.spec);
    return new Map(broken.map((spec) => [spec, (copy) => rule.remediate?.(copy)]));
}

/** The inputs with everything that breaks the rule fixed; undefined when nothing does. */
export function remediated(
    rule: OneByOne,
    inputs: unknown,
    resource: Resource,
    settings: Settings,
): Record<string, unknown> | undefined {
    if (evaluate(rule, resource, settings).length === 0) return undefined;
    const fixes = fixesOf(rule, resource, settings);
    if (fixes.size === 0) return undefined;
    return fixed(inputs, resource.props, fixes) as Record<string, unknown>;
}
