import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Cloud } from "../aws/aws";
import type { Backend } from "../backend/backend";
import type { Backup as Settings } from "../config/derived";
import type { Stack } from "../config/schema";
import type { Database } from "../database/database";
import type { Images } from "../images/images";
import { secretOf } from "../kubernetes/secret";
import { serviceAccount, type AccountSettings } from "../kubernetes/service-account";
import { trustOf } from "../servers/servers";
import { cronJobName, planBackup, type BackupSettings } from "./backup.plan";

export interface BackupArgs {
    readonly stack: BackupSettings & AccountSettings & Pick<Stack, "backup" | "kubectl">;
    readonly namespace: pulumi.Input<string>;
    readonly images: Pick<Images, "backup">;
    readonly database: Database;
    readonly backend: Pick<Backend, "authoritySecret" | "trustConfigMap">;
    readonly cloud: Pick<Cloud, "backup">;
}

interface Outputs {
    readonly outputs: { readonly backups?: Readonly<Record<"to" | "fresh" | "now", pulumi.Output<string> | string>> };
}

/** Backups of the configured kind. */
export function createBackup(name: string, args: BackupArgs, opts: pulumi.ComponentResourceOptions): Outputs {
    const settings = args.stack.backup;
    return settings === undefined ? { outputs: {} } : new Backup(name, { ...args, settings }, opts);
}

/**
 * Dumps of the database in an S3 bucket, by schedule. Its pods may write there, and neither read nor delete.
 *
 * @throws where config lets backups pass without a bucket or an image, which it does not
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/
 */
class Backup extends pulumi.ComponentResource implements Outputs {
    readonly outputs: Outputs["outputs"];

    constructor(name: string, args: BackupArgs & { settings: Settings }, opts: pulumi.ComponentResourceOptions) {
        super("orcheo:index:Backup", name, {}, opts);
        const { stack, settings, namespace, images, database, backend, cloud } = args;
        const child = { parent: this };
        const bucket = settings.bucket ?? cloud.backup?.bucket;
        const image = images.backup;
        if (bucket === undefined || image === undefined) throw new Error("backups need a bucket and an image");
        const kmsKeyId = settings.kmsKeyId ?? (settings.bucket === undefined ? cloud.backup?.keyArn : undefined);
        const { url } = database;
        const secret =
            url.kind === "value"
                ? secretOf(`${name}-secret`, { "postgres-dsn": url.value }, namespace, child)
                : undefined;
        const account = { stack, namespace, annotations: cloud.backup?.annotations };
        const plan = planBackup(settings, stack, {
            namespace,
            image,
            serviceAccountName: serviceAccount(`${name}-account`, "backup", account, child),
            bucket,
            kmsKeyId,
            database,
            secretName: secret?.metadata.name,
            authoritySecret: backend.authoritySecret,
            authority: trustOf(`${name}-authority`, settings.authority, namespace, child),
            trustConfigMap: backend.trustConfigMap,
        });
        new k8s.batch.v1.CronJob(name, plan, { ...child, dependsOn: [...database.resources] });
        this.outputs = {
            backups: {
                to: pulumi.interpolate`s3://${bucket}/${settings.prefix}`,
                ...commands(stack.kubectl, settings),
            },
        };
        this.registerOutputs({});
    }
}

/** How to ask for the last good one, and for one more. */
function commands(kubectl: string, settings: Settings) {
    const last = `$(${kubectl} get cronjob ${cronJobName} -o jsonpath='{.status.lastSuccessfulTime}')`;
    return {
        fresh: `last="${last}"; echo "last good backup: \${last:-none}"; test "$(date -d "\${last:-@0}" +%s)" -gt "$(date -d '${settings.staleAfterHours} hours ago' +%s)"`,
        now: `${kubectl} create job --from=cronjob/${cronJobName} "backup-$(date +%s)"`,
    };
}
