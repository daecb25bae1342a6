/** Exceptions and remediation, as Pulumi's engine has them from the pack. */
import { describe, expect, test } from "vitest";

import { at } from "../../policies/values.ts";
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

describe("remediation", () => {
    const mutation = mutations.find((each) => each.rule === "no-token-automount");
    const props = mutation === undefined ? {} : { ...mutated(mutation, "Deployment", "tool") };
    const given = [{ type: "kubernetes:apps/v1:Deployment", name: "tool", props }];

    test("never happens unasked", async () => {
        const { remediated, violations } = await previewWithPack(given);
        expect(remediated).toEqual([]);
        expect(violations.map((each) => each.rule)).toEqual(["no-token-automount"]);
    });
    test("mends what it is asked to", async () => {
        const settings = { "no-token-automount": "remediate" };
        const { remediated, violations, exitCode } = await previewWithPack(given, { settings });
        expect(remediated.map((each) => each.rule)).toEqual(["no-token-automount"]);
        expect(at(remediated[0]?.after, "spec", "template", "spec", "automountServiceAccountToken")).toBe(false);
        expect({ violations, exitCode }).toEqual({ violations: [], exitCode: 0 });
    });
});
