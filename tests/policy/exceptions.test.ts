import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { covers, ExceptionAccount, readExceptions, type Exception } from "../../policies/exceptions.ts";
import { asResource } from "./cases.ts";

const today = new Date("2026-11-24T12:00:00Z");
const one: Exception = { rule: "no-host-path", resource: "Pod::tool", reason: "reads /sys", expires: "2026-11-24" };
const tool = asResource({ type: "kubernetes:core/v1:Pod", name: "tool", props: {} });

let dir: string;
beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "orcheo-exceptions-"));
});
afterAll(() => {
    rmSync(dir, { recursive: true });
});

function read(yaml: string): ReturnType<typeof readExceptions> {
    const file = join(dir, "Pulumi.dev.yaml");
    writeFileSync(file, yaml);
    return readExceptions(file, ["no-host-path"]);
}

test("a complete exception is read from the stack's config", () => {
    const yaml = `config:
  orcheo:policyExceptions:
    - { rule: no-host-path, resource: "Pod::tool", reason: reads /sys, expires: 2026-11-24 }
`;
    expect(read(yaml)).toEqual({ exceptions: [one], malformed: [] });
});

test.each([
    ["[{rule: no-host-path}]", "orcheo:policyExceptions[0] has no resource, no reason, no expires"],
    ["[{rule: nope, resource: a, reason: b, expires: 2026-01-01}]", 'names rule "nope", which does not exist'],
    ["[{rule: no-host-path, resource: a, reason: b, expires: soon}]", 'has expires "soon"'],
    ["[text]", "has no rule, no resource, no reason, no expires"],
    ["{a: b}", "is not a list"],
    ["'[", "cannot be read"],
])("%s is named as malformed", (value, says) => {
    expect(read(`config: {"orcheo:policyExceptions": ${value}}`).malformed.join()).toContain(says);
});

test("no file, no exceptions", () => {
    expect(readExceptions(join(dir, "none.yaml"), [])).toEqual({ exceptions: [], malformed: [] });
});

test("an exception covers by kind, by type token, and by URN, and nothing else", () => {
    for (const resource of ["Pod::tool", "kubernetes:core/v1:Pod::tool", tool.urn]) {
        expect(covers({ ...one, resource }, tool)).toBe(true);
    }
    for (const resource of ["Pod::too", "tool", "Deployment::tool", "stack", "*"]) {
        expect(covers({ ...one, resource }, tool)).toBe(false);
    }
    expect(covers({ ...one, resource: "stack" }, undefined)).toBe(true);
});

test("an exception holds through its last day, then is stale", () => {
    const live = new ExceptionAccount({ exceptions: [one], malformed: [] }, today);
    expect(live.excepts("no-host-path", tool)).toBe(true);
    expect(live.stale(() => false)).toEqual([]);
    const late = new ExceptionAccount({ exceptions: [one], malformed: [] }, new Date("2026-11-25T00:00:00Z"));
    expect(late.excepts("no-host-path", tool)).toBe(false);
    expect(late.stale(() => false)).toEqual(["The exception from no-host-path for Pod::tool expired on 2026-11-24"]);
});

test("an exception that excepts nothing is stale, unless an unknown value may need it yet", () => {
    const account = new ExceptionAccount({ exceptions: [one], malformed: ["x is wrong"] }, today);
    expect(account.stale(() => false)).toEqual([
        "x is wrong",
        "The exception from no-host-path for Pod::tool excepts nothing",
    ]);
    expect(account.stale(() => true)).toEqual(["x is wrong"]);
});
