/** Secrets and innocent look-alikes: which are found. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { examples } from "../../components/config/examples.ts";
import { evaluate } from "../../policies/evaluate.ts";
import { mostCharacters, noSecretLiterals } from "../../policies/rules/no-secret-literals.ts";
import { noSecretsInConfigMaps } from "../../policies/rules/no-secrets-in-config-maps.ts";
import { argumentsHoldSecret, expressions, fileHoldsSecret, isNamedSecret } from "../../policies/secrets.ts";
import { asResource } from "./cases.ts";
import { compliant, container, templateOf, tokenOf } from "./pods.ts";
import { programInnocents, programSecrets } from "./secret-corpus-programs.ts";
import { moreInnocents, moreSecrets } from "./secret-corpus-second.ts";
import { vendorInnocents, vendorSecrets } from "./secret-corpus-vendors.ts";
import { innocents, secrets, type Sample } from "./secret-corpus.ts";

const all = {
    secrets: [...secrets, ...programSecrets, ...vendorSecrets, ...moreSecrets],
    innocents: [...innocents, ...programInnocents, ...vendorInnocents, ...moreInnocents],
};
/** A kubeadm token looks like a host name, and *_TOKEN_ID mostly holds an identifier. */
const missed = ["env VALUE=0924c3.b3c0f257030e9439", "env VAULT_DEV_ROOT_TOKEN_ID=root"];

function messages({ where, name, value }: Sample): readonly string[] {
    if (where === "file") {
        const props = { metadata: { name: "c" }, data: { [name]: value } };
        return evaluate(noSecretsInConfigMaps, asResource({ type: "kubernetes:core/v1:ConfigMap", name: "c", props }));
    }
    const manifest = compliant("Deployment");
    const held = where === "env" ? { env: [{ name, value }] } : { args: value.split(" ") };
    templateOf(manifest)["spec"] = { containers: [{ ...container("main"), ...held }] };
    return evaluate(noSecretLiterals, asResource({ type: tokenOf(manifest), name: "d", props: manifest }));
}

const named = (samples: readonly Sample[]): readonly string[] =>
    samples.map(({ where, name, value }) => `${where} ${name}=${value.slice(0, 60)}`);

test("every secret of the corpus is found, except those that are known to be missed", () => {
    expect(named(all.secrets.filter((sample) => messages(sample).length === 0))).toEqual(missed);
    expect(all.secrets.length).toBeGreaterThan(270);
});

test("no innocent value of the corpus is reported as a secret", () => {
    expect(named(all.innocents.filter((sample) => messages(sample).length > 0))).toEqual([]);
    expect(all.innocents.length).toBeGreaterThan(280);
});

test("the API server evaluates every variable that the engine takes for a secret by its name", () => {
    const evaluated = new RegExp(expressions.anyName.replace("(?i)", ""), "i");
    const byName = all.secrets.filter(({ where, name, value }) => where === "env" && isNamedSecret(name, value));
    expect(byName.length).toBeGreaterThan(30);
    expect(named(byName.filter(({ name }) => !evaluated.test(name)))).toEqual([]);
});

test("the API server can afford every expression on the longest text that it searches", () => {
    // What CEL charges for one match; the budgets are those of one expression and of one policy.
    const cost = (source: string): number => (1 + mostCharacters / 10) * (source.length / 4);
    const searched = [...expressions.formats, ...expressions.argumentFormats].map(cost);
    expect(Math.max(...searched)).toBeLessThan(1_000_000);
    // Twice, for the verdict and for the message, beside the names.
    expect(2 * searched.reduce((sum, each) => sum + each)).toBeLessThan(7_500_000);
});

test("a file of any length is searched within a second", () => {
    const lines = [
        "echo a b",
        "user x on y",
        "login -u x",
        "host=a user=b",
        "a:1:b:c:",
        "x".repeat(100),
        "password ",
        "$6$a$",
        '"d":"',
    ];
    for (const line of lines) {
        for (const text of [`${line}\n`.repeat(100_000), `${line} `.repeat(100_000)].map((each) =>
            each.slice(0, 300_000),
        )) {
            const start = performance.now();
            fileHoldsSecret(text);
            argumentsHoldSecret(text);
            expect(performance.now() - start, line).toBeLessThan(2000);
        }
    }
});

test("no message shows the secret", () => {
    for (const sample of all.secrets) {
        const shown = messages(sample).join("\n");
        for (const part of sample.value.split(/[\s"'=:@]+/).filter((each) => each.length > 7)) {
            expect(shown.replaceAll(sample.name, "")).not.toContain(part);
        }
    }
});

interface Schema {
    readonly $ref?: string;
    readonly properties?: Readonly<Record<string, Schema>>;
    readonly $defs?: Readonly<Record<string, Schema>>;
}

/** Every key of `orcheo:stack` with a value of its own, at whatever depth; what has keys itself holds nothing else. */
function keysOf(schema: Schema): readonly string[] {
    const isGroup = ({ $ref = "", properties }: Schema): boolean =>
        properties !== undefined || schema.$defs?.[$ref.replace("#/$defs/", "")]?.properties !== undefined;
    const found = new Set<string>();
    const look = (node: unknown): void => {
        if (node === null || typeof node !== "object") return;
        for (const [key, each] of Object.entries((node as Schema).properties ?? {})) if (!isGroup(each)) found.add(key);
        Object.values(node).forEach(look);
    };
    look(schema);
    return [...found];
}

test("no setting is a secret by its name: the record of updates holds the settings in a ConfigMap", () => {
    const file = join(import.meta.dirname, "..", "..", "stack.schema.json");
    const keys = keysOf(JSON.parse(readFileSync(file, "utf8")) as Schema);
    expect(keys).toContain("passwordGeneration");
    const values = ["2", "9999", "true", "some-name", "Some.Name_1"];
    const lines = keys.flatMap((key) => values.map((value) => `${key}: ${value}\n`));
    expect(lines.filter((line) => fileHoldsSecret(line))).toEqual([]);
    expect(Object.values(examples).filter((example) => fileHoldsSecret(example))).toEqual([]);
});
