/** Alarms of the database, the cache and their backups, sent before users notice. */
import type { DatabaseOf } from "../config/schema";
import type { ElasticacheSettings } from "../config/schema.aws.data";

export interface AlarmPlan {
    readonly name: string;
    readonly description: string;
    readonly namespace: "AWS/RDS" | "AWS/ElastiCache" | "AWS/Backup";
    readonly metricName: string;
    readonly dimensions: Readonly<Record<string, string>>;
    readonly comparisonOperator: "GreaterThanThreshold" | "LessThanThreshold";
    readonly threshold: number;
    readonly statistic: "Average" | "Maximum" | "Minimum" | "Sum";
    /** Consecutive periods. */
    readonly periods: number;
    /** Default five minutes. */
    readonly periodSeconds?: number;
    /** Without any figure there is an alarm too. */
    readonly missingIsBreaching?: true;
}

/** The DB instances by name; those of a cluster are numbered by RDS. */
export function databaseMembers(identifier: string, { deployment }: DatabaseOf<"rds">): readonly string[] {
    return deployment.kind === "instance"
        ? [identifier]
        : [1, 2, 3].map((number) => `${identifier}-instance-${number}`);
}

export function planDatabaseAlarms(identifier: string, settings: DatabaseOf<"rds">): readonly AlarmPlan[] {
    const { cpuPercent, freeStoragePercent, connections } = settings.alarms;
    return databaseMembers(identifier, settings).flatMap((member) => {
        const shared = { namespace: "AWS/RDS", dimensions: { DBInstanceIdentifier: member }, periods: 3 } as const;
        return [
            {
                ...shared,
                name: `${member}-cpu`,
                description: `CPU of ${member} above ${cpuPercent} % for 15 minutes`,
                metricName: "CPUUtilization",
                comparisonOperator: "GreaterThanThreshold",
                threshold: cpuPercent,
                statistic: "Average",
            },
            {
                ...shared,
                name: `${member}-storage`,
                description: `Less than ${freeStoragePercent} % of ${settings.storageGiB} GiB free on ${member}`,
                metricName: "FreeStorageSpace",
                comparisonOperator: "LessThanThreshold",
                // Bytes.
                threshold: Math.floor((settings.storageGiB * 1024 ** 3 * freeStoragePercent) / 100),
                statistic: "Minimum",
            },
            {
                ...shared,
                name: `${member}-connections`,
                description: `More than ${connections} connections to ${member} for 15 minutes`,
                metricName: "DatabaseConnections",
                comparisonOperator: "GreaterThanThreshold",
                threshold: connections,
                statistic: "Average",
            },
        ] as const;
    });
}

/** ElastiCache numbers the nodes of a replication group. */
export function planCacheAlarms(groupId: string, { nodes, alarms }: ElasticacheSettings): readonly AlarmPlan[] {
    return Array.from({ length: nodes }, (_, index) => `${groupId}-${String(index + 1).padStart(3, "0")}`).flatMap(
        (node) => {
            const shared = {
                namespace: "AWS/ElastiCache",
                dimensions: { CacheClusterId: node },
                comparisonOperator: "GreaterThanThreshold",
            } as const;
            return [
                {
                    ...shared,
                    name: `${node}-memory`,
                    description: `Memory of ${node} above ${alarms.memoryPercent} %: at 100 % new runs are refused`,
                    metricName: "DatabaseMemoryUsagePercentage",
                    threshold: alarms.memoryPercent,
                    statistic: "Maximum",
                    periods: 2,
                },
                {
                    ...shared,
                    name: `${node}-evictions`,
                    description: `${node} evicts keys, which may be queued runs`,
                    metricName: "Evictions",
                    threshold: 0,
                    statistic: "Sum",
                    periods: 1,
                },
                {
                    ...shared,
                    name: `${node}-cpu`,
                    description: `CPU of the engine of ${node} above ${alarms.cpuPercent} % for 15 minutes`,
                    metricName: "EngineCPUUtilization",
                    threshold: alarms.cpuPercent,
                    statistic: "Average",
                    periods: 3,
                },
            ] as const;
        },
    );
}

/**
 * A backup or copy that failed, and none that succeeded: the second is on until the first of a new stack.
 *
 * @param copied  whether recovery points are copied to further vaults, which AWS Backup counts under the vault that they come from
 * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/cloudwatch.html
 */
export function planBackupAlarms(vault: string, copied: boolean): readonly AlarmPlan[] {
    const shared = { namespace: "AWS/Backup", dimensions: { BackupVaultName: vault }, statistic: "Sum" } as const;
    const jobs = [
        { job: "Backup", name: `${vault}-backup`, what: `backup to the vault ${vault}` },
        ...(copied ? [{ job: "Copy", name: `${vault}-copy`, what: `copy of a backup of the vault ${vault}` }] : []),
    ];
    return jobs.flatMap(({ job, name, what }) => [
        {
            ...shared,
            name: `${name}-failed`,
            description: `A ${what} failed`,
            metricName: `NumberOf${job}JobsFailed`,
            comparisonOperator: "GreaterThanThreshold",
            threshold: 0,
            periods: 1,
        },
        {
            ...shared,
            name: `${name}-missing`,
            description: `No ${what} succeeded for two days`,
            metricName: `NumberOf${job}JobsCompleted`,
            comparisonOperator: "LessThanThreshold",
            threshold: 1,
            periods: 2,
            periodSeconds: 86_400,
            missingIsBreaching: true,
        },
    ]);
}
