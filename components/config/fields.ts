/**
 * Building blocks of the schema. Each field says what it accepts in one sentence, which the error message, the
 * generated docs/config.md and the type share.
 */
import { z } from "zod";

/** A field that refuses everything with the same sentence, which starts with what is accepted. */
export function text(pattern: RegExp, accepted: string) {
    return z.string({ error: accepted }).regex(pattern, { error: accepted }).meta({ accepted });
}

/** A whole number between two bounds. Units belong in the key's name. */
export function whole(min: number, max: number) {
    const accepted = `a whole number from ${min} to ${max}`;
    return z.int({ error: accepted }).min(min, { error: accepted }).max(max, { error: accepted }).meta({ accepted });
}

export function flag() {
    return z.boolean({ error: "true or false" }).meta({ accepted: "true or false" });
}

export function choice<const T extends readonly [string, ...string[]]>(values: T) {
    const accepted = values.map((value) => `"${value}"`).join(" or ");
    return z.enum(values, { error: accepted }).meta({ accepted });
}

/** A union over `kind`: contradictory settings cannot be written. */
export function oneOf<const T extends readonly [z.ZodObject, ...z.ZodObject[]]>(options: T) {
    const kinds = options.map((option) => {
        const kind: unknown = option.shape["kind"];
        return kind instanceof z.ZodLiteral ? `"${String(kind.value)}"` : "";
    });
    // `error` reaches an unknown kind; an unknown key inside keeps its own message.
    return z.discriminatedUnion("kind", options, { error: kinds.join(" or ") });
}

export const kind = <const T extends string>(value: T) => z.literal(value);

const label = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?";

/** RFC 1123 label, the name of a namespace, an issuer, a Secret. */
export const name = () => text(new RegExp(`^${label}$`), "lower-case letters, digits and `-`, at most 63");
/** Key of a Secret or ConfigMap. */
export const dataKey = () => text(/^[A-Za-z0-9._-]{1,253}$/, "a key such as ca.crt");
export const hostName = () =>
    text(
        new RegExp(`^(?=.{1,253}$)${label}(\\.${label})+$`),
        "a host name such as orcheo.example.com, without scheme, port or path",
    );
export const semver = () =>
    text(
        /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$/,
        "a semantic version such as 1.4.0 or 1.4.0-rc.1 (no `latest`, no leading `v`)",
    );
/** `registry[:port]/path`, no tag. */
export const imagePrefix = () =>
    text(
        /^[a-z0-9.-]+(:\d+)?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)+$/,
        "a registry and a path without a tag, such as ghcr.io/team/orcheo",
    );
/** A reference by digest: what is pulled cannot change behind the deployment's back. */
export const pinnedImage = () =>
    text(
        /^[a-z0-9.-]+(:\d+)?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)+(:[\w][\w.-]{0,127})?@sha256:[0-9a-f]{64}$/,
        "an image by digest, such as ghcr.io/team/orcheo/api:1.4.0@sha256:<64 hex digits>",
    );
export const httpsUrl = () => text(/^https:\/\/[^\s/?#@]+(\/[^\s]*)?$/, "an https:// URL");
export const url = () => text(/^https?:\/\/[^\s/?#@]+(\/[^\s]*)?$/, "an http:// or https:// URL");
export const gitUrl = () => text(/^(https|ssh):\/\/\S+$/, "an https:// or ssh:// URL of a git repository");
export const words = (accepted: string) => text(/^\S(.*\S)?$/, accepted);
export const path = () => text(/^\S.*$/, "a path, absolute or relative to the project");
export const cidr = () =>
    text(/^(\d{1,3}(\.\d{1,3}){3}\/([0-9]|[12]\d|3[0-2])|[0-9a-f:]+\/\d{1,3})$/i, "a CIDR such as 10.20.0.0/16");
export const environmentName = () => text(/^[A-Z][A-Z0-9_]*$/, "an environment variable such as ORCHEO_LOG_FORMAT");
export const labelKey = () => text(/^([a-z0-9.-]+\/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/, "a label's key");
export const labelValue = () => text(/^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/, "a label's value");

/**
 * CPU and memory of one container.
 *
 * @throws (as a config problem) when a request exceeds its limit
 */
export function resources(defaults: Resources) {
    return z
        .strictObject({
            cpuRequestMillis: whole(10, 64_000)
                .default(defaults.cpuRequestMillis)
                .describe("CPU set aside, thousandths of a core."),
            cpuLimitMillis: whole(10, 64_000)
                .default(defaults.cpuLimitMillis)
                .describe("CPU at most, thousandths of a core."),
            memoryRequestMiB: whole(16, 524_288).default(defaults.memoryRequestMiB).describe("Memory set aside, MiB."),
            memoryLimitMiB: whole(16, 524_288)
                .default(defaults.memoryLimitMiB)
                .describe("Memory at most, MiB; above it the container is killed."),
        })
        .superRefine((value, context) => {
            atMost(value, "cpuRequestMillis", "cpuLimitMillis", context);
            atMost(value, "memoryRequestMiB", "memoryLimitMiB", context);
        })
        .prefault({});
}

export interface Resources {
    cpuRequestMillis: number;
    cpuLimitMillis: number;
    memoryRequestMiB: number;
    memoryLimitMiB: number;
}

/** Reports `low` when it exceeds `high`, with both values. */
export function atMost<K extends string>(
    value: Readonly<Record<K, number>>,
    low: K,
    high: K,
    context: { addIssue(issue: { code: "custom"; path: string[]; message: string }): void },
): void {
    if (value[low] <= value[high]) return;
    context.addIssue({ code: "custom", path: [low], message: `at most ${high}, which is ${value[high]}` });
}
