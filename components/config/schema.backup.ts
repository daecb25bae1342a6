/** Settings of the dumps that the stack itself makes of its database. */
import { Cron } from "croner";
import { z } from "zod";
import { flag, kind, objectName, oneOf, origin, resources, secretKey, text, whole, words } from "./fields";
import { authority, reach } from "./schema.data";

/**
 * What Kubernetes and all crons read alike: numbers, lists, ranges and steps, and a day that the calendar has.
 *
 * @see https://github.com/Hexagon/croner
 */
function isSchedule(value: string): boolean {
    if (!/^[\d*,/-]+( [\d*,/-]+){3} [0-6*,/-]+$/.test(value)) return false;
    try {
        const schedule = new Cron(value, { paused: true, mode: "5-part", sloppyRanges: true, timezone: "UTC" });
        return schedule.nextRun() !== null;
    } catch {
        return false;
    }
}

/** The longest time between two of the next runs, in seconds. */
export function longestGapSeconds(schedule: string): number {
    const cron = new Cron(schedule, { paused: true, mode: "5-part", sloppyRanges: true, timezone: "UTC" });
    const runs = cron.nextRuns(100).map((run) => run.getTime() / 1000);
    return Math.max(0, ...runs.slice(1).map((run, index) => run - (runs[index] ?? run)));
}

const schedule = () => {
    const accepted = "minute, hour, day, month and weekday (0-6) as cron has them, such as 17 2 * * *";
    return z.string({ error: accepted }).refine(isSchedule, { error: accepted }).meta({ accepted });
};

const credentials = oneOf([
    z.strictObject({ kind: kind("identity") }),
    z.strictObject({
        kind: kind("secret"),
        name: objectName().describe("Secret in the namespace, mounted as files into the backup's pods alone."),
        accessKeyIdKey: secretKey().default("access-key-id").describe("Key of the access key's id."),
        secretAccessKeyKey: secretKey().default("secret-access-key").describe("Key of the secret access key."),
    }),
]);

export const s3 = z.strictObject({
    kind: kind("s3"),
    schedule: schedule().default("17 2 * * *").describe("When, in UTC."),
    bucket: text(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "the name of a bucket")
        .optional()
        .describe("Bucket, which keeps versions and says how long; default that of aws.bucket."),
    region: words("a region such as eu-central-1")
        .optional()
        .describe("Region of the bucket; default aws.region, else us-east-1, which other stores mostly go by."),
    prefix: text(/^([A-Za-z0-9._-]+\/)+$/, "a path such as backups/orcheo/, with a slash at its end")
        .optional()
        .describe("Prefix of the objects' names; default backups/<namespace>/."),
    endpoint: origin("a URL such as https://minio.example.com:9000, without a path")
        .optional()
        .describe("A store that speaks S3 (MinIO, Ceph, a VPC endpoint); default AWS."),
    plainHttp: flag()
        .default(false)
        .describe("Unsafe: use plain http; anyone on the network path can read the whole database."),
    authority,
    port: whole(1, 65_535)
        .optional()
        .describe(
            "Port of the store's pods or addresses, which the NetworkPolicy opens; default that of the endpoint.",
        ),
    reach,
    credentials: credentials
        .optional()
        .describe(
            "`identity`: that of the ServiceAccount (EKS Pod Identity, IRSA), the default with aws. `secret`: keys of a Secret. They need to write below the prefix (s3:PutObject, s3:AbortMultipartUpload), and nothing else.",
        ),
    kmsKeyId: words("a KMS key's id or ARN")
        .optional()
        .describe("KMS key that the store encrypts with; default that of aws.bucket, elsewhere as the bucket does it."),
    deadlineMinutes: whole(1, 1440).default(240).describe("A backup that takes longer is ended and counts as failed."),
    staleAfterHours: whole(1, 8784)
        .default(26)
        .describe("Age of the last good backup from which on it is too old: the output `backups.fresh` then fails."),
    resources: resources({
        cpuRequestMillis: 100,
        cpuLimitMillis: 1000,
        memoryRequestMiB: 192,
        memoryLimitMiB: 384,
        ephemeralRequestMiB: 16,
    }),
});

export const backup = oneOf([z.strictObject({ kind: kind("none") }), s3])
    .optional()
    .describe(
        "Dumps of the database in an S3 bucket, by a CronJob; docs/runbooks/restore-backup.md. Left out: `s3` with the section aws, else `none`.",
    );

/** Where dumps go, and how often. */
export type S3 = z.output<typeof s3>;
