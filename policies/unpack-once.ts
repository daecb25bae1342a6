/**
 * Lets the policy SDK unpack each resource once.
 *
 * The SDK (1.21) unpacks a resource's properties from the engine's message anew for every policy, and the whole stack anew
 * for every stack policy: with some sixty policies that is nearly all of a preview's time. What it unpacks is the same every
 * time, and no policy here writes to it (a remediation, which does, is unpacked with its secrets marked and is left alone).
 */
import { deserializer } from "./pulumi-internals.ts";

type Unpack = (message: object, marksSecrets: boolean) => unknown;

function isUnpack(value: unknown): value is Unpack {
    return typeof value === "function";
}

/** Wraps the SDK's function; does nothing to a later SDK that has it no more. @returns whether it did */
export function unpackOnce(): boolean {
    // Marked internal, hence without types; the SDK's server calls it by this module object.
    const module = deserializer();
    if (typeof module !== "object" || module === null) return false;
    const unpack: unknown = Reflect.get(module, "deserializeProperties");
    if (!isUnpack(unpack)) return false;
    const unpacked = new WeakMap<object, unknown>();
    const once: Unpack = (message, marksSecrets) => {
        if (marksSecrets) return unpack(message, marksSecrets);
        if (!unpacked.has(message)) unpacked.set(message, unpack(message, marksSecrets));
        return unpacked.get(message);
    };
    return Reflect.set(module, "deserializeProperties", once);
}
