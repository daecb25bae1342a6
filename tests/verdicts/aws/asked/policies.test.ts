/** What all lives have asked for, which are over by now. */
import { readFile } from "node:fs/promises";

import { format, resolveConfig } from "prettier";
import { expect, test } from "vitest";

import { logFile } from "../../../../local/paths.ts";
import { roleOf, watcherRoleOf } from "../deployer.ts";
import { others } from "../lives.ts";
import { policiesOf, type Asked } from "../policies.ts";

test("the policies are what was asked for, and no more", async () => {
    const lines = (await readFile(logFile("aws-calls"), "utf8")).split("\n").filter((line) => line !== "");
    // As if each stack were that of the pages.
    const by = (role: string, name: string): readonly Asked[] =>
        lines
            .filter((line) => line.includes(`"caller": "${role}"`))
            .map((line) => JSON.parse(line.replaceAll(name, "orcheo-small")) as Asked);
    const stacks = ["orcheo-small", ...others.map(({ name }) => name)];
    for (const [who, asked] of Object.entries({
        deploy: stacks.flatMap((name) => by(roleOf(name), name)),
        watch: stacks.flatMap((name) => by(watcherRoleOf(name), name)),
    })) {
        // Whoever watches was refused what he is not to do.
        const given = who === "deploy" ? asked : asked.filter(({ allowed }) => allowed);
        expect(given.length).toBeGreaterThan(200);
        expect(given.filter(({ allowed }) => !allowed)).toEqual([]);
        for (const [file, document] of Object.entries(policiesOf(given, "orcheo-small"))) {
            const path = `docs/iam/${who}-${file}.json`;
            const written = JSON.stringify(document);
            const formatted = await format(written, { ...(await resolveConfig(path)), parser: "json" });
            await expect(formatted).toMatchFileSnapshot(`../../../../${path}`);
        }
    }
});
