import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Aws } from "../config/schema.aws";
import { planBackupAlarms } from "./alarms.plan";
import { declareAlarms } from "./monitoring";
import { keyOf } from "./keys";
import { planCopiesKey, servicePolicy } from "./policies.plan";

type RegionCopy = Extract<Aws["backupPlan"]["copies"][number], { kind: "region" }>;

export interface BackupArgs {
    readonly settings: Aws;
    readonly dataKeyArn: pulumi.Output<string>;
    readonly topicArn: pulumi.Output<string>;
}

const managed = (policy: string) => `arn:aws:iam::aws:policy/${policy}`;
const policies = {
    backup: managed("service-role/AWSBackupServiceRolePolicyForBackup"),
    restore: managed("service-role/AWSBackupServiceRolePolicyForRestores"),
    "s3-backup": managed("AWSBackupServiceRolePolicyForS3Backup"),
    "s3-restore": managed("AWSBackupServiceRolePolicyForS3Restore"),
};

/** Named one by one: selected by tag, AWS Backup silently skips services that the account has not opted in to. */
const kinds = ["arn:aws:rds:*:*:db:*", "arn:aws:rds:*:*:cluster:*", "arn:aws:s3:::*"];

/**
 * Backups apart from the database's own: they outlive it. Takes the databases and buckets that carry the tag Backup.
 *
 * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/iam-service-roles.html
 * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources-json.html
 */
export class BackupPlan extends pulumi.ComponentResource {
    constructor(name: string, { settings, dataKeyArn, topicArn }: BackupArgs, opts?: pulumi.ComponentResourceOptions) {
        super("orcheo:index:AwsBackupPlan", name, {}, opts);
        const child = { parent: this };
        const vault = new aws.backup.Vault(
            `${name}-vault`,
            { name: settings.name, kmsKeyArn: dataKeyArn },
            { ...child, protect: true, retainOnDelete: true },
        );
        const role = new aws.iam.Role(
            `${name}-role`,
            {
                namePrefix: `${settings.name}-aws-backup-`,
                assumeRolePolicy: servicePolicy("backup.amazonaws.com"),
            },
            child,
        );
        const attached = Object.entries(policies).map(
            ([policy, policyArn]) =>
                new aws.iam.RolePolicyAttachment(`${name}-${policy}`, { role: role.name, policyArn }, child),
        );
        const copies = settings.backupPlan.copies.map((copy) =>
            copy.kind === "vault" ? pulumi.output(copy.arn) : this.vaultIn(`${name}-${copy.region}`, copy, settings),
        );
        const { dailyRetentionDays, monthlyRetentionDays } = settings.backupPlan;
        const rule = (ruleName: string, schedule: string, deleteAfter: number) => ({
            ruleName,
            targetVaultName: vault.name,
            schedule,
            startWindow: 60,
            completionWindow: 480,
            lifecycle: { deleteAfter },
            ...(copies.length > 0 && {
                copyActions: copies.map((destinationVaultArn) => ({ destinationVaultArn, lifecycle: { deleteAfter } })),
            }),
        });
        const plan = new aws.backup.Plan(
            `${name}-plan`,
            {
                name: settings.name,
                rules: [
                    // Away from the windows of the database itself.
                    rule("daily", "cron(0 6 * * ? *)", dailyRetentionDays),
                    rule("monthly", "cron(0 8 1 * ? *)", monthlyRetentionDays),
                ],
            },
            child,
        );
        new aws.backup.Selection(
            `${name}-selection`,
            {
                name: settings.name,
                planId: plan.id,
                iamRoleArn: role.arn,
                resources: kinds,
                conditions: [{ stringEquals: [{ key: "aws:ResourceTag/Backup", value: settings.name }] }],
            },
            // It cannot be changed, and its name not be had twice.
            { ...child, dependsOn: attached, deleteBeforeReplace: true },
        );
        declareAlarms(planBackupAlarms(settings.name, copies.length > 0), topicArn, child);
        this.registerOutputs({});
    }

    /** A vault in another region, under a key of that region; its name is that of the first vault. */
    private vaultIn(name: string, { region, keyArn: existing }: RegionCopy, settings: Aws): pulumi.Output<string> {
        const child = { parent: this };
        const kmsKeyArn = keyOf(
            `${name}-key`,
            {
                existing,
                alias: `${settings.name}-backup`,
                description: "Orcheo: copies of the backups",
                policy: planCopiesKey(settings),
                region,
            },
            child,
        );
        const vault = new aws.backup.Vault(
            `${name}-vault`,
            { region, name: settings.name, kmsKeyArn },
            { ...child, protect: true, retainOnDelete: true },
        );
        return vault.arn;
    }
}
