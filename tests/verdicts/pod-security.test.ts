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

async function pods(verdict: "pass" | "fail"): Promise<readonly [string, readonly string[]][]> {
    const root = await goModule("k8s.io/pod-security-admission@v0.34.4");
    const folder = join(root, "test/testdata/restricted/v1.34", verdict);
    return readdirSync(folder).map((file) => {
        const located = resourcesIn(readFileSync(join(folder, file), "utf8"), file);
        return [file, findings(located, ours).map((each) => each.rule)];
    });
}

test("every pod that Pod Security v1.34 refuses under `restricted` breaks a rule of the pack", async () => {
    const refused = await pods("fail");
    expect(refused.length).toBeGreaterThan(70);
    expect(refused.filter(([, broken]) => broken.length === 0)).toEqual([]);
});

test("no rule that refers to Pod Security refuses what `restricted` lets in", async () => {
    const passed = await pods("pass");
    expect(passed.length).toBeGreaterThan(5);
    expect(passed.filter(([, broken]) => broken.length > 0)).toEqual([]);
});
