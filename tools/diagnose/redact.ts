/**
 * Removes secrets from whatever goes into the archive: by the values of the namespace's Secrets, in every usual encoding, and
 * by what the policy pack knows of secrets' names and formats. What is doubtful is removed.
 */
import { argumentsHoldSecret, fileHoldsSecret, holdsSecret, isNamedSecret } from "../../policies/secrets.ts";

const removed = "***";
const removedLine = "*** a line that looked like a secret was removed ***";

/** Keys of Secrets whose values are public, and stand in many harmless places. */
const publicKeys =
    /^(user(name)?|login|host(name)?|port|db(name)?|database|scheme|type|endpoint|region|bucket|ca\.crt|tls\.crt|ca-bundle\.crt|service\.beta.*)$/i;
/** A shorter value would stand in too many harmless words. */
const shortest = 4;
/** From this length on it counts within words, too. */
const distinct = 8;

/** Parts of a Secret's value that are secrets by themselves: the whole, its lines, passwords in URLs and in JSON. */
export function secretParts(key: string, value: string): readonly string[] {
    const text = value.trim();
    const parts = publicKeys.test(key) ? [] : [text];
    const lines = text.split("\n").map((line) => line.trim());
    if (!publicKeys.test(key) && lines.length > 1)
        parts.push(...lines.filter((line) => line.length >= 16 && !line.startsWith("-----")));
    for (const [, password = ""] of text.matchAll(/:\/\/[^\s:/@]*:([^\s@]+)@/g))
        parts.push(password, decoded(password));
    for (const [, password = ""] of text.matchAll(/(?:password|passwd|pwd|secret|token)=([^\s&;"']+)/gi))
        parts.push(password);
    try {
        parts.push(...leaves(JSON.parse(text)));
    } catch {
        // Most values are no JSON.
    }
    return parts;
}

/** Texts of a JSON document such as a registry's credentials; names of users are none. */
function leaves(value: unknown, key = ""): readonly string[] {
    if (typeof value === "string") return publicKeys.test(key) ? [] : [value];
    if (typeof value !== "object" || value === null) return [];
    return Object.entries(value).flatMap(([name, each]) => leaves(each, name));
}

function decoded(text: string): string {
    try {
        return decodeURIComponent(text);
    } catch {
        return text;
    }
}

export interface Redactor {
    /** A log or another text. */
    text(text: string): string;
    /** An object of the cluster. */
    object(value: unknown): unknown;
    /** Whether a known secret is still in it. */
    finds(text: string): boolean;
}

/** @param secrets  values of Secrets with their keys */
export function redactor(secrets: readonly (readonly [key: string, value: string])[]): Redactor {
    const values = [...new Set(secrets.flatMap(([key, value]) => secretParts(key, value)))].filter(
        (value) => value.length >= shortest && !/^(true|false|null|none|[0-9]{1,5})$/i.test(value),
    );
    const forms = [...new Set(values.flatMap(encodings))].sort((a, b) => b.length - a.length);
    const known = forms.map((form) => {
        const source = form.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
        return new RegExp(form.length < distinct ? `(?<![A-Za-z0-9])${source}(?![A-Za-z0-9])` : source, "g");
    });
    const isKnown = (text: string): boolean => known.some((each) => new RegExp(each.source).test(text));
    const withoutKnown = (text: string): string => {
        const plain = known.reduce((line, each) => line.replace(each, removed), text);
        return plain.replace(encodedTokens, (token) => {
            const inside = insideOf(token);
            return inside !== undefined && (isKnown(inside) || holdsSecret(inside)) ? removed : token;
        });
    };
    const finds = (text: string): boolean =>
        isKnown(text) || (text.match(encodedTokens) ?? []).some((token) => isKnown(insideOf(token) ?? ""));
    const line = (text: string): string => {
        const clean = patterns.reduce((rest, pattern) => rest.replace(pattern, `$1${removed}`), withoutKnown(text));
        const rest = clean.replaceAll(removed, "");
        return holdsSecret(rest) || argumentsHoldSecret(rest) || fileHoldsSecret(rest) ? removedLine : clean;
    };
    const text = (value: string): string =>
        withoutKeys(known.reduce((rest, each) => rest.replace(each, removed), value))
            .split("\n")
            .map(line)
            .join("\n");
    const object = (value: unknown, name = ""): unknown => {
        if (typeof value === "string") {
            const clean = name !== "" && isNamedSecret(name, value) ? removed : text(value);
            // A name on one line and its value on the next.
            return fileHoldsSecret(clean.replaceAll(removedLine, "").replaceAll(removed, "")) ? removed : clean;
        }
        if (Array.isArray(value)) return list(name, value as unknown[]);
        if (typeof value !== "object" || value === null) return value;
        const { name: own, value: worth } = value as { name?: unknown; value?: unknown };
        // A variable of a container.
        if (typeof own === "string" && typeof worth === "string") return { ...value, value: object(worth, own) };
        return Object.fromEntries(
            Object.entries(value)
                .filter(([key]) => !omitted.includes(key))
                .map(([key, each]) => [key, object(each, key)]),
        );
    };
    const list = (name: string, items: readonly unknown[]): unknown => {
        const words = ["args", "command"].includes(name) && items.every((each) => typeof each === "string");
        // A flag and its value are two words: which of them is the secret, only the program knows.
        if (words && argumentsHoldSecret(items.join(" "))) return items.map(() => removed);
        return items.map((each) => object(each));
    };
    return { text, object: (value) => object(value), finds };
}

/** Copies of whole objects, which say nothing that is not said elsewhere. */
const omitted = ["managedFields", "kubectl.kubernetes.io/last-applied-configuration"];

/** Of lines that others than our images wrote: these remove more (images/backend/orcheo_runtime/redact.py). */
const patterns = [
    /((?:access_token|token|password|secret|api_?key|sig|code)=)[^&\s"']+/gi,
    /(\b(?:Bearer|Basic)[ .])[\w.~+/=-]+/gi,
    /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*:)\S+(?=@)/gi,
    /((?:^|["'\s])(?:set-)?cookie["']?\s*[:=]\s*["']?)[^"'\n]+/gi,
];

/** `user:password` in base64, as headers have it, is no encoding of the password alone: what decodes to a secret is one. */
const encodedTokens = /[A-Za-z0-9+/_-]{12,}={0,2}/g;

/** Undefined when it is no text. */
function insideOf(token: string): string | undefined {
    const inside = Buffer.from(token, "base64").toString("utf8");
    return /^[^\p{C}\ufffd]+$/u.test(inside.replaceAll(/\s/g, "")) ? inside : undefined;
}

const withoutKeys = (text: string): string =>
    text.replace(
        /-----BEGIN ([A-Z ]*PRIVATE KEY)-----[^]*?(?:-----END \1-----|$)/g,
        "*** a private key was removed ***",
    );

const encodings = (value: string): readonly string[] => {
    const base64 = Buffer.from(value).toString("base64");
    return [
        ...[value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)],
        ...[
            base64,
            base64.replace(/=+$/, ""),
            Buffer.from(value).toString("base64url"),
            Buffer.from(value).toString("hex"),
        ],
    ].filter((form) => form.length >= shortest);
};
