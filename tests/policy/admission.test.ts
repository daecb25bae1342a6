import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { admissionFile } from "../../policies/admission-file.ts";
import { admissionObjects, inCluster } from "../../policies/admission.ts";
import { rules } from "../../policies/table.ts";
import { at, list } from "../../policies/values.ts";

test("policies/admission.json is what the rules say now", () => {
    // A difference means: run `node policies/admission-file.ts`.
    const written = readFileSync(new URL("../../policies/admission.json", import.meta.url), "utf8");
    expect(JSON.parse(written)).toEqual(JSON.parse(admissionFile()));
});

test("every pod rule has one policy and one binding of its name", () => {
    const names = rules.filter(inCluster).map((rule) => `orcheo-${rule.name}`);
    for (const kind of ["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"]) {
        const found = admissionObjects(rules).filter((object) => object.kind === kind);
        expect(found.map((object) => object.metadata.name)).toEqual(names);
    }
});

test("bindings reach only labelled namespaces, and an excepted rule warns instead of denying", () => {
    const bindings = admissionObjects(rules, { excepted: ["no-host-path"] }).filter(
        (object) => object.kind === "ValidatingAdmissionPolicyBinding",
    );
    for (const { metadata, spec } of bindings) {
        expect(at(spec, "matchResources", "namespaceSelector", "matchLabels")).toEqual({
            "orcheo.dev/policies": "enforced",
        });
        const isAdvisory = rules.some((rule) => metadata.name === `orcheo-${rule.name}` && rule.level === "advisory");
        const warns = isAdvisory || metadata.name === "orcheo-no-host-path";
        const expected = warns ? ["Warn", "Audit"] : ["Deny", "Audit"];
        expect(at(spec, "validationActions")).toEqual(expected);
    }
});

test("settings of a rule reach its CEL", () => {
    const settings = { "image-registry": { registries: ["registry.example.com/a"] } };
    const found = admissionObjects(rules, { settings }).find((each) => each.metadata.name === "orcheo-image-registry");
    expect(JSON.stringify(list(at(found?.spec, "variables")))).toContain("registry.example.com/a");
});
