/** Exports of stacks, each with the verdict of one rule that is right (tests/fixtures/policies/aws). */
import { readdirSync, readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { findings } from "../../policies/findings.ts";
import { resourcesIn } from "../../policies/read.ts";
import { rules } from "../../policies/table.ts";
import { at, text } from "../../policies/values.ts";

const folder = new URL("../fixtures/policies/aws/", import.meta.url);

test.each(readdirSync(folder))("%s", (file) => {
    const content = readFileSync(new URL(file, folder), "utf8");
    const expected = text(at(JSON.parse(content), "_expect")) ?? "";
    const [, verdict, rule = ""] = /^(no|a) finding of (.+)$/.exec(expected) ?? [];
    expect(rules.map(({ name }) => name)).toContain(rule);
    const found = findings(resourcesIn(content, file), rules).filter((each) => each.rule === rule);
    expect(found.length > 0).toBe(verdict === "a");
});
