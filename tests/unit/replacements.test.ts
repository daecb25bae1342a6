import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { everythingNew } from "../aws-programs";
import { run as runOnce, type Program, type Run } from "../harness";
import { deployedBy, replacements, type Deployed } from "../replacements";

// tests/fixtures/deployed-*.json is what is deployed out there. An entry is added with each new protected resource; one
// that is changed or taken away is a decision: every stack must first be brought over by an alias or a runbook.
const programs: readonly (readonly [string, Program])[] = [
    ["dev", { stack: "dev" }],
    ["prod", { stack: "prod" }],
    ["prod-everything-new", { stack: "prod", settings: everythingNew }],
];

describe.each(programs)("%s", (name, program) => {
    it("replaces nothing of a stack that is deployed", async () => {
        const run = await runOnce(program, false);
        const deployed = JSON.parse(readFileSync(`tests/fixtures/deployed-${name}.json`, "utf8")) as Deployed[];
        expect(replacements(deployed, run)).toEqual([]);
        expect(deployedBy(run).filter(({ urn }) => !deployed.some((each) => each.urn === urn))).toEqual([]);
    }, 60_000);
});

describe("the comparison itself", () => {
    const urn = (name: string) => `urn:pulumi:prod::orcheo::orcheo:index:Rds$aws:rds/instance:Instance::${name}`;
    const before = [{ urn: urn("postgres"), immutable: { engine: "postgres", dbName: "orcheo" } }];
    function now(
        name: string,
        inputs: Record<string, unknown>,
        options: { protect?: boolean; aliases?: string[] } = {},
    ) {
        const { protect = true, aliases = [] } = options;
        const registered: Run["resources"][number] = {
            type: "aws:rds/instance:Instance",
            name,
            inputs,
            state: inputs,
            id: undefined,
            provider: undefined,
            options: { protect, retainOnDelete: protect, parented: true, urn: urn(name), aliases, after: [] },
        };
        return { resources: [registered] };
    }
    const same = { engine: "postgres", dbName: "orcheo", instanceClass: "db.m7g.large" };

    it("lets the same pass, whatever else changes", () => {
        expect(replacements(before, now("postgres", same))).toEqual([]);
    });
    it("lets a rename with an alias pass, and no other", () => {
        expect(replacements(before, now("database", same, { aliases: [urn("postgres")] }))).toEqual([]);
        expect(replacements(before, now("database", same))).toEqual([
            `${urn("postgres")} is gone: a rename needs an alias`,
        ]);
    });
    it("finds a changed, a new and a lost value", () => {
        expect(replacements(before, now("postgres", { ...same, dbName: "other" }))).toEqual([
            `${urn("postgres")}: another dbName replaces it`,
        ]);
        expect(replacements(before, now("postgres", { ...same, kmsKeyId: "k" }))).toHaveLength(1);
        expect(replacements(before, now("postgres", { engine: "postgres" }))).toHaveLength(1);
    });
    it("finds what is no longer protected", () => {
        expect(replacements(before, now("postgres", same, { protect: false }))).toHaveLength(1);
    });
});
