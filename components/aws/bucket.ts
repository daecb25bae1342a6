import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Aws } from "../config/schema.aws";
import { planBucketPolicy, policyDocument } from "./policies.plan";

export interface BucketArgs {
    readonly settings: Aws;
    readonly dataKeyArn: pulumi.Output<string>;
}

/** The bucket of backups and exports: private, versioned, encrypted, TLS only. */
export class Bucket extends pulumi.ComponentResource {
    readonly name: pulumi.Output<string>;
    readonly arn: pulumi.Output<string>;
    readonly keyArn: pulumi.Output<string>;

    constructor(name: string, { settings, dataKeyArn }: BucketArgs, opts?: pulumi.ComponentResourceOptions) {
        super("orcheo:index:AwsBucket", name, {}, opts);
        const config = settings.bucket;
        if (config.kind === "existing") {
            this.name = pulumi.output(config.name);
            this.arn = pulumi.output(`arn:aws:s3:::${config.name}`);
            this.keyArn = config.keyArn === undefined ? dataKeyArn : pulumi.output(config.keyArn);
            this.registerOutputs({});
            return;
        }
        const child = { parent: this };
        const store = new aws.s3.Bucket(
            name,
            {
                bucket: `${settings.name}-data-${settings.accountId}`,
                objectLockEnabled: config.objectLockDays !== undefined,
                tags: { Backup: settings.name },
            },
            { ...child, protect: true, retainOnDelete: true },
        );
        const bucket = store.bucket;
        new aws.s3.BucketOwnershipControls(
            `${name}-owner`,
            { bucket, rule: { objectOwnership: "BucketOwnerEnforced" } },
            child,
        );
        new aws.s3.BucketPublicAccessBlock(
            `${name}-private`,
            {
                bucket,
                blockPublicAcls: true,
                blockPublicPolicy: true,
                ignorePublicAcls: true,
                restrictPublicBuckets: true,
            },
            child,
        );
        const encrypted = { sseAlgorithm: "aws:kms", kmsMasterKeyId: dataKeyArn };
        new aws.s3.BucketServerSideEncryptionConfiguration(
            `${name}-encryption`,
            { bucket, rules: [{ applyServerSideEncryptionByDefault: encrypted, bucketKeyEnabled: true }] },
            child,
        );
        const versioned = new aws.s3.BucketVersioning(
            `${name}-versions`,
            { bucket, versioningConfiguration: { status: "Enabled" } },
            child,
        );
        const after = { ...child, dependsOn: [versioned] };
        new aws.s3.BucketLifecycleConfiguration(
            `${name}-lifecycle`,
            {
                bucket,
                rules: [
                    {
                        id: "age",
                        status: "Enabled",
                        filter: { prefix: "" },
                        transitions: [{ days: config.infrequentAfterDays, storageClass: "STANDARD_IA" }],
                        expiration: { days: config.expireAfterDays },
                        noncurrentVersionExpiration: { noncurrentDays: 90 },
                        abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
                    },
                ],
            },
            after,
        );
        if (config.objectLockDays !== undefined)
            new aws.s3.BucketObjectLockConfiguration(
                `${name}-lock`,
                { bucket, rule: { defaultRetention: { mode: "COMPLIANCE", days: config.objectLockDays } } },
                after,
            );
        new aws.s3.BucketPolicy(
            `${name}-policy`,
            { bucket, policy: policyDocument(planBucketPolicy(store.arn)) },
            child,
        );
        this.name = bucket;
        this.arn = store.arn;
        this.keyArn = dataKeyArn;
        this.registerOutputs({});
    }
}
