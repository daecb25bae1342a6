/**
 * The life of a production's AWS half: the real provider creates it, with database and cache, changes it and destroys it, in an account
 * that tests/aws stands for. `make aws-test` runs it; docs/aws-changes.md has its table.
 */
import { join } from "node:path";

import { afterAll, beforeAll, expect, inject, test } from "vitest";

import { at, fields, list, text } from "../../../policies/values.ts";
import { account } from "../../aws-mocks.ts";
import { exampleOf } from "../../aws-programs.ts";
import { block } from "../../e2e/docs.ts";
import { startOwnStack, type Runner, type RunningStack } from "../own-stack.ts";
import { administer, aws, makeRole } from "./cli.ts";
import { deployer, recording, roleOf, run, watcherOf } from "./deployer.ts";
import { changed, configured, nameOf, ofAws, told, withValue, type Settings } from "./life.ts";
import { built, digestOf, fill, images, imagesOf, makeCheckout, ofImages, prepare } from "./push.ts";
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
let checkout: string;
let pushing: RunningStack;
beforeAll(async () => {
    const zone: unknown = JSON.parse(
        await administer("route53", "create-hosted-zone", "--name", "example.com", "--caller-reference", "life"),
    );
    const zoneId = (text(at(zone, "HostedZone", "Id")) ?? "").split("/").at(-1);
    third = configured(second, { ...to(others), "aws.dns.zoneId": zoneId });
    await makeRole("orcheo-second");
    runner = await deployer();
    stack = await startOwnStack("prod", first, "real", runner);
});
afterAll(async () => {
    await stack.end();
});

/** Of the topic of the alarms. */
const subscribers = async (): Promise<readonly string[]> => {
    const all = at(JSON.parse(await administer("sns", "list-subscriptions")), "Subscriptions");
    return list(all)
        .filter((each) => (text(at(each, "TopicArn")) ?? "").endsWith(":orcheo-small-alarms"))
        .map((each) => `${text(at(each, "Protocol")) ?? ""} ${text(at(each, "Endpoint")) ?? ""}`);
};

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
    const commands = [line("aws ce "), kubeconfig, `PATH='${join(import.meta.dirname)}':$PATH ${asks}`];
    const said = await run(commands, { who: runner.env });
    expect(said).toContain("namespace/kube-system");
});

test("each address of the alarms gets an e-mail to confirm", async () => {
    expect(await subscribers()).toEqual(["email operations@example.com"]);
});

test("images are pushed with the credentials that ECR gives the deployer, and deployed by digest", async () => {
    checkout = await makeCheckout(stack.folder);
    expect(await prepare(checkout, runner.env)).toContain("Login Succeeded");
    pushing = stack.by(inject("awsHosts"), checkout);
    await stack.configure(first, built(first, "0.1.0"));
    await pushing.run("up", "--yes", "--skip-preview", ...ofImages);
    const pushed = await Promise.all(images.map((each) => digestOf(`orcheo-small/${each}`, "0.1.0")));
    expect(pushed).toEqual(images.map(() => expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string));
    expect(new Set(pushed).size).toBe(images.length);
    const { resources } = await pushing.evaluated();
    const [backend = "", backup = "", canvas = "", postgres = ""] = pushed;
    expect(imagesOf(resources)).toEqual(
        // The cache is ElastiCache's; the image of Postgres makes the database's users.
        [`backend:0.1.0@${backend}`, `backup:0.1.0@${backup}`, `canvas:0.1.0@${canvas}`, `postgres@${postgres}`].map(
            (each) => `${account}.dkr.ecr.eu-central-1.amazonaws.com/orcheo-small/${each}`,
        ),
    );
});

test("a rebuilt image does not replace the one of its version; another version is pushed", async () => {
    const before = await digestOf("orcheo-small/backend", "0.1.0");
    await fill(checkout, "second");
    await expect(pushing.run("up", "--yes", "--skip-preview", ...ofImages)).rejects.toThrow(
        /The image tag '0\.1\.0' already exists in the 'orcheo-small\/\w+' repository/,
    );
    expect(await digestOf("orcheo-small/backend", "0.1.0")).toBe(before);
    await stack.configure(first, built(first, "0.1.1"));
    await pushing.run("up", "--yes", "--skip-preview", ...ofImages);
    expect(await digestOf("orcheo-small/backend", "0.1.1")).toMatch(/^sha256:/);
    expect(await digestOf("orcheo-small/backend", "0.1.1")).not.toBe(before);
    // The rest of this life runs published images. What was pushed stays.
    await stack.configure(first);
    const builds = [...ofImages, "--target", "**pulumi:providers:docker-build::**"];
    await stack.run("destroy", "--yes", "--skip-preview", ...builds);
    expect(await digestOf("orcheo-small/backend", "0.1.0")).toBe(before);
    expect((await stack.resources()).filter(({ type }) => /docker-build|:Images$/.test(type))).toEqual([]);
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
    // EKS lets nobody in who does not exist.
    watch = await watcherOf("orcheo-small");
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
    expect(await subscribers()).toEqual(["email others@example.com"]);
    expect(told(changed(await stack.steps(...ofAws)))).toEqual([]);
});

test("the role that watches previews and looks for drift", async () => {
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
