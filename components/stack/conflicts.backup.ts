/** Settings of backups that are each accepted and cannot be meant together. */
import { backupPrefix, destinationOf } from "../aws/aws.plan";
import type { Backup } from "../config/derived";
import type { Problem } from "../config/problems";
import type { Stack } from "../config/schema";
import type { S3 } from "../config/schema.backup";

const key = (rest: string): string => `orcheo:stack.${rest}`;
/** pg_dump's own: it dumps no server that is newer. */
const dumpMajor = 17;

type Rule = (backup: Backup, stack: Stack) => Problem[];

const backupOnly: readonly Rule[] = [withoutAccount, outsideTheRole, plainHttp, (_, stack) => newerServer(stack)];

export const backupRules = [
    ...backupOnly.map(
        (rule) =>
            (stack: Stack): Problem[] =>
                stack.backup === undefined ? [] : rule(stack.backup, stack),
    ),
    copyDestinations,
    copiesOfCluster,
];

/**
 * RDS copies a snapshot to another region or to another account, and not to both at once.
 *
 * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/recov-point-create-a-copy.html
 */
function copyDestinations({ aws }: Pick<Stack, "aws">): Problem[] {
    if (aws === undefined) return [];
    const { copies } = aws.backupPlan;
    const destinations = copies.map((copy) => destinationOf(copy, aws));
    const seen = destinations.map((each) => JSON.stringify(each));
    return destinations.flatMap(({ region, account }, index) => {
        const copy = copies[index];
        const [field, value] = copy?.kind === "vault" ? ["arn", copy.arn] : ["region", region];
        const refused = (found: string, remedy: string): Problem[] => [
            { at: key(`aws.backupPlan.copies[${index}].${field}`), found: `found "${value}"${found}`, remedy },
        ];
        const elsewhere = region !== aws.region;
        const foreign = account !== aws.accountId;
        if (elsewhere && foreign)
            return refused(
                ", of another account and another region",
                `accepted: a vault of that account in ${aws.region}, as RDS copies to one or the other at once`,
            );
        if (!elsewhere && !foreign)
            return refused(
                ", where the backups themselves are",
                `accepted: another region than ${aws.region}, or another account's vault`,
            );
        const first = seen.findIndex((each) => each === seen[index]);
        return first === index ? [] : refused(` again, as in copies[${first}]`, "accepted: each vault once");
    });
}

/** @see https://docs.aws.amazon.com/aws-backup/latest/devguide/recov-point-create-a-copy.html */
function copiesOfCluster({ aws, database }: Pick<Stack, "aws" | "database">): Problem[] {
    const copies = aws?.backupPlan.copies.length ?? 0;
    if (copies === 0 || database.kind !== "rds" || database.deployment.kind !== "cluster") return [];
    return [
        {
            at: key("aws.backupPlan.copies"),
            found: `found ${copies} with database.deployment.kind "cluster", whose snapshots AWS Backup does not copy`,
            remedy: 'accepted: none; or deployment.kind "instance"; or dumps in a bucket elsewhere (aws.bucket, aws.roles.backup)',
        },
    ];
}

function withoutAccount({ bucket, credentials }: S3, { aws }: Pick<Stack, "aws">): Problem[] {
    if (aws !== undefined) return [];
    const missing = (field: string, accepted: string) => [
        { at: key(`backup.${field}`), found: "is missing", remedy: `accepted: ${accepted}` },
    ];
    return [
        ...(bucket === undefined ? missing("bucket", "the name of a bucket; the section aws would bring one") : []),
        ...(credentials === undefined
            ? missing(
                  "credentials",
                  'kind "secret" with the name of a Secret, or "identity" where the cluster gives serviceAccounts.backup one; the section aws would bring one',
              )
            : []),
    ];
}

/** The stack's own role writes to its own bucket, below one prefix. */
function outsideTheRole(backup: Backup, stack: Stack): Problem[] {
    const { aws } = stack;
    if (aws === undefined || aws.roles.backup !== undefined || backup.credentials?.kind === "secret") return [];
    const { prefix } = backup;
    return [
        ...(backup.bucket === undefined
            ? []
            : [
                  {
                      at: key("backup.bucket"),
                      found: `found "${backup.bucket}" with a role that writes to the bucket of aws.bucket alone`,
                      remedy: 'accepted: none; name the bucket in aws.bucket with kind "existing", or a role in aws.roles.backup',
                  },
              ]),
        ...(prefix.startsWith(backupPrefix)
            ? []
            : [
                  {
                      at: key("backup.prefix"),
                      found: `found "${prefix}" with a role that writes below ${backupPrefix} alone`,
                      remedy: `accepted: ${backupPrefix}<path>/; or name a role in aws.roles.backup`,
                  },
              ]),
    ];
}

function plainHttp({ endpoint, plainHttp: allowed }: S3): Problem[] {
    const plain = endpoint?.startsWith("http://") === true;
    if (plain && !allowed)
        return [
            {
                at: key("backup.endpoint"),
                found: `found "${endpoint}"`,
                remedy: "accepted: an https:// URL; or set backup.plainHttp to true, which lets anyone on the network path read the whole database",
            },
        ];
    if (allowed && !plain)
        return [{ at: key("backup.plainHttp"), found: "found true", remedy: "accepted only with an http:// endpoint" }];
    return [];
}

function newerServer({ database }: Pick<Stack, "database">): Problem[] {
    if (database.kind !== "rds" || database.engineMajor <= dumpMajor) return [];
    return [
        {
            at: key("backup.kind"),
            found: `found "s3" with database.engineMajor ${database.engineMajor}`,
            remedy: `accepted: "none" with a PostgreSQL above ${dumpMajor}, which the image's pg_dump does not know; RDS and AWS Backup keep their own`,
        },
    ];
}
