/**
 * AWS' half of prod before the engine, with the pack: every resource as the program declares it. Their provider cannot run
 * here, so inputs come from the program under mocks, and the default tags from its provider's.
 */
import { expect, test } from "vitest";

import { at } from "../../policies/values.ts";
import { awsPrograms, plain } from "../aws-programs.ts";
import { run, type Program } from "../harness.ts";
import type { Given } from "../policy/cases.ts";
import { previewWithPack } from "./engine.ts";

async function declaredBy(program: Program): Promise<readonly Given[]> {
    // What a preview does not know, the mocks leave out: an update's inputs are whole.
    const { resources, error } = await run(program, false);
    expect(error).toBeUndefined();
    const provider = resources.find(({ type }) => type === "pulumi:providers:aws");
    // A provider's nested inputs are JSON text.
    const tagsAll = at(JSON.parse(String(plain(provider?.inputs ?? {})["defaultTags"])), "tags");
    return resources
        .filter(({ type }) => type.startsWith("aws:"))
        .map(({ type, name, inputs, options }) => ({
            ...{ type, name, props: { ...plain(inputs), tagsAll } },
            options: { protect: options.protect },
        }));
}

test.each(awsPrograms)("%s", async (name, program) => {
    const given = await declaredBy(program);
    const { violations, exitCode, output } = await previewWithPack(given);
    expect(violations).toEqual([]);
    expect(exitCode, output.slice(-4000)).toBe(0);
    console.log(`${name}: ${given.length} resources of AWS, no violation`);
});

test("one safe default that is taken away is one violation", async () => {
    const [, program] = awsPrograms[0] ?? [];
    if (program === undefined) throw new Error("no program");
    const spoilt = (await declaredBy(program)).map((each) =>
        each.type === "aws:rds/instance:Instance"
            ? { ...each, props: { ...each.props, deletionProtection: false } }
            : each,
    );
    const { violations, exitCode } = await previewWithPack(spoilt);
    expect(violations.map(({ rule, resource }) => `${rule} ${resource}`)).toEqual(["rds-deletion-protection postgres"]);
    expect(exitCode).not.toBe(0);
});
