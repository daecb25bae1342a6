/** Decisions for PostgreSQL on RDS: safe settings are not optional. */
import type * as aws from "@pulumi/aws";
import { ports } from "../config/ports";
import { auditParameters } from "../config/schema.audit";
import type { Aws } from "../config/schema.aws";
import type { RdsSettings } from "../config/schema.aws.data";

export const databaseName = "orcheo";
/** Makes the users and rotates their passwords; Orcheo itself never uses it. */
export const masterName = "orcheo_admin";

export const identifierOf = ({ name }: Aws): string => `${name}-database`;
export const logExports = ["postgresql", "upgrade"];

/** RDS publishes the logs to groups of these names. */
export function planLogGroups(identifier: string, { deployment }: RdsSettings): readonly string[] {
    return logExports.map((log) => `/aws/rds/${deployment.kind}/${identifier}/${log}`);
}

/** Arguments that instances and clusters have in common. */
type Common<One, Other> = Partial<Pick<One, keyof One & keyof Other>>;
export type CommonArgs = Common<aws.rds.InstanceArgs, aws.rds.ClusterArgs>;

/** As RDS wants them. */
const flags: Readonly<Record<string, string>> = { off: "0", on: "1" };

/**
 * Statements are not logged, for they hold values of workflows and, when users change, passwords; slow ones are.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL.Concepts.General.SSL.html
 */
export function planParameters({
    engineMajor,
    blueGreenUpdates,
    audit,
}: Pick<RdsSettings, "audit" | "blueGreenUpdates" | "engineMajor">): Common<
    aws.rds.ParameterGroupArgs,
    aws.rds.ClusterParameterGroupArgs
> & {
    readonly family: string;
} {
    return {
        family: `postgres${engineMajor}`,
        description: "Orcheo",
        parameters: [
            { name: "rds.force_ssl", value: "1" },
            { name: "log_connections", value: "1" },
            { name: "log_disconnections", value: "1" },
            { name: "log_lock_waits", value: "1" },
            { name: "log_min_duration_statement", value: "2000" },
            // As in images/postgres/postgresql.conf: no values of statements in the log.
            { name: "log_parameter_max_length", value: "0" },
            { name: "idle_in_transaction_session_timeout", value: "600000" },
            // RDS fills the copy of another major version by logical replication, which takes a restart to be turned on.
            ...(blueGreenUpdates
                ? [{ name: "rds.logical_replication", value: "1", applyMethod: "pending-reboot" }]
                : []),
            // The first is RDS' own default.
            ...(audit.length === 0
                ? []
                : [
                      {
                          name: "shared_preload_libraries",
                          value: "pg_stat_statements,pgaudit",
                          applyMethod: "pending-reboot",
                      },
                  ]),
            ...Object.entries(auditParameters(audit)).map(([name, value]) => ({ name, value: flags[value] ?? value })),
        ],
    };
}

/** What an instance and a cluster have in common. */
function planShared(identifier: string, settings: RdsSettings, account: Pick<Aws, "name">) {
    return {
        engine: "postgres",
        engineVersion: String(settings.engineMajor),
        allocatedStorage: settings.storageGiB,
        storageType: "gp3",
        storageEncrypted: true,
        port: ports.postgres,
        autoMinorVersionUpgrade: true,
        // Only engineMajor changes the major version.
        allowMajorVersionUpgrade: true,
        backupRetentionPeriod: settings.backupRetentionDays,
        copyTagsToSnapshot: true,
        deleteAutomatedBackups: false,
        deletionProtection: true,
        skipFinalSnapshot: false,
        finalSnapshotIdentifier: `${identifier}-final`,
        enabledCloudwatchLogsExports: logExports,
        performanceInsightsEnabled: true,
        performanceInsightsRetentionPeriod: 7,
        databaseInsightsMode: "standard",
        monitoringInterval: 60,
        tags: { Backup: account.name },
    } satisfies CommonArgs;
}

export function planInstance(
    identifier: string,
    settings: RdsSettings,
    maxStorageGiB: number,
    account: Pick<Aws, "name">,
): Omit<aws.rds.InstanceArgs, "password"> {
    return {
        ...planShared(identifier, settings, account),
        identifier,
        instanceClass: settings.instanceClass,
        dbName: databaseName,
        username: masterName,
        multiAz: true,
        maxAllocatedStorage: maxStorageGiB,
        publiclyAccessible: false,
        caCertIdentifier: settings.certificateAuthority,
        backupWindow: settings.backupWindow,
        maintenanceWindow: settings.maintenanceWindow,
        ...(settings.blueGreenUpdates && { blueGreenUpdate: { enabled: true } }),
    };
}

/** @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/multi-az-db-clusters-concepts.html */
export function planCluster(
    identifier: string,
    settings: RdsSettings,
    iops: number | undefined,
    account: Pick<Aws, "name">,
): Omit<aws.rds.ClusterArgs, "masterPassword"> {
    return {
        ...planShared(identifier, settings, account),
        clusterIdentifier: identifier,
        dbClusterInstanceClass: settings.instanceClass,
        databaseName,
        masterUsername: masterName,
        caCertificateIdentifier: settings.certificateAuthority,
        preferredBackupWindow: settings.backupWindow,
        preferredMaintenanceWindow: settings.maintenanceWindow,
        ...(iops !== undefined && { iops }),
    };
}
