/** Asks cosign whether images are signed, and reads its answers. */
import { spawnSync } from "node:child_process";
import { isAbsolute } from "node:path";

import type { Settings } from "./rule.ts";
import { at, list, text } from "./values.ts";

/** Whose signature counts: a key's, or that of an identity to which an issuer gave a certificate. */
export type Signer =
    | { readonly kind: "key"; readonly key: string }
    | { readonly kind: "identity"; readonly identity: string; readonly issuer: string };

/** One call of cosign. */
export interface Question {
    readonly args: readonly string[];
    readonly env: Readonly<Record<string, string>>;
}

export interface Answer {
    /** Undefined when cosign accepted the image; else the last error that it printed. */
    readonly refused?: string | undefined;
    readonly printed: string;
}

// How cosign names its own signatures: since bundles, and before.
const SIGNATURE_TYPES = ["https://sigstore.dev/cosign/sign/v1", "cosign container image signature"];
const SPDX = "https://spdx.dev/Document";
const PEM = "-----BEGIN PUBLIC KEY-----";
const REMOTE_KEY = /^[a-z0-9]+:\/\//;
const LOOPBACK = /^(127\.[0-9.]+|localhost|\[::1\])(:\d+)?\//;

/** Why nothing can be asked with these settings; undefined when it can. */
export function settingsProblem(key: string, identity: string, issuer: string): string | undefined {
    if (key !== "" && identity !== "") return "has both `key` and `identity`; set one of them";
    if (identity !== "" && issuer === "") return "has an `identity` without its `issuer`";
    if (key === "" || key.includes(PEM) || REMOTE_KEY.test(key) || isAbsolute(key)) return undefined;
    return `has the key "${key}"; accepted: a public key in PEM, an absolute path (the engine starts the pack in a folder of its own), or a KMS reference such as awskms:///alias/cosign`;
}

/** Undefined: nobody's signature is asked for. A text: what is wrong with the settings. */
export function signerOf(settings: Settings): Signer | string | undefined {
    const setting = (name: string): string => text(settings[name]) ?? "";
    const [key, identity, issuer] = [setting("key"), setting("identity"), setting("issuer")];
    if (key === "" && identity === "") return undefined;
    const signer: Signer = key === "" ? { kind: "identity", identity, issuer } : { kind: "key", key };
    return settingsProblem(key, identity, issuer) ?? signer;
}

/** In cosign's words; `*` of an identity stands for any text. */
function signerArgs(signer: Signer): Question {
    if (signer.kind === "identity") {
        const pattern = signer.identity.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");
        const identity = ["--certificate-identity-regexp", `^${pattern}$`, "--certificate-oidc-issuer", signer.issuer];
        return { args: identity, env: {} };
    }
    // With a key of one's own there is no entry in a public log.
    const args = (key: string): readonly string[] => ["--key", key, "--insecure-ignore-tlog=true"];
    if (signer.key.includes(PEM))
        return { args: args("env://IMAGE_SIGNED_KEY"), env: { IMAGE_SIGNED_KEY: signer.key } };
    return { args: args(signer.key), env: {} };
}

/** What to ask about an image: whether it is signed, and whether its SBOM is. */
export function questionsOf(image: string, signer: Signer): { readonly signature: Question; readonly sbom: Question } {
    const { args, env } = signerArgs(signer);
    const all = [...args, ...(LOOPBACK.test(image) ? ["--allow-http-registry"] : []), image];
    return {
        signature: { args: ["verify", ...all], env },
        sbom: { args: ["verify-attestation", "--type", "spdxjson", ...all], env },
    };
}

/** The values of a text of JSON documents, one a line. */
function documentsOf(printed: string): readonly unknown[] {
    return printed
        .split("\n")
        .filter((line) => /^[[{]/.test(line))
        .flatMap((line): readonly unknown[] => [JSON.parse(line)].flat());
}

/** The statements that `cosign verify-attestation` printed. */
export const statementsOf = (printed: string): readonly unknown[] =>
    documentsOf(printed).map((each): unknown =>
        JSON.parse(Buffer.from(text(at(each, "payload")) ?? "", "base64").toString() || "null"),
    );

/** Why the image is not signed: `cosign verify` also accepts one of which only an attestation is. */
export function signatureProblem({ refused, printed }: Answer): string | undefined {
    if (refused !== undefined) return `has no valid signature (${refused})`;
    const types = documentsOf(printed).map((each) => text(at(each, "critical", "type")) ?? "");
    if (types.some((type) => SIGNATURE_TYPES.includes(type))) return undefined;
    return `has no signature, only signed attestations (${types.join(", ")})`;
}

/** Why the image has no SBOM that counts: one about this very image, with packages in it. */
export function sbomProblem({ refused, printed }: Answer, digest: string): string | undefined {
    if (refused !== undefined) return `has no signed SBOM (${refused})`;
    const [algorithm = "", value = ""] = digest.split(":");
    const counts = statementsOf(printed).some(
        (statement) =>
            at(statement, "predicateType") === SPDX &&
            list(at(statement, "subject")).some((subject) => at(subject, "digest", algorithm) === value) &&
            list(at(statement, "predicate", "packages")).length > 0,
    );
    return counts ? undefined : "has a signed SBOM without packages, or of another image";
}

const answers = new Map<string, Answer>();

/** The answer of cosign on the PATH; an image that several workloads use is asked about once. */
export function ask({ args, env }: Question): Answer {
    const key = JSON.stringify([args, env]);
    const known = answers.get(key) ?? answerOf(args, env);
    answers.set(key, known);
    return known;
}

function answerOf(args: readonly string[], env: Question["env"]): Answer {
    const options = { encoding: "utf8", env: { ...process.env, ...env }, timeout: 60_000, maxBuffer: 1 << 28 } as const;
    const { status, stdout, stderr, error } = spawnSync("cosign", args, options);
    if (error !== undefined) return { refused: `cosign cannot be run: ${error.message}`, printed: "" };
    if (status === 0) return { printed: stdout };
    const errors = stderr.split("\n").filter((line) => /^error/i.test(line));
    const [said = `exit code ${status ?? "?"}`] = errors;
    return { refused: `cosign: ${said.replace(/^Error: /, "").replace(/:? +$/, "")}`, printed: "" };
}
