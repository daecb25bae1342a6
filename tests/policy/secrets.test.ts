/** Secrets and innocent look-alikes: which are found. */
import { expect, test } from "vitest";

import { evaluate } from "../../policies/evaluate.ts";
import { noSecretLiterals } from "../../policies/rules/no-secret-literals.ts";
import { noSecretsInConfigMaps } from "../../policies/rules/no-secrets-in-config-maps.ts";
import { argumentsHoldSecret, expressions, fileHoldsSecret, isNamedSecret } from "../../policies/secrets.ts";
import { asResource } from "./cases.ts";
import { compliant, container, templateOf, tokenOf } from "./pods.ts";
import { programInnocents, programSecrets } from "./secret-corpus-programs.ts";
import { innocents, secrets, type Sample } from "./secret-corpus.ts";

const all = { secrets: [...secrets, ...programSecrets], innocents: [...innocents, ...programInnocents] };

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

test("every secret of the corpus is found", () => {
    expect(named(all.secrets.filter((sample) => messages(sample).length === 0))).toEqual([]);
    expect(all.secrets.length).toBeGreaterThan(140);
});

test("no innocent value of the corpus is taken for a secret", () => {
    expect(named(all.innocents.filter((sample) => messages(sample).length > 0))).toEqual([]);
    expect(all.innocents.length).toBeGreaterThan(150);
});

test("the API server looks at every variable that the engine takes for a secret by its name", () => {
    const looked = new RegExp(expressions.anyName.replace("(?i)", ""), "i");
    const byName = all.secrets.filter(({ where, name, value }) => where === "env" && isNamedSecret(name, value));
    expect(byName.length).toBeGreaterThan(30);
    expect(named(byName.filter(({ name }) => !looked.test(name)))).toEqual([]);
});

test("a file of any length is searched within a second", () => {
    const lines = ["echo a b", "user x on y", "login -u x", "host=a user=b", "a:1:b:c:", "x".repeat(100), "password "];
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
