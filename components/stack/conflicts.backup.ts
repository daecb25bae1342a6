/** Settings of backups that are each accepted and cannot be meant together. */
import { backupPrefix } from "../aws/aws.plan";
import type { Backup } from "../config/derived";
import type { Problem } from "../config/problems";
import type { Stack } from "../config/schema";
import type { S3 } from "../config/schema.backup";

const key = (rest: string): string => `orcheo:stack.${rest}`;
/** pg_dump's own: it dumps no server that is newer. */
const dumpMajor = 17;

type Rule = (backup: Backup, stack: Stack) => Problem[];

const backupOnly: readonly Rule[] = [withoutAccount, outsideTheRole, plainHttp, (_, stack) => newerServer(stack)];

export const backupRules = backupOnly.map(
    (rule) =>
        (stack: Stack): Problem[] =>
            stack.backup === undefined ? [] : rule(stack.backup, stack),
);

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
