/** Reads a stack's settings: parsed once, every problem at once. */
import { derivationsOf, derivedFrom } from "../config/derived";
import { madeByAws } from "../config/kinds";
import { lazily, understood, unlessRefused } from "../config/partial";
import { problemsOf, shown, strayKeys, type Problem } from "../config/problems";
import { stackSchema, type Settings, type Stack, type Sections } from "../config/schema";
import type { Aws } from "../config/schema.aws";
import { evaluated, rules } from "./conflicts";

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
    /** Those of `keys` that are marked secret. */
    readonly secretKeys?: readonly string[];
}

export interface Parsed {
    /** Undefined when a setting is refused. */
    readonly stack?: Stack;
    /** The sections that are valid nevertheless: their environment can still be checked. */
    readonly sections: Partial<Sections>;
    readonly problems: readonly Problem[];
}

/** The settings, or every problem with them. */
export function parseStack(raw: RawConfig): Parsed {
    const stray = strayKeys(raw.keys);
    if (raw.json === undefined) {
        const remedy =
            "accepted: the settings listed in docs/config.md, at least kubernetes.context, registry.prefix and version";
        return { sections: {}, problems: [...stray, { at: "orcheo:stack", found: "is missing", remedy }] };
    }
    const value = parseJson(raw.json);
    if (value === undefined) {
        const remedy = "accepted: an object; see docs/config.md";
        return {
            sections: {},
            problems: [...stray, { at: "orcheo:stack", found: shown(raw.json, raw.secret), remedy }],
        };
    }
    const parsed = stackSchema.safeParse(value);
    if (!parsed.success) {
        const refused = problemsOf(stackSchema, parsed.error, value, raw.secret);
        const others = found(partOf(value), raw).filter(({ at }) => !refused.some((each) => each.at === at));
        return { sections: sectionsOf(value), problems: [...stray, ...refused, ...others] };
    }
    const stack: Stack = { ...parsed.data, ...derivedFrom(parsed.data) };
    return { stack, sections: parsed.data, problems: [...stray, ...found(stack, raw)] };
}

/** The valid part of refused settings: rules that read anything else are skipped. */
function partOf(value: object): Stack {
    const settings = understood(stackSchema, value)?.value as Settings;
    const derived = derivationsOf(settings);
    const given = (Object.keys(stackSchema.shape) as (keyof Settings)[])
        .filter((key) => !(key in derived))
        .map((key) => [key, () => settings[key]] as const);
    return lazily([...given, ...Object.entries(derived)]) as Stack;
}

/** Problems of settings that are each accepted. */
const found = (stack: Stack, raw: RawConfig): Problem[] =>
    evaluated(stack, [
        (settings) => registryPassword(settings, raw),
        ...rules,
        ...(raw.secret ? [] : [urlsInTheClear]),
    ]);

/** A URL with its password belongs into the encrypted part of the file. */
function urlsInTheClear(stack: Pick<Stack, "cache" | "database">): Problem[] {
    return (["database", "cache"] as const).flatMap((server) => {
        const settings = stack[server];
        if (settings.kind !== "external" || settings.url.kind !== "value") return [];
        const at = `orcheo:stack.${server}.url.value`;
        const remedy = `set it with: pulumi config set --secret --path ${at}`;
        return [{ at, found: "is not encrypted", remedy }];
    });
}

/** The password has its own key: one secret within orcheo:stack would mark all settings as secret. */
function registryPassword({ registry }: Pick<Stack, "registry">, { keys, secretKeys = [] }: RawConfig): Problem[] {
    const at = "orcheo:registryPassword";
    const remedy = `accepted: the password of orcheo:stack.registry.pull.username, set with pulumi config set --secret ${at}`;
    const wanted = registry.pull.kind === "credentials";
    if (!keys.includes(at)) return wanted ? [{ at, found: "is missing", remedy }] : [];
    if (!secretKeys.includes(at)) return [{ at, found: "found in plain text", remedy }];
    const unused = `accepted only with orcheo:stack.registry.pull.kind "credentials", which is "${registry.pull.kind}"`;
    return wanted ? [] : [{ at, found: "is not used", remedy: unused }];
}

function sectionsOf(value: object): Partial<Sections> {
    const {
        kubernetes,
        registry,
        release,
        images,
        rollbackTo,
        host,
        entrance,
        network,
        outbound,
        database,
        cache,
        aws,
        backup,
        auth,
        canvas,
    } = stackSchema.shape;
    const given = new Map<string, unknown>(Object.entries(value));
    return {
        ...(meansContext(given.get("aws")) && { kubernetes: kubernetes.safeParse(given.get("kubernetes")).data }),
        registry: registry.safeParse(given.get("registry")).data,
        images: images.safeParse(given.get("images")).data,
        release: release.safeParse(given.get("release")).data,
        rollbackTo: rollbackTo.safeParse(given.get("rollbackTo")).data,
        host: host.safeParse(given.get("host")).data,
        network: network.safeParse(given.get("network")).data,
        entrance: entrance.safeParse(given.get("entrance")).data,
        outbound: outbound.safeParse(given.get("outbound")).data,
        database: database.safeParse(given.get("database")).data,
        cache: cache.safeParse(given.get("cache")).data,
        aws: aws.safeParse(given.get("aws")).data,
        backup: backup.safeParse(given.get("backup")).data,
        auth: auth.safeParse(given.get("auth")).data,
        canvas: canvas.safeParse(given.get("canvas")).data,
    };
}

/** Whether the cluster is that of `kubernetes.context`, which may be looked at; refused settings of AWS may mean another one. */
function meansContext(given: unknown): boolean {
    const aws = understood(stackSchema.shape.aws, given);
    return aws !== undefined && unlessRefused(() => !madeByAws({ aws: aws.value as Aws | undefined }), false);
}

function parseJson(json: string): object | undefined {
    try {
        const value: unknown = JSON.parse(json);
        return typeof value === "object" && value !== null ? value : undefined;
    } catch {
        return undefined;
    }
}
