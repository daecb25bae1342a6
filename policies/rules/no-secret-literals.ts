import type { ContainerRule } from "../rule.ts";
import { at, list, text } from "../values.ts";

// The same expressions for JavaScript and CEL (RE2), which takes "(?i)" where JavaScript takes a flag.
const names =
    "(password|passwd|secret|token|api_?key|private_?key|access_?key|encryption_?key|signing_?key|credential)s?";
const harmlessNames = "_(file|path|dir|url|name|mode|backend|issuer|audience|enabled|seconds|minutes|ttl|id)$";
const harmlessValues = "^(true|false|[0-9]{1,6}|/.*|\\\\$\\\\(.*\\\\))?$";
const secretValues =
    "://[^/@:\\\\s]*:[^/@\\\\s$]+@|(AKIA|ASIA)[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY-----|gh[pousr]_[0-9A-Za-z]{36}";
// In all the words of a command together: a flag and its value may be one word or two. The name of a Secret is none.
const secretArguments =
    "(^|\\\\s)--?[a-z-]*((password|passwd|secret|token|api-?key)=[^$/]|(password|passwd|token|api-?key) [^-$/'\\\\x22\\\\s])";

// The literals are written for CEL strings; JavaScript needs one level of escaping less.
const js = (source: string, flags = ""): RegExp => new RegExp(source.replaceAll("\\\\", "\\"), flags);
const [name, harmlessName, harmlessValue, secretValue, secretArgument] = [
    js(names, "i"),
    js(harmlessNames, "i"),
    js(harmlessValues),
    js(secretValues),
    js(secretArguments, "i"),
];

/** Whether a value under a name is a secret as far as one can tell. */
export const looksSecret = (key: string, value: string): boolean =>
    secretValue.test(value) || (name.test(key) && !harmlessName.test(key) && !harmlessValue.test(value));

const namesCel =
    `c.?env.orValue([]).filter(e, e.?value.orValue("").matches("${secretValues}") || (` +
    `e.name.matches("(?i)${names}") && !e.name.matches("(?i)${harmlessNames}") && ` +
    `!e.?value.orValue("").matches("${harmlessValues}"))).map(e, "env " + e.name)`;
const argumentsCel = ["command", "args"]
    .map(
        (part) =>
            `([c.?${part}.orValue([]).join(" ")].exists(a, a.matches("${secretValues}") || a.matches("(?i)${secretArguments}")) ` +
            `? ["${part}"] : [])`,
    )
    .join(" + ");
const offenders = `(${namesCel} + ${argumentsCel})`;

export const noSecretLiterals: ContainerRule = {
    name: "no-secret-literals",
    level: "mandatory",
    scope: "container",
    containers: "all",
    description: "A literal in the pod spec is read by everyone who may read pods, and it stays in etcd and in logs.",
    remedy: "Keep it in a Secret and mount that as a file.",
    reference: {
        title: "Kubernetes: good practices for Secrets",
        url: "https://kubernetes.io/docs/concepts/security/secrets-good-practices/",
    },
    found(container) {
        // Never the value: messages end up in logs.
        const env = list(at(container.spec, "env")).filter((each) =>
            looksSecret(text(at(each, "name")) ?? "", text(at(each, "value")) ?? ""),
        );
        const parts = ["command", "args"].filter((part) => {
            const given = at(container.spec, part);
            // A word that is not known yet stands for one that is no secret.
            const words = Array.isArray(given) ? given.map((word) => text(word) ?? "$").join(" ") : "";
            return secretValue.test(words) || secretArgument.test(words);
        });
        const all = [...env.map((each) => `env ${text(at(each, "name")) ?? ""}`), ...parts];
        return all.length > 0 ? `holds what looks like a secret in ${all.join(", ")}` : undefined;
    },
    cel: { broken: `${offenders}.size() > 0`, found: `"holds what looks like a secret in " + ${offenders}.join(", ")` },
};
