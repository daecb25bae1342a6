import { readdirSync, readFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

import { ruleDocs } from "../../policies/docs.ts";
import { exceptionsAreCurrent } from "../../policies/rules/exceptions-are-current.ts";
import { evaluate, evaluateStack } from "../../policies/evaluate.ts";
import type { Resource, Rule } from "../../policies/rule.ts";
import { rules } from "../../policies/table.ts";
import { asResource, cases, type Given } from "./cases.ts";
import { mutations } from "./pods.ts";

function ruleNamed(name: string): Rule {
    const rule = rules.find((each) => each.name === name);
    if (rule === undefined) throw new Error(`no rule ${name}`);
    return rule;
}

function messages(name: string, given: readonly (Given | Resource)[], settings = {}): readonly string[] {
    const rule = ruleNamed(name);
    const resources = given.map((each) => ("urn" in each ? each : asResource(each)));
    if (rule.scope === "stack") return evaluateStack(rule, resources, settings).map(({ message }) => message);
    return resources.flatMap((resource) => evaluate(rule, resource, settings));
}

describe.each(cases.map((each) => [each.rule, each.says, each] as const))("%s: %s", (name, says, given) => {
    test("accepts compliant objects", () => {
        expect(messages(name, given.passing, given.settings)).toEqual([]);
    });
    test("refuses others, with the remedy", () => {
        const found = messages(name, given.failing, given.settings).join("\n");
        expect(found).toContain(says);
        expect(found).toContain(ruleNamed(name).remedy);
    });
    test("an unknown value is no violation and no crash", () => {
        const unknown = given.failing.map(({ type, name: resource }) => ({
            type,
            name: resource,
            props: { metadata: "dd056dcd-154b-4c76-9bd3-c8f88648b5ff", spec: "dd056dcd-154b-4c76-9bd3-c8f88648b5ff" },
        }));
        expect(messages(name, unknown, given.settings).join()).not.toContain("cannot be evaluated");
    });
});

test("every rule has a passing and a failing fixture", () => {
    const tested = new Set([...cases.map((each) => each.rule), ...mutations.map((each) => each.rule)]);
    expect(rules.map((rule) => rule.name).filter((name) => !tested.has(name))).toEqual([]);
    const passed = new Set(cases.filter((each) => each.passing.length > 0).map((each) => each.rule));
    const onPods = new Set(mutations.map((each) => each.rule));
    expect(rules.map((rule) => rule.name).filter((name) => !passed.has(name) && !onPods.has(name))).toEqual([]);
});

test("every rule is in docs/policies.md as it is now", () => {
    const written = readFileSync(new URL("../../docs/policies.md", import.meta.url), "utf8");
    // A difference means: run `node policies/docs.ts`.
    expect(written).toBe(ruleDocs(rules));
    for (const rule of [...rules, exceptionsAreCurrent]) expect(written).toContain(`### ${rule.name}\n`);
});

test("every rule stands in a file of its own name, and every file is in the table", () => {
    const files = readdirSync(new URL("../../policies/rules", import.meta.url)).map((file) => file.replace(".ts", ""));
    expect(files.filter((file) => file !== "exceptions-are-current").sort()).toEqual(
        rules.map((rule) => rule.name).sort(),
    );
});

test.each(rules)("$name describes itself", (rule) => {
    expect(rule.description).toMatch(/\.$/);
    expect(rule.remedy).toMatch(/^[A-Z].*\.$/);
    expect(rule.reference.url).toMatch(/^https:\/\//);
});

test("satellites of a bucket are found by their dependency while its name is unknown", () => {
    const bucket = asResource({ type: "aws:s3/bucket:Bucket", name: "data", props: {} });
    const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
    const versioning: Resource = {
        ...asResource({
            type: "aws:s3/bucketVersioning:BucketVersioning",
            name: "data",
            props: { bucket: unknown, versioningConfiguration: { status: "Enabled" } },
        }),
        sources: { bucket: [bucket.urn] },
    };
    expect(messages("s3-versioned", [bucket, versioning])).toEqual([]);
    expect(messages("s3-versioned", [bucket, { ...versioning, sources: { bucket: ["urn of another"] } }])).toHaveLength(
        1,
    );
    // Whose it is cannot be told before the update, which asks again.
    expect(messages("s3-versioned", [bucket, { ...versioning, sources: {} }])).toEqual([]);
});

test("an object without a namespace is in the provider's namespace", () => {
    const provider = { namespace: "shop" };
    const inShop = (kind: string, group: string): Resource => ({
        ...asResource({ type: `kubernetes:${group}:${kind}`, name: kind, props: { metadata: { name: "a" } } }),
        provider,
    });
    const namespace = asResource({
        type: "kubernetes:core/v1:Namespace",
        name: "shop",
        props: { metadata: { name: "shop" } },
    });
    const bounds = [inShop("ResourceQuota", "core/v1"), inShop("LimitRange", "core/v1")];
    expect(messages("namespace-quota-and-limits", [namespace, ...bounds])).toEqual([]);
    const elsewhere = bounds.map((each) => ({ ...each, provider: undefined }));
    expect(messages("namespace-quota-and-limits", [namespace, ...elsewhere])).toHaveLength(1);
});

test("default tags of the provider count", () => {
    const untagged = asResource({ type: "aws:kms/key:Key", name: "k", props: { enableKeyRotation: true } });
    const provider = { defaultTags: JSON.stringify({ tags: { Project: "orcheo", Environment: "prod" } }) };
    const tags = { tags: ["Project", "Environment"] };
    expect(messages("required-tags", [untagged], tags)).toHaveLength(1);
    expect(messages("required-tags", [{ ...untagged, provider }], tags)).toEqual([]);
    // Nothing is demanded until it is set.
    expect(messages("required-tags", [untagged])).toEqual([]);
});
