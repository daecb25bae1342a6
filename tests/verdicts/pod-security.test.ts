/** Pod Security's own test pods, from its Go module: what `restricted` refuses the pack refuses, and by a rule that says so. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { findings } from "../../policies/findings.ts";
import { resourcesIn } from "../../policies/read.ts";
import { podSecurity, podSecurityBaseline } from "../../policies/rule.ts";
import { rules } from "../../policies/table.ts";
import { goModule } from "./go-module.ts";

const ours = rules.filter(({ reference: { url } }) => [podSecurity.url, podSecurityBaseline.url].includes(url));

/** Versions of the standard; the module carries the test pods of all of them. */
const versions = ["v1.34", "v1.35", "v1.36", "v1.37"];

async function pods(version: string, verdict: "pass" | "fail"): Promise<readonly [string, readonly string[]][]> {
    const root = await goModule("k8s.io/pod-security-admission@v0.37.2");
    const folder = join(root, "test/testdata/restricted", version, verdict);
    return readdirSync(folder).map((file) => {
        const located = resourcesIn(readFileSync(join(folder, file), "utf8"), file);
        return [file, findings(located, ours).map((each) => each.rule)];
    });
}

test.each(versions)(
    "every pod that Pod Security %s refuses under `restricted` breaks a rule of the pack",
    async (version) => {
        const refused = await pods(version, "fail");
        expect(refused.length).toBeGreaterThan(70);
        expect(refused.filter(([, broken]) => broken.length === 0)).toEqual([]);
    },
);

test.each(versions)("no rule that refers to Pod Security refuses what `restricted` %s lets in", async (version) => {
    const passed = await pods(version, "pass");
    expect(passed.length).toBeGreaterThan(5);
    expect(passed.filter(([, broken]) => broken.length > 0)).toEqual([]);
});
