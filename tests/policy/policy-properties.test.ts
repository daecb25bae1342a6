import { expect, test } from "vitest";

import { derived, fileOf } from "./policy-properties.ts";

test("the properties that hold policy documents are those of the SDK's types", async () => {
    // A difference means: run `npm run docs`, and check what a new SDK added.
    await expect(fileOf()).toMatchFileSnapshot("../../policies/policy-properties.ts");
    const { policies, unclassified } = derived();
    expect(unclassified).toEqual([]);
    expect(policies["aws:opensearch/domain:Domain"]).toEqual(["accessPolicies"]);
    expect(policies["aws:iam/role:Role"]).toEqual(["assumeRolePolicy", "inlinePolicies[].policy"]);
    expect(policies["aws:organizations/resourcePolicy:ResourcePolicy"]).toEqual(["content"]);
    expect(Object.keys(policies).length).toBeGreaterThan(80);
});
