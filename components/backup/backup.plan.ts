/** Scheduled dumps of the database: their settings and network access. */
import type { types } from "@pulumi/kubernetes";
import type { Input } from "@pulumi/pulumi";
import type { Backup } from "../config/derived";
import type { S3 } from "../config/schema.backup";
import { objectLabels } from "../kubernetes/labels";
import { planPod, type PodSettings } from "../kubernetes/pod.plan";
import { proxyEnvironment, type ProxySettings } from "../kubernetes/proxy.plan";
import { planTrust, trustEnvironment, trustMount } from "../kubernetes/trust.plan";
import * as volumes from "../kubernetes/volumes.plan";
import { reachOf, type ReachSettings } from "../network/network.plan";
import { caDir, trustFile, type Server } from "../servers/servers.plan";

/** Ready made for `kubectl create job --from`. */
export const cronJobName = "backup";

/** Exit code 78: permanent failure, retrying will not help. */
const refusedCode = 78;
const keptDays = 7;
const authorityDir = "/etc/orcheo/s3-ca";

export type BackupSettings = PodSettings & ProxySettings & ReachSettings;

export interface BackupInputs {
    readonly namespace: Input<string>;
    readonly image: Input<string>;
    readonly serviceAccountName: Input<string>;
    readonly bucket: Input<string>;
    readonly kmsKeyId?: Input<string>;
    readonly database: Pick<Server, "url" | "trust">;
    /** Secret with `postgres-dsn`, where the program knows the URL. */
    readonly secretName?: Input<string>;
    /** Secret whose ca.crt is the stack's CA. */
    readonly authoritySecret: Input<string>;
    /** Of the store's certificate. */
    readonly authority: Server["trust"];
    /** ConfigMap of private authorities. */
    readonly trustConfigMap?: Input<string>;
}

function planEnvironment(settings: Backup, stack: BackupSettings, inputs: BackupInputs): Record<string, Input<string>> {
    const { endpoint, region, prefix } = settings;
    const { authority, database, kmsKeyId, trustConfigMap } = inputs;
    const own = authority.kind !== "system";
    return {
        ...proxyEnvironment(stack),
        ...(trustConfigMap !== undefined && trustEnvironment),
        ...(own && { AWS_CA_BUNDLE: `${authorityDir}/ca.crt` }),
        BACKUP_BUCKET: inputs.bucket,
        BACKUP_PREFIX: prefix,
        BACKUP_REGION: region,
        ...(endpoint !== undefined && { BACKUP_ENDPOINT: endpoint }),
        ...(kmsKeyId !== undefined && { BACKUP_KMS_KEY_ID: kmsKeyId }),
        PGSSLROOTCERT: trustFile("database", database.trust),
        ...(database.url.kind === "secret" && { POSTGRES_PORT_OPEN: String(reachOf(stack, "database").port) }),
    };
}

/** The database's URL, and the keys of the bucket where there are such. */
function planFiles({ credentials }: S3, { database, secretName }: BackupInputs): volumes.SecretFiles[] {
    const { url } = database;
    return [
        ...(url.kind === "secret"
            ? [{ secretName: url.secretName, keys: [{ key: url.key, path: "postgres-dsn" }] }]
            : []),
        ...(secretName === undefined ? [] : [{ secretName, keys: ["postgres-dsn"] }]),
        ...(credentials?.kind === "secret"
            ? [
                  {
                      secretName: credentials.name,
                      keys: [
                          { key: credentials.accessKeyIdKey, path: "access-key-id" },
                          { key: credentials.secretAccessKeyKey, path: "secret-access-key" },
                      ],
                  },
              ]
            : []),
    ];
}

export function planBackup(
    settings: Backup,
    stack: BackupSettings,
    inputs: BackupInputs,
): types.input.batch.v1.CronJob {
    const { image, database, trustConfigMap } = inputs;
    const template = planPod({
        role: "backup",
        serviceAccountName: inputs.serviceAccountName,
        stack,
        terminationGraceSeconds: 30,
        restartPolicy: "Never",
        ...(trustConfigMap !== undefined && { initContainers: [planTrust(image, trustConfigMap)] }),
        containers: [
            {
                name: "backup",
                image,
                env: planEnvironment(settings, stack, inputs),
                resources: settings.resources,
                mounts: [
                    volumes.secretFiles(planFiles(settings, inputs)),
                    ...(database.trust.kind === "stack" ? [volumes.stackCa(inputs.authoritySecret)] : []),
                    ...volumes.trusted("database-ca", database.trust, caDir("database")),
                    ...volumes.trusted("s3-ca", inputs.authority, authorityDir),
                    ...(trustConfigMap === undefined ? [] : [trustMount]),
                    // The password passes through it.
                    volumes.scratch("tmp", "/tmp", 16, "Memory"),
                ],
            },
        ],
    });
    return {
        metadata: {
            name: cronJobName,
            namespace: inputs.namespace,
            labels: objectLabels("backup"),
        },
        spec: {
            schedule: settings.schedule,
            timeZone: "Etc/UTC",
            concurrencyPolicy: "Forbid",
            // As late as that after an outage of the cluster's own.
            startingDeadlineSeconds: 3600,
            successfulJobsHistoryLimit: 3,
            failedJobsHistoryLimit: 3,
            jobTemplate: {
                spec: {
                    backoffLimit: 2,
                    activeDeadlineSeconds: settings.deadlineMinutes * 60,
                    ttlSecondsAfterFinished: keptDays * 86_400,
                    podFailurePolicy: {
                        rules: [
                            // A drained node is no failure.
                            { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
                            {
                                action: "FailJob",
                                onExitCodes: { containerName: "backup", operator: "In", values: [refusedCode] },
                            },
                        ],
                    },
                    template,
                },
            },
        },
    };
}
