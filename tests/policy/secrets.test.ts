/** How many secrets are found, and how much of what is found is one. */
import { expect, test } from "vitest";

import { judge } from "../../policies/judge.ts";
import { noSecretLiterals } from "../../policies/rules/no-secret-literals.ts";
import { noSecretsInConfigMaps } from "../../policies/rules/no-secrets-in-config-maps.ts";
import { asResource } from "./cases.ts";
import { compliant, container, templateOf, tokenOf } from "./pods.ts";
import { innocents, secrets, type Sample } from "./secret-corpus.ts";

function messages({ where, name, value }: Sample): readonly string[] {
    if (where === "file") {
        const props = { metadata: { name: "c" }, data: { [name]: value } };
        return judge(noSecretsInConfigMaps, asResource({ type: "kubernetes:core/v1:ConfigMap", name: "c", props }));
    }
    const manifest = compliant("Deployment");
    const held = where === "env" ? { env: [{ name, value }] } : { args: value.split(" ") };
    templateOf(manifest)["spec"] = { containers: [{ ...container("main"), ...held }] };
    return judge(noSecretLiterals, asResource({ type: tokenOf(manifest), name: "d", props: manifest }));
}

test("nine of ten secrets are found, and nineteen of twenty findings are secrets", () => {
    const found = secrets.filter((sample) => messages(sample).length > 0);
    const alarms = innocents.filter((sample) => messages(sample).length > 0);
    const recall = found.length / secrets.length;
    const precision = found.length / (found.length + alarms.length);
    const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
    console.log(
        `${secrets.length} secrets, ${innocents.length} innocent values: recall ${percent(recall)}, precision ${percent(precision)}`,
    );
    const named = (samples: readonly Sample[]): string =>
        samples.map(({ where, name, value }) => `${where} ${name}=${value.slice(0, 60)}`).join("\n");
    console.log(`missed:\n${named(secrets.filter((each) => !found.includes(each)))}\nfalse alarms:\n${named(alarms)}`);
    expect(secrets.length + innocents.length).toBeGreaterThan(120);
    expect(recall, named(secrets.filter((each) => !found.includes(each)))).toBeGreaterThanOrEqual(0.9);
    expect(precision, named(alarms)).toBeGreaterThanOrEqual(0.95);
});

test("no message shows the secret", () => {
    for (const sample of secrets) {
        const shown = messages(sample).join("\n");
        for (const part of sample.value.split(/[\s"'=:@]+/).filter((each) => each.length > 7)) {
            expect(shown.replaceAll(sample.name, "")).not.toContain(part);
        }
    }
});
