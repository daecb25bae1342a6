/** Where AWS Backup copies recovery points to, and who else may use the data key for that. */
import type * as aws from "@pulumi/aws";
import type { Aws } from "../config/schema.aws";

type Copy = Aws["backupPlan"]["copies"][number];

export interface VaultId {
    readonly region: string;
    readonly account: string;
    readonly name: string;
}

/** @param arn  such as arn:aws:backup:eu-central-1:444455556666:backup-vault:orcheo */
export function vaultId(arn: string): VaultId {
    const [, , , region = "", account = "", , name = ""] = arn.split(":");
    return { region, account, name };
}

/** The vault that a copy ends in. The stack's own bear its name in every region. */
export function destinationOf(copy: Copy, { accountId, name }: Pick<Aws, "accountId" | "name">): VaultId {
    return copy.kind === "region" ? { region: copy.region, account: accountId, name } : vaultId(copy.arn);
}

/** Accounts other than the stack's own that recovery points are copied to, each once. */
export function otherAccounts(settings: Pick<Aws, "accountId" | "backupPlan" | "name">): readonly string[] {
    const accounts = settings.backupPlan.copies.map((copy) => destinationOf(copy, settings).account);
    return [...new Set(accounts)].filter((account) => account !== settings.accountId).sort();
}

/**
 * AWS Backup of the other account decrypts the database's snapshot, which RDS encrypts with the data key, and nobody else there does.
 *
 * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/create-cross-account-backup.html
 * @see https://aws.amazon.com/blogs/storage/how-encryption-works-in-aws-backup/
 */
export function planKeySharing(
    settings: Pick<Aws, "accountId" | "backupPlan" | "name">,
): readonly aws.iam.PolicyStatement[] {
    const accounts = otherAccounts(settings);
    if (accounts.length === 0) return [];
    const arns = (resource: string) => accounts.map((account) => `arn:aws:iam::${account}:${resource}`);
    const copying = { AWS: arns("root") };
    const byBackup = {
        ArnEquals: { "aws:PrincipalArn": arns("role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup") },
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
