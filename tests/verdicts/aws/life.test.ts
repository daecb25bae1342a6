/**
 * The life of a production's AWS half: the real provider creates it, with database and cache, changes it and destroys it, in an account
 * that tests/aws stands for. `make aws-test` runs it; docs/aws-changes.md has its table.
 */
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { at, fields, text } from "../../../policies/values.ts";
import { account } from "../../aws-mocks.ts";
import { exampleOf } from "../../aws-programs.ts";
import { block } from "../../e2e/docs.ts";
import { startOwnStack, type Runner, type RunningStack } from "../own-stack.ts";
import { administer, aws } from "./cli.ts";
import { deployer, recording, roleOf, run, watcherOf } from "./deployer.ts";
import { changed, configured, nameOf, ofAws, told, withValue, type Settings } from "./life.ts";
import { before, inPlace, others, refused } from "./settings.ts";

const small = fields(exampleOf("small"));

const first = configured(small, { "kubernetes.namespace": "aws-life", ...before });
const to = (table: Readonly<Record<string, { readonly to: unknown }>>): Readonly<Record<string, unknown>> =>
    Object.fromEntries(Object.entries(table).map(([path, change]) => [path, change.to]));
/** After the update of everything that can be. */
const second = configured(first, to(inPlace));

let stack: RunningStack;
let third: Settings;
let runner: Runner;
let watch: Runner["env"];
beforeAll(async () => {
    const zone: unknown = JSON.parse(
        await administer("route53", "create-hosted-zone", "--name", "example.com", "--caller-reference", "life"),
    );
    const zoneId = (text(at(zone, "HostedZone", "Id")) ?? "").split("/").at(-1);
    third = configured(second, { ...to(others), "aws.dns.zoneId": zoneId });
    runner = await deployer();
    stack = await startOwnStack("prod", first, "real", runner);
});
afterAll(async () => {
    await stack.end();
});

const up = (): Promise<string> => stack.run("up", "--yes", "--skip-preview", ...ofAws);

test("it is created, database and cache too", async () => {
    await up();
    console.log(`${(await stack.resources()).filter(({ type }) => type.startsWith("aws:")).length} resources of AWS`);
    const [database] = JSON.parse(
        await administer(
            ...["rds", "describe-db-instances", "--query"],
            "DBInstances[?starts_with(DBInstanceIdentifier, 'orcheo-small-')]",
        ),
    ) as object[];
    expect(database).toMatchObject({ MultiAZ: true, StorageEncrypted: true, PubliclyAccessible: false });
    const [cache] = JSON.parse(
        await administer(
            ...["elasticache", "describe-replication-groups", "--query"],
            "ReplicationGroups[?starts_with(ReplicationGroupId, 'orcheo-small')]",
        ),
    ) as object[];
    expect(cache).toMatchObject({ TransitEncryptionEnabled: true, AtRestEncryptionEnabled: true });
});

test("the deployer's other commands in docs/aws.md", async () => {
    const line = (beginning: string, of = beginning): string =>
        block("aws.md", of)
            .split("\n")
            .find((each) => each.startsWith(beginning)) ?? "";
    const kubeconfig = `KUBECONFIG=$HOME/config ${line("aws eks update-kubeconfig", "pulumi up --target")}`;
    // Of EKS' own tokens the API server of these tests knows nothing.
    const asks = "kubectl --kubeconfig $HOME/config --context orcheo-small get namespace kube-system --output name";
    const [password = ""] = line("aws ecr get-login-password", "docker buildx create").split(" | ");
    const commands = [password, line("aws ce "), kubeconfig, `PATH='${join(import.meta.dirname)}':$PATH ${asks}`];
    const said = await run(commands, {}, "", runner.env);
    expect(said).toContain("namespace/kube-system");
    expect(said).toContain(`${account}-auth-token`);
});

test("nobody is the deployer without the code of an MFA device", async () => {
    const asked = ["sts", "assume-role", "--role-arn", roleOf("orcheo-small"), "--role-session-name", "without"];
    const [answer] = await aws({}, [asked]);
    expect(answer).toMatchObject({
        ok: false,
        said: expect.stringContaining("not authorized to perform: sts:AssumeRole") as string,
    });
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

test("the role that watches previews and looks for drift", async () => {
    watch = await watcherOf("orcheo-small");
    const watching = stack.by(watch);
    expect(told(changed(await watching.steps(...ofAws)))).toEqual([]);
    await watching.run("refresh", "--preview-only", "--expect-no-changes");
});

test.skipIf(recording)("it changes nothing", async () => {
    await stack.configure(withValue(third, "aws.budgetUsdPerMonth", 1000));
    await expect(stack.by(watch).run("up", "--yes", "--skip-preview", ...ofAws)).rejects.toThrow("s3:PutObject");
    await stack.configure(third);
    const name = "orcheo-small";
    const commands: Readonly<Record<string, readonly string[]>> = {
        "budgets:ModifyBudget": [...["budgets", "delete-budget", "--account-id", account, "--budget-name", name]],
        "rds:ModifyDBInstance": ["rds", "modify-db-instance", "--db-instance-identifier", name],
        "secretsmanager:PutSecretValue": [
            ...["secretsmanager", "put-secret-value", "--secret-id", `${name}/vault`, "--secret-string", "lost"],
        ],
        "iam:AttachRolePolicy": [
            ...["iam", "attach-role-policy", "--role-name", "orcheo-watch"],
            ...["--policy-arn", "arn:aws:iam::aws:policy/AdministratorAccess"],
        ],
    };
    for (const [index, { ok, said }] of (await aws(watch, Object.values(commands))).entries()) {
        expect(ok).toBe(false);
        expect(said).toContain(`is not authorized to perform: ${Object.keys(commands)[index] ?? ""}`);
    }
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
