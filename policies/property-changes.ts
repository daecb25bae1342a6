/** Which properties of a resource a preview changes, and how a pull request may show their values. */
import { argumentsHoldSecret, fileHoldsSecret, looksSecret } from "./secrets.ts";
import { fields, isObject, known, text, UNKNOWN } from "./values.ts";

/** One property, with its values as they may be shown. */
export interface PropertyChange {
    /** Such as `spec.template.spec.containers[api].image`; elements that have a name go by it. */
    readonly path: string;
    readonly before: string;
    readonly after: string;
}

type Step = string | number;

interface Difference {
    readonly steps: readonly Step[];
    readonly before: unknown;
    readonly after: unknown;
}

const nothing = "nothing";
const notShown = "not shown";
/** Longer values are shown by their beginning. */
const longest = 120;

/** By name, if each element has a different one, so that an added element does not shift the others. */
function byName(elements: readonly unknown[]): ReadonlyMap<string, unknown> | undefined {
    const named = new Map(elements.map((each) => [text(fields(each)["name"]), each]));
    return named.size === elements.length && !named.has(undefined)
        ? (named as ReadonlyMap<string, unknown>)
        : undefined;
}

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

/** The least parts that differ. What is one value on one side and many on the other differs as a whole. */
function differences(before: unknown, after: unknown, steps: readonly Step[] = []): readonly Difference[] {
    if (isList(before) && isList(after)) {
        const [was, will] = [byName(before), byName(after)];
        if (was !== undefined && will !== undefined) {
            const names = [...new Set([...was.keys(), ...will.keys()])];
            return names.flatMap((name) => differences(was.get(name), will.get(name), [...steps, `[${name}]`]));
        }
        const length = Math.max(before.length, after.length);
        return Array.from({ length }, (_, at) => differences(before[at], after[at], [...steps, at])).flat();
    }
    if (isObject(before) && isObject(after) && !isList(before) && !isList(after)) {
        // Two underscores: what providers keep for themselves.
        const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
            (key) => !key.startsWith("__"),
        );
        const own = (value: Record<string, unknown>, key: string): unknown =>
            Object.hasOwn(value, key) ? value[key] : undefined;
        return keys.flatMap((key) => differences(own(before, key), own(after, key), [...steps, key]));
    }
    const same = Object.is(known(before), known(after)) && known(after) !== UNKNOWN;
    return same || JSON.stringify(before) === JSON.stringify(after) ? [] : [{ steps, before, after }];
}

function pathOf(steps: readonly Step[]): string {
    return steps.reduce<string>((path, step) => {
        if (typeof step === "number") return `${path}[${step}]`;
        if (step.startsWith("[")) return `${path}${step}`;
        if (!/^[\w-]+$/.test(step)) return `${path}["${step}"]`;
        return path === "" ? step : `${path}.${step}`;
    }, "");
}

/** Kubernetes' Secrets, and resources of others that hold nothing but secrets. */
const secretTypes = /(:Secret|:SecretPatch|:secretVersion:SecretVersion|^random:.*)$|^tls:/;
/** Keys that hold arbitrary data, under names that say nothing about it. */
const opaqueKeys = new Set(["data", "stringData", "binaryData", "secretString", "secretBinary", "userData"]);
/** A literal of the environment may be a secret under any name, and so may what a program is called with. */
const environmentKeys = new Set(["env", "environment", "variables", "command", "args", "exec"]);
/** Values of the environment that are none. */
const plain = /^(true|false|\d{1,6}(\.\d{1,3})?[a-zA-Z%]{0,2}|)$/;

/** Whether a value, or anything in it, may be a secret. */
function mayBeSecret(name: string, value: unknown): boolean {
    if (typeof value === "string")
        return value === "[secret]" || looksSecret(name, value) || fileHoldsSecret(value) || argumentsHoldSecret(value);
    if (typeof value === "number") return looksSecret(name, String(value));
    if (isList(value)) return value.some((each) => mayBeSecret(name, each));
    if (!isObject(value)) return false;
    // `{ name, value }`, as in the environment of a container.
    const own = text(value["name"]);
    if (own !== undefined && mayBeSecret(own, value["value"])) return true;
    return Object.entries(value).some(([key, inner]) => mayBeSecret(key, inner));
}

/** Whether anything in it is a text that the environment's rule hides. */
function holdsText(value: unknown): boolean {
    if (typeof value === "string") return !plain.test(value);
    if (isList(value)) return value.some(holdsText);
    // The name of a variable is none.
    return isObject(value) && Object.entries(value).some(([key, each]) => key !== "name" && holdsText(each));
}

function hidden(type: string, steps: readonly Step[], value: unknown): boolean {
    const names = steps.map((step) => String(step).replace(/^\[(.*)\]$/, "$1"));
    const inMetadata = names[0] === "metadata" && names[1] !== "annotations";
    if (secretTypes.test(type) && !inMetadata && names[0] !== "type") return true;
    if (names.some((name) => opaqueKeys.has(name))) return true;
    // A container's whole environment, or a whole container, may be new.
    const holdsEnvironment = (inner: unknown): boolean =>
        isList(inner)
            ? inner.some(holdsEnvironment)
            : isObject(inner) &&
              Object.entries(inner).some(([key, each]) =>
                  environmentKeys.has(key) || opaqueKeys.has(key) ? holdsText(each) : holdsEnvironment(each),
              );
    if (holdsEnvironment(value)) return true;
    if (names.some((name) => environmentKeys.has(name)) && holdsText(value)) return true;
    return names.some((name) => mayBeSecret(name, value));
}

function shown(type: string, steps: readonly Step[], value: unknown): string {
    if (value === undefined || value === null) return nothing;
    if (known(value) === UNKNOWN) return "known after the update";
    if (hidden(type, steps, value)) return notShown;
    const written = typeof value === "string" ? value : JSON.stringify(value);
    if (written.length <= longest) return written;
    return `${written.slice(0, longest)}… (${written.length} characters)`;
}

/** Every property that differs, in the order of the state. @param type  Pulumi's token of the resource */
export function propertyChanges(type: string, before: unknown, after: unknown): readonly PropertyChange[] {
    return differences(fields(before), fields(after)).map(({ steps, ...values }) => {
        // If one side may be a secret, the other may be what it was, or will be.
        const secret = [values.before, values.after].some(
            (value) => value !== undefined && value !== null && known(value) !== UNKNOWN && hidden(type, steps, value),
        );
        const show = (value: unknown): string => {
            const seen = shown(type, steps, value);
            return secret && seen !== nothing && seen !== "known after the update" ? notShown : seen;
        };
        return { path: pathOf(steps), before: show(values.before), after: show(values.after) };
    });
}
