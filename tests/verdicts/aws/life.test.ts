/**
 * The life of a production's AWS half: the real provider creates it, with database and cache, changes it and destroys it, in an account
 * that tests/aws stands for. `make aws-test` runs it; docs/aws-changes.md has its table.
 */
import { readFile } from "node:fs/promises";

import { format, resolveConfig } from "prettier";
import { afterAll, beforeAll, expect, inject, test } from "vitest";

import { at, fields, text } from "../../../policies/values.ts";
import { exampleOf } from "../../aws-programs.ts";
import { startOwnStack, type RunningStack, type Step } from "../own-stack.ts";
import { administer } from "./cli.ts";
import { deployer, deployerRole } from "./deployer.ts";
import { policiesOf, type Asked } from "./policies.ts";
import { before, inPlace, others, refused } from "./settings.ts";

type Settings = Readonly<Record<string, unknown>>;

/** What belongs to AWS, with the passwords that it is made with; nothing of Kubernetes, whose images nobody has pushed. */
const ofAws = [
    ...[
        "Secrets**",
        "Aws**",
        "Ownership**",
        "Cluster**",
        "Admission**",
        "NetworkPolicies**",
        "Rds::*",
        "Rds$aws:**",
        "Rds$random:**",
        "Elasticache**",
    ].map((each) => `**orcheo:index:${each}`),
].flatMap((each) => ["--target", each]);

const small = fields(exampleOf("small"));

/** The settings with another value at a path such as `aws.cluster.version`. */
function withValue(settings: Settings, path: string, value: unknown): Settings {
    const [key = "", ...rest] = path.split(".");
    return { ...settings, [key]: rest.length === 0 ? value : withValue(fields(settings[key]), rest.join("."), value) };
}

const configured = (from: Settings, values: Readonly<Record<string, unknown>>): Settings =>
    Object.entries(values).reduce((given, [path, value]) => withValue(given, path, value), from);

const first = configured(small, { "kubernetes.namespace": "aws-life", ...before });
const to = (table: Readonly<Record<string, { readonly to: unknown }>>): Readonly<Record<string, unknown>> =>
    Object.fromEntries(Object.entries(table).map(([path, change]) => [path, change.to]));
/** After the update of everything that can be. */
const second = configured(first, to(inPlace));

const changed = (steps: readonly Step[]): readonly Step[] => steps.filter(({ op }) => op !== "same");
const nameOf = ({ urn }: Step): string => urn.split("::").at(-1) ?? "";
const told = (steps: readonly Step[]): readonly string[] =>
    steps.map((step) => `${step.op} ${nameOf(step)}: ${step.changes.join(", ")}`);

let stack: RunningStack;
let third: Settings;
beforeAll(async () => {
    const zone: unknown = JSON.parse(
        await administer("route53", "create-hosted-zone", "--name", "example.com", "--caller-reference", "life"),
    );
    const zoneId = (text(at(zone, "HostedZone", "Id")) ?? "").split("/").at(-1);
    third = configured(second, { ...to(others), "aws.dns.zoneId": zoneId });
    stack = await startOwnStack("prod", first, "real", await deployer());
});
afterAll(async () => {
    await stack.end();
});

const up = (): Promise<string> => stack.run("up", "--yes", "--skip-preview", ...ofAws);

test("it is created, database and cache too", async () => {
    await up();
    console.log(`${(await stack.resources()).filter(({ type }) => type.startsWith("aws:")).length} resources of AWS`);
    const [database] = JSON.parse(
        await administer("rds", "describe-db-instances", "--query", "DBInstances"),
    ) as object[];
    expect(database).toMatchObject({ MultiAZ: true, StorageEncrypted: true, PubliclyAccessible: false });
    const [cache] = JSON.parse(
        await administer("elasticache", "describe-replication-groups", "--query", "ReplicationGroups"),
    ) as object[];
    expect(cache).toMatchObject({ TransitEncryptionEnabled: true, AtRestEncryptionEnabled: true });
});

test("a second update changes nothing", async () => {
    expect(told(changed(await stack.steps(...ofAws)))).toEqual([]);
});

test("a refresh finds no drift", async () => {
    await stack.run("refresh", "--yes", "--skip-preview", "--expect-no-changes");
});

test("each setting that can is updated in place", async () => {
    await stack.configure(second);
    const steps = await stack.steps(...ofAws);
    for (const [path, { changes }] of Object.entries(inPlace))
        for (const [resource, property] of changes) {
            const found = steps.filter((step) => nameOf(step) === resource && /(\$|::)aws:/.test(step.urn));
            const updated = found.filter(
                ({ changes: all }) =>
                    all.some((each) => each.startsWith(property)) ||
                    (all.length === 0 && resource === "aws-bucket-lifecycle"),
            );
            expect(
                updated.map(({ op }) => op),
                `${path}: ${JSON.stringify(told(found))}`,
            ).toEqual(["update"]);
        }
    await up();
    expect(told(changed(await stack.steps(...ofAws)))).toEqual([]);
});

test("whatever else is changed takes no data with it", async () => {
    await stack.configure(third);
    const steps = await stack.steps(...ofAws);
    for (const [path, { op, resource }] of Object.entries(others)) {
        const found = steps.filter((step) => nameOf(step) === resource);
        expect(
            found.map((step) => step.op),
            path,
        ).toContain(op);
    }
    await up();
    expect(told(changed(await stack.steps(...ofAws)))).toEqual([]);
});

test.each(Object.entries(refused))("%s is not changed: it would replace what is protected", async (path, change) => {
    await stack.configure(withValue(third, path, change.to));
    const refusal = await stack.steps(...ofAws).then(
        (steps) => told(changed(steps)).join("\n"),
        (error: unknown) => String(error),
    );
    await stack.configure(third);
    expect(refusal).toMatch(/protect/);
    expect(refusal).toContain(change.protects);
});

test("destroy keeps what is protected, and the next update takes it back", async () => {
    const before = await stack.resources();
    await stack.run("destroy", "--yes", "--skip-preview", "--exclude-protected");
    const left = await stack.resources();
    console.log(`destroy left ${left.length} of ${before.length} resources`);
    const data = ["postgres", "valkey", "aws-bucket", "aws-data-key", "aws-vault-key", "aws-vault", "aws-eks"];
    expect(left.map(({ name }) => name)).toEqual(expect.arrayContaining(data));
    expect(left.length).toBeLessThan(before.length);
    await up();
    const after = await stack.resources();
    const ids = (of: typeof after, names: readonly string[]): readonly string[] =>
        of
            .filter(({ name, id }) => names.includes(name) && id !== "")
            .map(({ id }) => id)
            .sort();
    expect(ids(after, data)).toEqual(ids(before, data));
    expect(after.map(({ name }) => name).sort()).toEqual(before.map(({ name }) => name).sort());
    expect(told(changed(await stack.steps(...ofAws)))).toEqual([]);
});

test("the deployer's policies are what it asked for, and no more", async () => {
    const lines = (await readFile(inject("awsCalls"), "utf8")).split("\n").filter((line) => line !== "");
    const asked = lines.map((line) => JSON.parse(line) as Asked).filter(({ caller }) => caller === deployerRole);
    expect(asked.length).toBeGreaterThan(1000);
    expect(asked.filter((each) => !each.allowed)).toEqual([]);
    for (const [file, document] of Object.entries(policiesOf(asked, "orcheo-small"))) {
        const path = `docs/iam/deploy-${file}.json`;
        const formatted = await format(JSON.stringify(document), { ...(await resolveConfig(path)), parser: "json" });
        await expect(formatted).toMatchFileSnapshot(`../../../${path}`);
    }
});
