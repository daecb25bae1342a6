/** Alarms of the database and the cache: what is told to people before users notice. */
import type { DatabaseOf } from "../config/schema";
import type { ElasticacheSettings } from "../config/schema.aws.data";

export interface AlarmPlan {
    readonly name: string;
    readonly description: string;
    readonly namespace: "AWS/RDS" | "AWS/ElastiCache";
    readonly metricName: string;
    readonly dimensions: Readonly<Record<string, string>>;
    readonly comparisonOperator: "GreaterThanThreshold" | "LessThanThreshold";
    readonly threshold: number;
    readonly statistic: "Average" | "Maximum" | "Minimum" | "Sum";
    /** Periods of five minutes in a row. */
    readonly periods: number;
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
