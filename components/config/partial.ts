/** What can still be known of settings of which some are refused. */
import { z } from "zod";
import { nearest } from "./nearest";
import { bare, optionOf } from "./problems";
import { isRecord } from "./values";

/** Thrown when a refused setting is read: rules that depend on it cannot be evaluated. */
export class Refused extends Error {}

/** A parsed value, or undefined when it has none. */
type Understood = { readonly value: unknown } | undefined;

/**
 * The value with its defaults; a read of a part that is refused throws Refused. Rules between an object's own keys do not count: what
 * breaks one was written all the same.
 *
 * @returns undefined when nothing of it is understood
 */
export function understood(schema: z.ZodType, value: unknown): Understood {
    const whole = schema.safeParse(value);
    if (whole.success) return { value: whole.data };
    const here = bare(schema);
    if (here instanceof z.ZodDiscriminatedUnion) {
        const option = optionOf(here, value);
        return option === undefined ? undefined : understood(option, value);
    }
    // Only the required keys of one that was left out are refused.
    const given = value ?? {};
    if (!isRecord(given)) return undefined;
    if (here instanceof z.ZodObject) return { value: objectOf(here.shape, given) };
    if (here instanceof z.ZodRecord) return { value: entriesOf(here, given) };
    return undefined;
}

/** The value of a function, or another when it reads something that was refused. */
export function unlessRefused<T>(of: () => T, otherwise: T): T {
    try {
        return of();
    } catch (error) {
        if (error instanceof Refused) return otherwise;
        throw error;
    }
}

/** An object whose values are evaluated when they are read. */
export function lazily(values: readonly (readonly [key: string, get: () => unknown])[]): object {
    const object = {};
    for (const [key, get] of values) Object.defineProperty(object, key, { get, enumerable: true });
    return object;
}

type Shape = Readonly<Record<string, z.ZodType>>;

function objectOf(shape: Shape, given: Readonly<Record<string, unknown>>): object {
    const free = Object.keys(shape).filter((key) => given[key] === undefined);
    const mistyped = Object.keys(given).flatMap((key) => (key in shape ? [] : (nearest(key, free) ?? [])));
    const parts = Object.entries(shape).map(([key, schema]) => {
        const part = mistyped.includes(key) ? undefined : understood(schema, given[key]);
        return [key, () => valueOf(part, key)] as const;
    });
    return lazily(parts);
}

function valueOf(part: Understood, key: string): unknown {
    if (part === undefined) throw new Refused(key);
    return part.value;
}

/** An entry that is refused is left out: the others do not depend on it. */
function entriesOf({ keyType, valueType }: z.ZodRecord, given: Readonly<Record<string, unknown>>): object {
    const parts = Object.entries(given).flatMap(([key, value]): [string, () => unknown][] => {
        const part = understood(valueType as z.ZodType, value);
        const named = z.safeParse(keyType, key).success;
        return part === undefined || !named ? [] : [[key, () => part.value]];
    });
    return lazily(parts);
}
