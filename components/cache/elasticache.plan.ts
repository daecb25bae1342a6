/** Decisions for Valkey on ElastiCache: safe settings are not optional. */
import type * as aws from "@pulumi/aws";
import { ports } from "../config/ports";
import type { Aws } from "../config/schema.aws";
import type { ElasticacheSettings } from "../config/schema.aws.data";

export const userName = "orcheo";

export const groupIdOf = ({ name }: Aws): string => `${name}-cache`;

/** All keys and channels, every command that is not dangerous, and `info`: what Celery was seen to need. */
export const accessString = "on ~* &* +@all -@dangerous +info";

/** A full queue refuses new runs, instead of dropping old ones. */
export function planParameters({ engineVersion }: ElasticacheSettings): aws.elasticache.ParameterGroupArgs {
    const [major] = engineVersion.split(".");
    return {
        family: `valkey${major ?? ""}`,
        description: "Orcheo",
        parameters: [{ name: "maxmemory-policy", value: "noeviction" }],
    };
}

export const logTypes = ["slow-log", "engine-log"] as const;

export function planReplicationGroup(
    settings: ElasticacheSettings,
    account: Aws,
): aws.elasticache.ReplicationGroupArgs {
    const id = groupIdOf(account);
    return {
        replicationGroupId: id,
        description: "Orcheo's broker and cache",
        engine: "valkey",
        engineVersion: settings.engineVersion,
        nodeType: settings.nodeType,
        numCacheClusters: settings.nodes,
        port: ports.valkey,
        automaticFailoverEnabled: true,
        multiAzEnabled: true,
        transitEncryptionEnabled: true,
        transitEncryptionMode: "required",
        atRestEncryptionEnabled: true,
        autoMinorVersionUpgrade: true,
        snapshotRetentionLimit: settings.snapshotRetentionDays,
        snapshotWindow: settings.snapshotWindow,
        finalSnapshotIdentifier: `${id}-final`,
        maintenanceWindow: settings.maintenanceWindow,
    };
}
