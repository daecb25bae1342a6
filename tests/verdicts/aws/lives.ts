/** The lives of the other examples and of each way that config offers, in the account of life.test.ts, each by roles of its own. */
import { expect } from "vitest";

import { at, fields, text } from "../../../policies/values.ts";
import { account, otherStacks } from "../../aws-mocks.ts";
import { awsPrograms, exampleOf, sizes } from "../../aws-programs.ts";
import { settingsOf } from "../../harness.ts";
import { startOwnStack } from "../own-stack.ts";
import { administer, makeRole } from "./cli.ts";
import { deployerOf, roleOf, watcherOf, watcherRoleOf } from "./deployer.ts";
import { changed, configured, nameOf, ofAws, told, type Settings } from "./life.ts";
import { makeStacks } from "./other-stacks.ts";

export interface Life {
    /** `aws.name`. */
    readonly name: string;
    readonly title: string;
    readonly settings: Settings;
    /** What is then updated in place: settings, and the properties of which resources they change. */
    readonly change?: { readonly to: Settings; readonly properties: Readonly<Record<string, readonly string[]>> };
}

/** Of a Multi-AZ database cluster, whose calls are not those of an instance. */
const clusterChange: Life["change"] = {
    to: {
        "database.instanceClass": "db.m6gd.xlarge",
        "database.storageGiB": 400,
        "database.deployment.iops": 13_000,
        "database.backupRetentionDays": 20,
        "database.backupWindow": "02:00-03:00",
        "database.maintenanceWindow": "sun:04:00-sun:05:00",
    },
    properties: {
        postgres: [
            ...["allocatedStorage", "backupRetentionPeriod", "dbClusterInstanceClass", "iops"],
            ...["preferredBackupWindow", "preferredMaintenanceWindow"],
        ],
    },
};

/** Of a managed Prometheus, which examples/prod-small.yaml lacks. Its writer's association is replaced. */
const metricsChange: Life["change"] = {
    to: {
        "aws.prometheus.retentionDays": 90,
        "aws.prometheus.writer.namespace": "observability",
        "aws.tags": { Team: "workflows" },
        "monitoring.runbooksUrl": "https://git.example.com/runbooks",
    },
    properties: {
        "aws-prometheus": ["tagsAll.Team"],
        // The plan does not name its retentionPeriodInDays.
        "aws-prometheus-retention": [],
        "aws-prometheus-rules": ["data", "tagsAll.Team"],
        "aws-prometheus-writer": ["assumeRolePolicy"],
    },
};

/** The smallest example has the whole of life.test.ts. */
export const others: readonly Life[] = [
    ...sizes
        .filter((size) => size !== "small")
        .map((size) => ({ name: `orcheo-${size}`, title: `examples/prod-${size}.yaml`, settings: exampleOf(size) })),
    ...awsPrograms.map(([title, { settings }], index) => ({
        ...{ name: `orcheo-way-${index}`, title },
        settings: fields(settings ?? settingsOf("prod")),
        ...(at(settings, "database", "deployment", "kind") === "cluster" && { change: clusterChange }),
        ...(at(settings, "aws", "prometheus") !== undefined && { change: metricsChange }),
    })),
];

/** What programs take as existing: by what it is called in tests/aws-programs.ts, its name in the account. */
export type Existing = ReadonlyMap<string, string>;

/** Makes it. */
export async function makeExisting(): Promise<Existing> {
    const made = async (what: readonly string[], ...path: readonly string[]): Promise<string> =>
        text(at(JSON.parse(await administer(...what)), ...path)) ?? "";
    const vpc = await made(["ec2", "create-vpc", "--cidr-block", "10.20.0.0/16"], "Vpc", "VpcId");
    const existing = new Map([["vpc-0a1b2c3d4e5f60718", vpc]]);
    for (const [index, zone] of ["a", "b", "c"].entries()) {
        const where = ["--cidr-block", `10.20.${index * 16}.0/20`, "--availability-zone", `eu-central-1${zone}`];
        const subnet = await made(["ec2", "create-subnet", "--vpc-id", vpc, ...where], "Subnet", "SubnetId");
        existing.set(`subnet-0a1b2c3d4e5f6071${index + 1}`, subnet);
    }
    for (const [name, id] of Object.entries({
        nodes: "sg-0a1b2c3d4e5f60718",
        database: "sg-00000000000000001",
        cache: "sg-00000000000000002",
    })) {
        const group = ["ec2", "create-security-group", "--group-name", name, "--description", name, "--vpc-id", vpc];
        existing.set(id, await made(group, "GroupId"));
    }
    for (const role of ["backend", "backup", "eks"]) await makeRole(role);
    for (const key of ["data", "vault"])
        existing.set(`key/${key}`, `key/${await made(["kms", "create-key"], "KeyMetadata", "KeyId")}`);
    await administer(
        ...["s3api", "create-bucket", "--bucket", "their-bucket"],
        ...["--create-bucket-configuration", "LocationConstraint=eu-central-1"],
    );
    const zone = ["route53", "create-hosted-zone", "--name", "example.com", "--caller-reference", "existing"];
    existing.set("Z0123456789ABCDEFGHIJ", (await made(zone, "HostedZone", "Id")).split("/").at(-1) ?? "");
    return existing;
}

/** In the account: the cluster that a program takes as existing has the name of the stack. */
function inAccount<Given>(given: Given, name: string, existing: Existing): Given {
    const called = new Map([...existing, ["orcheo-prod", name], ['"shared"', `"${name}"`]]);
    const written = [...called].reduce((all, [each, id]) => all.replaceAll(each, id), JSON.stringify(given));
    return JSON.parse(written) as Given;
}

const otherCluster = { kind: "stackReference", stack: "organization/cluster/prod", kubeconfigOutput: "kubeconfig" };

async function makeCluster(name: string, existing: Existing): Promise<void> {
    const subnets = [...existing].filter(([id]) => id.startsWith("subnet-")).map(([, subnet]) => subnet);
    const network = ["--resources-vpc-config", `subnetIds=${subnets.join()}`];
    await administer(
        "eks",
        "create-cluster",
        "--name",
        name,
        "--role-arn",
        `arn:aws:iam::${account}:role/eks`,
        ...network,
    );
}

/** It is created, stays as it is, also for who watches, and is destroyed but for what is protected. */
export async function lived({ name, title, settings: given, change }: Life, existing: Existing): Promise<void> {
    const own = at(given, "aws", "cluster", "kind") === "new";
    const settings = configured(inAccount(given, name, existing), {
        "aws.name": name,
        "aws.deployerRoleArns": [roleOf(name)],
        "aws.watcherRoleArns": [watcherRoleOf(name)],
        "kubernetes.namespace": name,
        // By another stack's kubeconfig: the API server of these tests lacks what the program looks for in a cluster of its context.
        ...(!own && { "aws.cluster": otherCluster }),
        ...(fields(given["aws"])["registry"] !== false && {
            "registry.prefix": `${account}.dkr.ecr.eu-central-1.amazonaws.com/${name}`,
        }),
    });
    if (!own) await makeCluster(name, existing);
    const watch = await watcherOf(name);
    const stack = await startOwnStack("prod", settings, "real", await deployerOf(name));
    try {
        await makeStacks(stack.folder, inAccount(otherStacks, name, existing));
        await stack.run("up", "--yes", "--skip-preview", ...ofAws);
        expect(told(changed(await stack.steps(...ofAws)))).toEqual([]);
        await stack.run("refresh", "--yes", "--skip-preview", "--expect-no-changes");
        const watching = stack.by(watch);
        expect(told(changed(await watching.steps(...ofAws)))).toEqual([]);
        await watching.run("refresh", "--preview-only", "--expect-no-changes");
        if (change !== undefined) {
            await stack.configure(configured(settings, change.to));
            const steps = changed(await stack.steps(...ofAws));
            for (const [resource, properties] of Object.entries(change.properties)) {
                const found = steps.filter((step) => nameOf(step) === resource && /(\$|::)aws:/.test(step.urn));
                expect(
                    found.map(({ op }) => op),
                    resource,
                ).toEqual(["update"]);
                expect(found[0]?.changes, resource).toEqual(expect.arrayContaining([...properties]));
            }
            await stack.run("up", "--yes", "--skip-preview", ...ofAws);
            expect(told(changed(await stack.steps(...ofAws)))).toEqual([]);
        }
        const before = await stack.resources();
        await stack.run("destroy", "--yes", "--skip-preview", "--exclude-protected");
        const left = await stack.resources();
        const kept = before.filter((each) => each.protected);
        expect(left).toEqual(expect.arrayContaining(kept));
        expect(kept.map((each) => each.name)).toEqual(expect.arrayContaining(["postgres", "valkey"]));
        expect(left.length).toBeLessThan(before.length);
        console.log(
            `${title}: ${kept.length} of ${before.length} resources are protected; destroy left ${left.length}`,
        );
    } finally {
        await stack.end();
    }
}
