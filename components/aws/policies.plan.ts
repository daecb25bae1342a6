/** Policy documents. Each allows named actions on named resources. */
import type * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Aws } from "../config/schema.aws";
import { otherAccounts } from "./backup-copies.plan";

type Statement = aws.iam.PolicyStatement;
type Text = pulumi.Input<string>;

export function policyDocument(statements: readonly Statement[]): pulumi.Output<string> {
    const document: aws.iam.PolicyDocument = { Version: "2012-10-17", Statement: [...statements] };
    return pulumi.jsonStringify(document);
}

/** An AWS service may assume the role, only on behalf of this account if the service supports that condition. */
export function servicePolicy(service: string, accountId?: string): pulumi.Output<string> {
    return policyDocument([
        {
            Effect: "Allow",
            Principal: { Service: service },
            Action: "sts:AssumeRole",
            ...(accountId !== undefined && { Condition: { StringEquals: { "aws:SourceAccount": accountId } } }),
        },
    ]);
}

export const rootOf = (accountId: string) => `arn:aws:iam::${accountId}:root`;

const iamOf = (accountId: string): Statement => ({
    Sid: "Iam",
    Effect: "Allow",
    Principal: { AWS: rootOf(accountId) },
    Action: "kms:*",
    Resource: "*",
});

/** Services that notify people. */
const notifying = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"];
const managedPrometheus = "aps.amazonaws.com";

/**
 * The key of database, cache, bucket, images, logs and metrics: IAM says who uses it; services that act for the account may too.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
 */
export function planDataKey(settings: Aws): readonly Statement[] {
    const { accountId, region, prometheus } = settings;
    const use = ["kms:Decrypt", "kms:GenerateDataKey*"];
    return [
        iamOf(accountId),
        {
            Sid: "Logs",
            Effect: "Allow",
            Principal: { Service: `logs.${region}.amazonaws.com` },
            Action: [...use, "kms:Encrypt", "kms:ReEncrypt*", "kms:DescribeKey"],
            Resource: "*",
            Condition: {
                ArnLike: { "kms:EncryptionContext:aws:logs:arn": `arn:aws:logs:${region}:${accountId}:log-group:*` },
            },
        },
        {
            Sid: "Alarms",
            Effect: "Allow",
            Principal: { Service: prometheus === undefined ? notifying : [...notifying, managedPrometheus] },
            Action: use,
            Resource: "*",
            Condition: { StringEquals: { "aws:SourceAccount": accountId } },
        },
        ...(prometheus === undefined ? [] : [planKeyOfMetrics(settings)]),
        ...planKeySharing(settings),
    ];
}

/**
 * Principals of the account that create, write to or query a workspace use the key, through that service alone.
 *
 * @see https://docs.aws.amazon.com/prometheus/latest/userguide/encryption-at-rest-Amazon-Service-Prometheus.html
 */
function planKeyOfMetrics({ accountId, region }: Aws): Statement {
    return {
        Sid: "Metrics",
        Effect: "Allow",
        Principal: { AWS: "*" },
        Action: ["kms:DescribeKey", "kms:CreateGrant", "kms:GenerateDataKey", "kms:Decrypt"],
        Resource: "*",
        Condition: {
            StringEquals: { "kms:ViaService": `aps.${region}.amazonaws.com`, "kms:CallerAccount": accountId },
        },
    };
}

/**
 * AWS Backup of the other account decrypts the database's snapshot, which RDS encrypts with the data key, and nobody else there does.
 *
 * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/create-cross-account-backup.html
 * @see https://aws.amazon.com/blogs/storage/how-encryption-works-in-aws-backup/
 */
function planKeySharing(settings: Pick<Aws, "accountId" | "backupPlan" | "name">): readonly Statement[] {
    const accounts = otherAccounts(settings);
    if (accounts.length === 0) return [];
    const copying = { AWS: accounts.map(rootOf) };
    const role = "role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup";
    const byBackup = {
        ArnEquals: { "aws:PrincipalArn": accounts.map((account) => `arn:aws:iam::${account}:${role}`) },
    };
    return [
        {
            Sid: "BackupCopies",
            Effect: "Allow",
            Principal: copying,
            Action: ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
            Resource: "*",
            Condition: byBackup,
        },
        {
            Sid: "BackupCopyGrants",
            Effect: "Allow",
            Principal: copying,
            Action: "kms:CreateGrant",
            Resource: "*",
            Condition: { ...byBackup, Bool: { "kms:GrantIsForAWSResource": "true" } },
        },
    ];
}

/** The key of copies in another region: IAM says who uses it. */
export function planCopiesKey({ accountId }: Pick<Aws, "accountId">): readonly Statement[] {
    return [iamOf(accountId)];
}

/** What administers a key without being able to read anything with it: by CreateGrant an administrator would let itself. */
const administration = [
    ...["CreateAlias", "Describe*", "Enable*", "List*", "Put*", "Update*", "Revoke*", "Disable*", "Get*", "Delete*"],
    ...["TagResource", "UntagResource", "ScheduleKeyDeletion", "CancelKeyDeletion", "RotateKeyOnDemand"],
].map((action) => `kms:${action}`);

/** The vault's key: backend and previews read it and Pulumi writes it, all through Secrets Manager only; access is otherwise denied. */
export function planVaultKey(settings: Aws, backendRoleArn: Text): readonly Statement[] {
    const { accountId, deployerRoleArns, watcherRoleArns } = settings;
    const condition = { Condition: throughSecretsManager(settings) };
    return [
        {
            Sid: "Administer",
            Effect: "Allow",
            Principal: { AWS: rootOf(accountId) },
            Action: administration,
            Resource: "*",
        },
        {
            Sid: "Write",
            Effect: "Allow",
            Principal: { AWS: [...deployerRoleArns] },
            Action: ["kms:GenerateDataKey", "kms:Decrypt"],
            Resource: "*",
            ...condition,
        },
        {
            Sid: "Read",
            Effect: "Allow",
            Principal: { AWS: watcherRoleArns.length === 0 ? backendRoleArn : [backendRoleArn, ...watcherRoleArns] },
            Action: "kms:Decrypt",
            Resource: "*",
            ...condition,
        },
    ];
}

const throughSecretsManager = ({ region, accountId }: Aws) => ({
    StringEquals: { "kms:ViaService": `secretsmanager.${region}.amazonaws.com`, "kms:CallerAccount": accountId },
});

/** The backend reads the vault's key, and nothing else of AWS. */
export function planBackendPolicy(settings: Aws, vault: { secretArn: Text; keyArn: Text }): readonly Statement[] {
    return [
        { Effect: "Allow", Action: "secretsmanager:GetSecretValue", Resource: vault.secretArn },
        { Effect: "Allow", Action: "kms:Decrypt", Resource: vault.keyArn, Condition: throughSecretsManager(settings) },
    ];
}

/**
 * The cluster autoscaler sees every group of nodes, and changes those that EKS made for this cluster.
 *
 * @see https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/README.md
 */
export function planAutoscalerPolicy({ name, region, accountId }: Aws): readonly Statement[] {
    const groups = ["AutoScalingGroups", "AutoScalingInstances", "LaunchConfigurations", "ScalingActivities", "Tags"];
    return [
        {
            Effect: "Allow",
            Action: [
                ...groups.map((each) => `autoscaling:Describe${each}`),
                ...["DescribeImages", "DescribeInstanceTypes", "DescribeLaunchTemplateVersions"].map(
                    (each) => `ec2:${each}`,
                ),
                "ec2:GetInstanceTypesFromInstanceRequirements",
            ],
            Resource: "*",
        },
        {
            Effect: "Allow",
            Action: "eks:DescribeNodegroup",
            Resource: `arn:aws:eks:${region}:${accountId}:nodegroup/${name}/*`,
        },
        {
            Effect: "Allow",
            Action: ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"],
            Resource: `arn:aws:autoscaling:${region}:${accountId}:autoScalingGroup:*:autoScalingGroupName/eks-*`,
            Condition: { StringEquals: { [`aws:ResourceTag/k8s.io/cluster-autoscaler/${name}`]: "owned" } },
        },
    ];
}

export const backupPrefix = "backups/";

/** The backup Job only writes below one prefix; it cannot read or delete existing objects. */
export function planBackupPolicy(bucket: { arn: Text; keyArn: Text }, region: string): readonly Statement[] {
    return [
        {
            Effect: "Allow",
            Action: ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
            Resource: pulumi.interpolate`${bucket.arn}/${backupPrefix}*`,
        },
        {
            // Decrypt: the parts of a large upload are put together by S3 with the caller's permissions.
            Effect: "Allow",
            Action: ["kms:GenerateDataKey", "kms:Decrypt"],
            Resource: bucket.keyArn,
            Condition: { StringEquals: { "kms:ViaService": `s3.${region}.amazonaws.com` } },
        },
    ];
}

/** Plain http, and TLS before 1.2, are refused. */
export function planBucketPolicy(arn: Text): readonly Statement[] {
    const everything = {
        Effect: "Deny" as const,
        Principal: "*",
        Action: "s3:*",
        Resource: [arn, pulumi.interpolate`${arn}/*`],
    };
    return [
        { Sid: "OnlyTls", ...everything, Condition: { Bool: { "aws:SecureTransport": "false" } } },
        { Sid: "OnlyTls12", ...everything, Condition: { NumericLessThan: { "s3:TlsVersion": "1.2" } } },
    ];
}

/**
 * Who may publish to the topic of the alarms.
 *
 * @param workspaceArn  of the managed Prometheus that sends its alerts there
 * @see https://docs.aws.amazon.com/prometheus/latest/userguide/AMP-alertmanager-receiver-AccessPermission.html
 */
export function planTopicPolicy(topicArn: Text, accountId: string, workspaceArn?: Text): readonly Statement[] {
    const ours = { StringEquals: { "aws:SourceAccount": accountId } };
    const publish = { Effect: "Allow", Action: "sns:Publish", Resource: topicArn } as const;
    return [
        { ...publish, Principal: { Service: notifying }, Condition: ours },
        ...(workspaceArn === undefined
            ? []
            : [
                  {
                      ...publish,
                      Principal: { Service: managedPrometheus },
                      Action: ["sns:Publish", "sns:GetTopicAttributes"],
                      Condition: { ...ours, ArnEquals: { "aws:SourceArn": workspaceArn } },
                  },
              ]),
    ];
}

/** Permission to write metrics to the workspace, and nothing else. */
export function planWriterPolicy(workspaceArn: Text): readonly Statement[] {
    return [{ Effect: "Allow", Action: "aps:RemoteWrite", Resource: workspaceArn }];
}
