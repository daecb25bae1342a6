import { allContainers } from "../pod-bounds.ts";
import type { ContainerRule } from "../rule.ts";
import { argumentsHoldSecret, expressions, looksSecret } from "../secrets.ts";
import { at, list, text } from "../values.ts";

/** An expression as a CEL literal; JSON's escapes are CEL's. */
const cel = (source: string): string => JSON.stringify(source);
const {
    formats,
    argumentFormats,
    passwordNames,
    camelNames,
    tokenNames,
    keyNames,
    harmlessKeys,
    harmlessEnds,
    harmlessParts,
    harmlessValues,
    variableNames,
    harmlessTokens,
    anyName,
} = expressions;

// CEL charges for a match by the length of text and expression; there is a budget for each variable and one for all of them,
// and the API server evaluates them twice: for the verdict and, even if nothing is wrong, for the message.
// So texts of no more than this are searched, as one; of more of them only the short ones; of more of those none.
export const mostCharacters = 28_000;
const shortText = 256;
/** The same for the names that are worth a closer look. */
const mostNameCharacters = 16_000;
const mostNames = 800;

const env = "c.?env.orValue([])";
const value = `e.?value.orValue("")`;
const words = (part: string): string => `c.?${part}.orValue([]).join(" ")`;
const wordsSize = (part: string): string => `c.?${part}.orValue([]).map(w, w.size() + 1).sum()`;
const isSearched = (size: string): string => `(${size} <= variables.longest)`;
const searchedWords = (part: string): string => `(${isSearched(wordsSize(part))} ? ${words(part)} : "")`;
const total = (most: number): string =>
    `${allContainers}.map(c, ${env}.map(e, ${value}.size() <= ${most} ? ${value}.size() + 1 : 0).sum() + ` +
    `${["command", "args"].map((part) => `(${wordsSize(part)} <= ${most} ? ${wordsSize(part)} : 0)`).join(" + ")}).sum()`;
const every = [...formats, ...argumentFormats];
const hot = every.map((_, index) => `variables.hot${index}`).join(" || ");

/** Variables of the policy: each has its own budget. */
const variables: Readonly<Record<string, string>> = {
    longest: `${total(mostCharacters)} <= ${mostCharacters} ? ${mostCharacters} : ${total(shortText)} <= ${mostCharacters} ? ${shortText} : -1`,
    text:
        `${allContainers}.map(c, ${env}.filter(e, ${isSearched(`${value}.size()`)}).map(e, ${value}).join("\\n") + "\\n" + ` +
        `${searchedWords("command")} + "\\n" + ${searchedWords("args")}).join("\\n")`,
    ...Object.fromEntries(every.map((each, index) => [`hot${index}`, `variables.text.matches(${cel(each)})`])),
    names:
        `${allContainers}.map(c, ${env}.map(e, e.name).join("\\n")).join("\\n").split("\\n")` +
        `.filter(n, n.size() <= ${shortText} && n.matches(${cel(anyName)}))`,
    candidates: `variables.names.size() <= ${mostNames} && variables.names.join("").size() <= ${mostNameCharacters} ? variables.names : []`,
    passwords: `variables.candidates.filter(n, n.matches(${cel(passwordNames)}) || n.matches(${cel(camelNames)}))`,
    tokens: `variables.candidates.filter(n, n.matches(${cel(tokenNames)}))`,
    keys: `variables.candidates.filter(n, n.matches(${cel(keyNames)}))`,
    telling: `(variables.passwords + variables.tokens + variables.keys).filter(n, !n.matches(${cel(harmlessParts)}))`,
    secretNames: `variables.telling.filter(n, !n.matches(${cel(harmlessEnds)}))`,
};

const byName =
    `(e.name in variables.secretNames && (${value}.size() > 1024 || (!${value}.matches(${cel(harmlessValues)}) && ` +
    `!${value}.matches(${cel(variableNames)}) && (e.name in variables.passwords || (!${value}.matches(${cel(harmlessTokens)}) && ` +
    `(e.name in variables.tokens || !${value}.matches(${cel(harmlessKeys)})))))))`;
const matchesOne = (what: string, sources: readonly string[], first = 0): string =>
    sources.map((source, index) => `(variables.hot${first + index} && ${what}.matches(${cel(source)}))`).join(" || ");
const connection = formats.length - 1;
const byValue =
    `(${isSearched(`${value}.size()`)} && (${matchesOne(value, formats.slice(0, connection))} || ` +
    `(!${value}.contains("\\n") && ${matchesOne(value, formats.slice(connection), connection)})))`;
const inWords = ["command", "args"]
    .map(
        (part) =>
            `([${searchedWords(part)}].exists(a, ${matchesOne("a", formats)} || ` +
            `${matchesOne("a", argumentFormats, formats.length)}) ? ["${part}"] : [])`,
    )
    .join(" + ");
const suspicious = `(variables.secretNames.size() > 0 || ${hot})`;
const offenders = `(${env}.filter(e, ${byName} || ${byValue}).map(e, "env " + e.name) + ${inWords})`;

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
            return argumentsHoldSecret(words);
        });
        const all = [...env.map((each) => `env ${text(at(each, "name")) ?? ""}`), ...parts];
        return all.length > 0 ? `holds what looks like a secret in ${all.join(", ")}` : undefined;
    },
    cel: {
        variables: () => variables,
        broken: `${suspicious} && ${offenders}.size() > 0`,
        found: `"holds what looks like a secret in " + ${offenders}.join(", ")`,
    },
};
