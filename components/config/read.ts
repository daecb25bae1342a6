/** Reads a stack's settings: parsed once, every problem at once. */
import { contradictions } from "./contradictions";
import { ConfigError, problemsOf, shown, strayKeys, type Problem } from "./problems";
import { stackSchema, type Stack } from "./schema";

/** What Pulumi knows of a stack's configuration. */
export interface RawConfig {
    /** Stack name; the file is Pulumi.<stack>.yaml. */
    readonly stack: string;
    /** All keys, such as `orcheo:stack` and `kubernetes:context`. */
    readonly keys: readonly string[];
    /** JSON of `orcheo:stack`. */
    readonly json: string | undefined;
    /** `orcheo:stack` holds a value that is marked secret. */
    readonly secret: boolean;
}

export const fileOf = (stack: string): string => `Pulumi.${stack}.yaml`;

/**
 * The settings, or every problem with them.
 *
 * Contradictions between sections can only be seen once each section is understood.
 */
export function parseStack(raw: RawConfig): { stack?: Stack; problems: Problem[] } {
    const stray = strayKeys(raw.keys);
    if (raw.json === undefined) {
        const remedy =
            "accepted: the settings listed in docs/config.md, at least kubernetes.context, registry.prefix and version";
        return { problems: [...stray, { at: "orcheo:stack", found: "is missing", remedy }] };
    }
    const value = parseJson(raw.json);
    if (value === undefined) {
        const remedy = "accepted: an object; see docs/config.md";
        return { problems: [...stray, { at: "orcheo:stack", found: shown(raw.json, raw.secret), remedy }] };
    }
    const parsed = stackSchema.safeParse(value);
    if (!parsed.success) return { problems: [...stray, ...problemsOf(stackSchema, parsed.error, value, raw.secret)] };
    return { stack: parsed.data, problems: [...stray, ...contradictions(parsed.data)] };
}

/** @throws ConfigError with every problem */
export function orThrow({ stack, problems }: { stack?: Stack; problems: readonly Problem[] }, file: string): Stack {
    if (stack === undefined || problems.length > 0) throw new ConfigError(file, problems);
    return stack;
}

function parseJson(json: string): object | undefined {
    try {
        const value: unknown = JSON.parse(json);
        return typeof value === "object" && value !== null ? value : undefined;
    } catch {
        return undefined;
    }
}
