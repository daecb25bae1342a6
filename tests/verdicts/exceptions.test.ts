/** Exceptions and remediation, as Pulumi's engine has them from the pack. */
import { describe, expect, test } from "vitest";

import { rules } from "../../policies/table.ts";
import { at, list } from "../../policies/values.ts";
import { nextMonth } from "../policy/cases.ts";
import { compliant, mutated, mutations } from "../policy/pods.ts";
import { previewWithPack, type EngineRun } from "./engine.ts";

describe("exceptions in the stack's config", () => {
    const bad = { type: "kubernetes:apps/v1:Deployment", name: "tool" };
    const mutation = mutations.find((each) => each.rule === "image-by-digest");
    const deployment = mutation === undefined ? undefined : mutated(mutation, "Deployment", "tool");
    const exception = {
        rule: "image-by-digest",
        resource: "Deployment::tool",
        reason: "a test",
        expires: nextMonth,
    };
    const preview = (exceptions: unknown, props = deployment): Promise<EngineRun> =>
        previewWithPack([{ ...bad, props: { ...props } }], { config: { "orcheo:policyExceptions": exceptions } });

    test("a live one lets the resource pass", async () => {
        const { exitCode, violations } = await preview([exception]);
        expect(violations).toEqual([]);
        expect(exitCode).toBe(0);
    });
    test("an unused one is a violation", async () => {
        const { exitCode, violations } = await preview([exception, { ...exception, rule: "no-host-path" }]);
        expect(violations.map((each) => each.message).join()).toContain(
            "The exception from no-host-path for Deployment::tool excepts nothing.",
        );
        expect(exitCode).not.toBe(0);
    });
    test("an expired one excepts nothing", async () => {
        const { violations } = await preview([{ ...exception, expires: "2020-01-01" }]);
        expect(violations.map((each) => each.rule)).toContain("image-by-digest");
    });
    test("an expired one is a violation itself", async () => {
        const { exitCode, violations } = await preview(
            [{ ...exception, expires: "2020-01-01" }],
            compliant("Deployment"),
        );
        expect(
            violations.map(({ rule, level, message }) => [rule, level, message.slice(0, message.indexOf(". "))]),
        ).toEqual([
            [
                "exceptions-are-current",
                "mandatory",
                "The exception from image-by-digest for Deployment::tool expired on 2020-01-01",
            ],
        ]);
        expect(exitCode).not.toBe(0);
    });
});

describe("settings", () => {
    const given = [{ type: "kubernetes:apps/v1:Deployment", name: "fine", props: { ...compliant("Deployment") } }];

    test.each<[string, Record<string, unknown>, string]>([
        [
            "a rule",
            { "image-by-digst": "disabled" },
            'there is no rule "image-by-digst"; did you mean "image-by-digest"?',
        ],
        [
            "a key",
            { "image-registry": { registry: ["x"] } },
            'there is no setting "registry"; did you mean "registries"?',
        ],
    ])("%s that does not exist refuses the preview", async (_, settings, says) => {
        await expect(previewWithPack(given, { settings })).rejects.toThrow(says);
    });
    test("a profile that does not exist refuses the preview", async () => {
        const config = { "orcheo:policyProfile": "basline" };
        const says = 'there is no profile "basline"; did you mean "baseline"?';
        await expect(previewWithPack(given, { config })).rejects.toThrow(says);
    });
    test("a profile asks its rules only", async () => {
        const spec = { hostNetwork: true, containers: [{ name: "bare", image: "x" }] };
        const bare = [{ ...given[0], props: { ...compliant("Deployment"), spec: { template: { spec } } } }];
        const pods = bare.map((each) => ({ type: "kubernetes:apps/v1:Deployment", name: "bare", ...each }));
        const { violations } = await previewWithPack(pods, { config: { "orcheo:policyProfile": "baseline" } });
        expect(violations.map(({ rule }) => rule)).toEqual(["no-host-namespaces"]);
    });
});

const remediating = rules.filter((rule) => "remediate" in rule);

describe("remediation", () => {
    const digest = `registry.example.com/orcheo/api@sha256:${"a".repeat(64)}`;
    const spec = (): object => ({
        containers: [
            { name: "bare", image: digest },
            { name: "other", image: digest, securityContext: { runAsUser: 1000 } },
        ],
        initContainers: [{ name: "init", image: digest }],
    });
    const pod = (): object => ({ apiVersion: "v1", kind: "Pod", metadata: { name: "listed" }, spec: spec() });
    const deployment = { ...compliant("Deployment"), spec: { template: { metadata: {}, spec: spec() } } };
    const given = [
        { type: "kubernetes:apps/v1:Deployment", name: "tool", props: deployment },
        { type: "kubernetes:core/v1:PodList", name: "pods", props: { apiVersion: "v1", items: [pod()] } },
        { type: "kubernetes:apps/v1:Deployment", name: "fine", props: { ...compliant("Deployment") } },
    ];
    const every = (level: string): Record<string, string> =>
        Object.fromEntries(remediating.map(({ name }) => [name, level]));
    const brokenBy = (run: EngineRun): readonly string[] =>
        run.violations
            .filter(({ rule }) => remediating.some(({ name }) => name === rule))
            .map(({ rule, resource }) => `${rule} ${resource}`);
    let clean: EngineRun;

    test("never happens unless asked for", async () => {
        const run = await previewWithPack(given);
        expect(run.remediated).toEqual([]);
        for (const { name } of remediating)
            for (const resource of ["tool", "pods"]) expect(brokenBy(run)).toContain(`${name} ${resource}`);
        expect(brokenBy(run).filter((each) => each.endsWith(" fine"))).toEqual([]);
    });
    test("fixes containers, init containers and lists, for every rule that can", async () => {
        clean = await previewWithPack(given, { settings: { all: "advisory", ...every("remediate") } });
        expect(clean.remediated.map(({ rule }) => rule).sort()).toEqual(
            remediating.flatMap(({ name }) => [name, name]).sort(),
        );
        expect(brokenBy(clean)).toEqual([]);
        expect(clean.exitCode).toBe(0);
    });
    test("adds only what was missing", () => {
        const after = clean.remediated.map((each) => at(each.after, "spec", "template", "spec"));
        const containers = after.flatMap((each) => list(at(each, "containers")));
        expect(containers.length).toBeGreaterThan(0);
        for (const each of containers) {
            expect(at(each, "image")).toBe(digest);
            if (at(each, "name") === "other") expect(at(each, "securityContext", "runAsUser")).toBe(1000);
        }
    });
    test("leaves alone what is excepted", async () => {
        const except = { rule: "seccomp-profile", resource: "Deployment::tool", reason: "a test", expires: nextMonth };
        const run = await previewWithPack(given, {
            settings: { all: "advisory", ...every("remediate") },
            config: { "orcheo:policyExceptions": [except] },
        });
        expect(run.remediated.filter(({ rule }) => rule === "seccomp-profile")).toHaveLength(1);
        expect(brokenBy(run)).toEqual([]);
    });
});
