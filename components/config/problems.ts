/** Turns schema errors into sentences: the key, the value found, the accepted values. */
import { z } from "zod";
import { nearest } from "./nearest";
import { movedToAuth } from "./schema.auth";
import { movedToTracing } from "./schema.tracing";

/** One problem to fix before anything is changed. */
export interface Problem {
    /** Where: a config key such as `orcheo:stack.worker.replicas`, or a part of the environment. */
    readonly at: string;
    readonly found: string;
    readonly remedy: string;
}

export const sentence = ({ at, found, remedy }: Problem): string => `${at}: ${found}; ${remedy}`;

/** Thrown once, with every problem there is. */
export class ConfigError extends Error {
    constructor(
        readonly file: string,
        readonly problems: readonly Problem[],
    ) {
        const lines = problems.map((problem) => `  - ${sentence(problem)}`);
        const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
        super(`${file}: ${count}, nothing was changed\n${lines.join("\n")}`);
        this.name = "ConfigError";
    }
}

type Path = readonly PropertyKey[];

export function keyAt(path: Path): string {
    return path.reduce<string>(
        (key, part) => (typeof part === "number" ? `${key}[${part}]` : `${key}.${String(part)}`),
        "orcheo:stack",
    );
}

function isRecord(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null;
}

function valueAt(value: unknown, path: Path): unknown {
    return path.reduce<unknown>((here, part) => (isRecord(here) ? here[String(part)] : undefined), value);
}

/** The value found, as JSON; never any part of a secret. */
export function shown(value: unknown, secret: boolean): string {
    if (value === undefined) return "is missing";
    if (secret) return "found [secret]";
    const json = JSON.stringify(value);
    return `found ${json.length > 80 ? `${json.slice(0, 79)}…` : json}`;
}

/** The schema below all wrappers (defaults, optionals). */
export function bare(schema: unknown): unknown {
    let here = schema;
    while (here instanceof z.ZodDefault || here instanceof z.ZodPrefault || here instanceof z.ZodOptional)
        here = here.unwrap();
    return here;
}

/** The variant of a union that `kind` chose. */
export function optionOf({ options }: z.ZodDiscriminatedUnion, value: unknown): z.ZodObject | undefined {
    const chosen = isRecord(value) ? value["kind"] : undefined;
    return options
        .filter((option): option is z.ZodObject => option instanceof z.ZodObject)
        .find(({ shape }) => shape["kind"] instanceof z.ZodLiteral && shape["kind"].value === chosen);
}

/** Keys that are accepted at a path; of a union only those of the variant that `kind` chose. */
function keysAt(schema: unknown, path: Path, value: unknown): string[] {
    const here = bare(schema);
    if (here instanceof z.ZodDiscriminatedUnion) {
        const chosen = isRecord(value) ? value["kind"] : undefined;
        const variants = here.options.filter(
            (option): option is z.ZodObject =>
                option instanceof z.ZodObject &&
                option.shape["kind"] instanceof z.ZodLiteral &&
                (chosen === undefined || option.shape["kind"].value === chosen),
        );
        return [...new Set(variants.flatMap((variant) => keysAt(variant, path, value)))];
    }
    const [first, ...rest] = path;
    if (here instanceof z.ZodArray)
        return first === undefined
            ? []
            : keysAt(here.element, rest, Array.isArray(value) ? value[Number(first)] : undefined);
    if (!(here instanceof z.ZodObject)) return [];
    if (first === undefined) return Object.keys(here.shape);
    return keysAt(here.shape[String(first)], rest, isRecord(value) ? value[String(first)] : undefined);
}

const moved: Readonly<Record<string, string>> = { ...movedToAuth, ...movedToTracing };

function unknownKey(key: string, at: string, accepted: readonly string[]): Problem {
    const below = at.slice("orcheo:stack.".length);
    const now = Object.hasOwn(moved, below) ? moved[below] : undefined;
    if (now !== undefined) return { at, found: "is no longer a setting", remedy: `accepted instead: ${now}` };
    const guess = nearest(key, accepted);
    const hint = guess === undefined ? "" : `did you mean "${guess}"? `;
    return { at, found: "unknown key", remedy: `${hint}accepted here: ${accepted.join(", ")}` };
}

function acceptedBy(schema: z.ZodType, issue: z.core.$ZodIssue, value: unknown): string {
    // Of a record the key itself may be refused; the sentence is then one level down.
    if (issue.code === "invalid_key") return issue.issues[0]?.message ?? issue.message;
    const keys = issue.code === "invalid_type" ? keysAt(schema, issue.path, value) : [];
    return keys.length > 0 ? `an object with ${keys.join(", ")}` : issue.message.replace(/^Invalid input: /, "");
}

/**
 * Every problem of one value.
 *
 * @param secret  the value is marked secret: no part of it is shown
 */
export function problemsOf(schema: z.ZodType, error: z.ZodError, value: unknown, secret: boolean): Problem[] {
    const all = error.issues.flatMap((issue): Problem[] => {
        if (issue.code === "unrecognized_keys") {
            const accepted = keysAt(schema, issue.path, value);
            return issue.keys.map((key) => unknownKey(key, keyAt([...issue.path, key]), accepted));
        }
        const given = valueAt(value, issue.path);
        const found = issue.code === "custom" && given === undefined ? "left at its default" : shown(given, secret);
        return [{ at: keyAt(issue.path), found, remedy: `accepted: ${acceptedBy(schema, issue, value)}` }];
    });
    // Two checks of one field share their sentence.
    return all.filter(
        (one, index) => all.findIndex((other) => other.at === one.at && other.remedy === one.remedy) === index,
    );
}

/** `orcheo:policyExceptions` belongs to the policy pack, which checks it itself; read.ts checks the password. */
const projectKeys = ["orcheo:stack", "orcheo:policyExceptions", "orcheo:registryPassword"];

/** Problems of keys beside `orcheo:stack`. */
export function strayKeys(keys: readonly string[]): Problem[] {
    return keys
        .filter((key) => key.startsWith("orcheo:") && !projectKeys.includes(key))
        .map((key) => ({
            at: key,
            found: "unknown key",
            remedy: "accepted: orcheo:stack, orcheo:registryPassword (and orcheo:policyExceptions of the policy pack); write settings below it, as in orcheo:stack.host",
        }));
}

export const fileOf = (stack: string): string => `Pulumi.${stack}.yaml`;
