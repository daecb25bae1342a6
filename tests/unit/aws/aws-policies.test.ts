import { beforeAll, describe, expect, it } from "vitest";
import { evaluate, evaluateStack } from "../../../policies/evaluate";
import type { Resource } from "../../../policies/rule";
import { rules } from "../../../policies/table";
import { asResources, awsPrograms, everythingNew, exampleOf, sizes } from "../../aws-programs";
import { run as runOnce, type Program } from "../../harness";

/** Every violation, mandatory or not. */
function violations(resources: readonly Resource[]): string[] {
    return rules.flatMap((rule) =>
        rule.scope === "stack"
            ? evaluateStack(rule, resources).map(({ message }) => `${rule.name}: ${message}`)
            : resources.flatMap((resource) => evaluate(rule, resource).map((message) => `${rule.name}: ${message}`)),
    );
}

const programs: readonly (readonly [string, Program])[] = [
    ...awsPrograms,
    ...sizes.map((size) => [`examples/prod-${size}.yaml`, { stack: "prod", settings: exampleOf(size) }] as const),
];

// The mocks leave out what is unknown in a preview, where the engine names it: only an update can be evaluated with them.
it.each(programs)(
    "the policy pack finds nothing in %s",
    async (_, program) => {
        const run = await runOnce(program, false);
        expect(run.error).toBeUndefined();
        expect(violations(asResources(run))).toEqual([]);
    },
    60_000,
);

describe("each safe default that is given up is found", () => {
    let resources: Resource[];
    beforeAll(async () => {
        resources = asResources(await runOnce({ stack: "prod", settings: everythingNew }, false));
    }, 60_000);

    const cluster = "aws:rds/cluster:Cluster";
    const cache = "aws:elasticache/replicationGroup:ReplicationGroup";
    it.each<[string, string, string, Record<string, unknown> | undefined]>([
        ["rds-encrypted", cluster, "postgres", { storageEncrypted: false }],
        ["rds-deletion-protection", cluster, "postgres", { deletionProtection: false }],
        ["rds-final-snapshot", cluster, "postgres", { skipFinalSnapshot: true }],
        ["rds-backup-retention", cluster, "postgres", { backupRetentionPeriod: 0 }],
        ["rds-log-exports", cluster, "postgres", { enabledCloudwatchLogsExports: [] }],
        [
            "rds-forced-tls",
            "aws:rds/clusterParameterGroup:ClusterParameterGroup",
            "postgres-parameters",
            { parameters: [{ name: "rds.force_ssl", value: "0" }] },
        ],
        ["elasticache-auth", cache, "valkey", { userGroupIds: [] }],
        ["elasticache-transit-encryption", cache, "valkey", { transitEncryptionEnabled: false }],
        ["elasticache-rest-encryption", cache, "valkey", { atRestEncryptionEnabled: false }],
        ["kms-rotation", "aws:kms/key:Key", "aws-vault-key", { enableKeyRotation: false }],
        [
            "ecr-immutable-tags",
            "aws:ecr/repository:Repository",
            "aws-images-backend",
            { imageTagMutability: "MUTABLE" },
        ],
        ["ecr-scan-on-push", "aws:ecr/repository:Repository", "aws-images-backend", { imageScanningConfiguration: {} }],
        ["log-retention", "aws:cloudwatch/logGroup:LogGroup", "aws-eks-logs", { retentionInDays: 1 }],
        [
            "s3-public-access-blocked",
            "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
            "aws-bucket-private",
            undefined,
        ],
        ["s3-versioned", "aws:s3/bucketVersioning:BucketVersioning", "aws-bucket-versions", undefined],
        ["s3-tls-only", "aws:s3/bucketPolicy:BucketPolicy", "aws-bucket-policy", undefined],
        [
            "s3-encrypted",
            "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
            "aws-bucket-encryption",
            undefined,
        ],
    ])("%s", (rule, type, name, changed) => {
        const target = resources.find((each) => each.type === type && each.name === name);
        if (target === undefined) throw new Error(`no ${type} ${name}`);
        const others = resources.filter((each) => each !== target);
        const weaker =
            changed === undefined ? others : [...others, { ...target, props: { ...target.props, ...changed } }];
        expect(violations(weaker).map((each) => each.split(":")[0])).toEqual([rule]);
    });
});
