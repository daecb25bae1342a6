import { expect, test } from "vitest";

import { covers, ExceptionAccount, exceptionsIn, exceptionsOf, type Exception } from "../../policies/exceptions.ts";
import { asResource } from "./cases.ts";

const today = new Date("2026-11-24T12:00:00Z");
const one: Exception = { rule: "no-host-path", resource: "Pod::tool", reason: "reads /sys", expires: "2026-11-24" };
const tool = asResource({ type: "kubernetes:core/v1:Pod", name: "tool", props: {} });

const read = (list: unknown): ReturnType<typeof exceptionsIn> => exceptionsOf(JSON.stringify(list), ["no-host-path"]);

test("a complete exception is read from the stack's config", () => {
    expect(read([one])).toEqual({ exceptions: [one], malformed: [] });
    // So the engine hands over a day that stands in YAML without quotes.
    expect(read([{ ...one, expires: `${one.expires} 00:00:00 +0000 UTC` }])).toEqual({
        exceptions: [one],
        malformed: [],
    });
    expect(exceptionsIn([one], ["no-host-path"])).toEqual({ exceptions: [one], malformed: [] });
});

test.each([
    [[{ rule: "no-host-path" }], "orcheo:policyExceptions[0] has no resource, no reason, no expires"],
    [[{ ...one, rule: "nope" }], 'names rule "nope", which does not exist'],
    [[{ ...one, expires: "soon" }], 'has expires "soon"'],
    [[{ ...one, expires: "2026-13-01" }], 'has expires "2026-13-01"'],
    [[{ ...one, reason: " " }], "has no reason"],
    [["text"], "has no rule, no resource, no reason, no expires"],
    [{ a: "b" }, "is not a list"],
])("%j is named as malformed", (value, says) => {
    expect(read(value).malformed.join()).toContain(says);
});

test("invalid JSON is named as malformed; without the key there are no exceptions", () => {
    expect(exceptionsOf("'[", []).malformed).toEqual(["orcheo:policyExceptions is not a list"]);
    expect(exceptionsOf(undefined, [])).toEqual({ exceptions: [], malformed: [] });
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

test("an exception that is never reviewed again is stale, but still applies", () => {
    const account = (expires: string) =>
        new ExceptionAccount({ exceptions: [{ ...one, expires }], malformed: [] }, today);
    const year = account("2027-11-25");
    expect(year.excepts("no-host-path", tool)).toBe(true);
    expect(year.stale(() => false)).toEqual([]);
    const longer = account("2027-11-26");
    expect(longer.excepts("no-host-path", tool)).toBe(true);
    expect(longer.stale(() => false)).toEqual([
        "The exception from no-host-path for Pod::tool runs to 2027-11-26, which is more than a year ahead",
    ]);
});

test("an exception that excepts nothing is stale, unless an unknown value may need it yet", () => {
    const account = new ExceptionAccount({ exceptions: [one], malformed: ["x is wrong"] }, today);
    expect(account.stale(() => false)).toEqual([
        "x is wrong",
        "The exception from no-host-path for Pod::tool excepts nothing",
    ]);
    expect(account.stale(() => true)).toEqual(["x is wrong"]);
});
