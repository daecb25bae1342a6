/**
 * Building blocks of the schema. Each field says what it accepts in one sentence, which the error message, the
 * generated docs/config.md and the type share.
 */
import { z } from "zod";
import { isUrlHost } from "./addresses";

/** A field whose error message is always the same sentence, starting with the accepted values. */
export function text(pattern: RegExp, accepted: string) {
    return z.string({ error: accepted }).regex(pattern, { error: accepted, abort: true }).meta({ accepted });
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
/** Short enough for a prefix that keeps it apart from the stack's own names. */
export const shortName = () =>
    text(/^[a-z0-9]([-a-z0-9]{0,48}[a-z0-9])?$/, "lower-case letters, digits and `-`, at most 50");
/** RFC 1123 subdomain, the name of most objects. */
export const objectName = () =>
    text(
        new RegExp(`^(?=.{1,253}$)${label}(\\.${label})*$`),
        "an object's name: lower-case letters, digits, `-` and `.`",
    );
/** The last label of a name is never a number: what looks like an address would be taken for one. */
export const hostName = () =>
    text(
        new RegExp(`^(?=.{1,253}$)(${label}\\.)+(?!\\d+$)${label}$`),
        "a host name such as orcheo.example.com, without scheme, port or path",
    );
/** DNS domain of a cluster, often a single label. */
export const domain = () =>
    text(
        new RegExp(`^(?=.{1,253}$)${label}(\\.${label})*$`),
        "a DNS domain such as cluster.local, without a dot in front",
    );
/** A semantic version that can be a label of Kubernetes. */
export const semver = () =>
    text(
        /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$/,
        "a semantic version such as 1.4.0 or 1.4.0-rc.1 (no `latest`, no leading `v`)",
    ).refine((version) => version.length <= 63 && !version.endsWith("-"), {
        error: "at most 63 characters, the last one a letter or a digit, as it becomes a label",
    });
/** `registry[:port]/path`, no tag. */
export const imagePrefix = () =>
    text(
        /^[a-z0-9.-]+(:\d+)?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)+$/,
        "a registry and a path without a tag, such as ghcr.io/team/orcheo",
    );
/** Where images come from, as a mirror replaces it: `registry[:port][/path]`. */
export const imageSource = () =>
    text(
        /^[a-z0-9.-]+(:\d+)?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*$/,
        "a registry, and a path if need be, such as docker.io or ghcr.io/team",
    );
/** A reference by digest: the pulled image cannot change without a change of the settings. */
export const pinnedImage = () =>
    text(
        /^[a-z0-9.-]+(:\d+)?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)+(:[\w][\w.-]{0,127})?@sha256:[0-9a-f]{64}$/,
        "an image by digest, such as ghcr.io/team/orcheo/api:1.4.0@sha256:<64 hex digits>",
    );
/** A URL that every client reads alike: neither credentials nor a fragment, a real host and port. */
const parsedUrl = (pattern: RegExp, accepted: string) =>
    text(pattern, accepted).refine((value) => isUrlHost(URL.parse(value)?.hostname ?? ""), { error: accepted });
export const httpsUrl = () => parsedUrl(/^https:\/\/[^\s/?#@\\]+(\/[^\s#]*)?$/, "an https:// URL");
export const url = () => parsedUrl(/^https?:\/\/[^\s/?#@\\]+(\/[^\s#]*)?$/, "an http:// or https:// URL");
/** `https://host[:port]`. */
export const origin = (accepted: string) => parsedUrl(/^https?:\/\/[^\s/?#@\\]+$/, accepted);
export const gitUrl = () => text(/^(https|ssh):\/\/\S+$/, "an https:// or ssh:// URL of a git repository");
export const words = (accepted: string) => text(/^\S(.*\S)?$/, accepted);
export const path = () => text(/^\S.*$/, "a path, absolute or relative to the project");
export const email = () =>
    z
        .email({ error: "an e-mail address" })
        .max(254, { error: "an e-mail address" })
        .meta({ accepted: "an e-mail address" });
export const secretKey = () => text(/^[-._a-zA-Z0-9]{1,253}$/, "a key of a Secret: letters, digits, `-`, `_` and `.`");
/** An ARN of one AWS service. */
export const arn = (service: "acm" | "iam" | "wafv2") => {
    const resource = { acm: "certificate", iam: "role", wafv2: "regional/webacl" }[service];
    const region = service === "iam" ? "" : "[a-z0-9-]+";
    return text(
        new RegExp(`^arn:aws[a-z-]*:${service}:${region}:\\d{12}:${resource}/[\\w+=,.@/-]+$`),
        `an ARN such as arn:aws:${service}:${service === "iam" ? "" : "eu-central-1"}:111122223333:${resource}/…`,
    );
};
export const environmentName = () => text(/^[A-Z][A-Z0-9_]*$/, "an environment variable such as ORCHEO_LOG_FORMAT");
export const labelKey = () =>
    text(
        new RegExp(`^((?=[^/]{1,253}/)${label}(\\.${label})*/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$`),
        "a label's key",
    );
/** A label that selects nothing of the stack's. */
export const freeLabelKey = () => {
    const accepted = "a label's key outside app.kubernetes.io/, which the stack sets itself";
    return labelKey()
        .refine((key) => !key.startsWith("app.kubernetes.io/"), { error: accepted })
        .meta({ accepted });
};
export const labelValue = () => text(/^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/, "a label's value");

/** Paths of the images' own files, and of the stack's mounts. */
const takenPaths = [
    ...["/data", "/dev", "/etc/orcheo", "/opt/orcheo", "/proc", "/run/secrets", "/srv/canvas", "/sys", "/tmp", "/usr"],
    ...["/var/lib/orcheo", "/var/lib/postgresql"],
];
/** A directory of a pod that nothing else uses. */
export const freeMountPath = () => {
    const accepted = `an absolute path apart from ${takenPaths.join(", ")}`;
    const within = (path: string, other: string): boolean => path === other || path.startsWith(`${other}/`);
    return z
        .string({ error: accepted })
        .refine(
            (path) =>
                /^(\/[\w.-]+)+$/.test(path) &&
                !path.split("/").includes("..") &&
                !takenPaths.some((taken) => within(path, taken) || within(taken, path)),
            { error: accepted },
        )
        .meta({ accepted });
};

/**
 * CPU, memory and disk of one container. The disk's limit follows from its scratch directories.
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
            ephemeralRequestMiB: whole(1, 524_288)
                .default(defaults.ephemeralRequestMiB)
                .describe("Disk set aside on the node for logs and scratch directories, MiB."),
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
    ephemeralRequestMiB: number;
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
