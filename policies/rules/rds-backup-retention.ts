import { control, databases, isReadReplica, notInCel, unless } from "../aws.ts";
import type { ResourceRule } from "../rule.ts";
import { number } from "../values.ts";

export const rdsBackupRetention: ResourceRule = {
    name: "rds-backup-retention",
    level: "mandatory",
    scope: "resource",
    types: databases,
    description: "A mistake that is noticed after the last backup has gone cannot be undone.",
    remedy: "Set backupRetentionPeriod to at least the rule's setting.",
    reference: control("RDS.11"),
    settings: {
        days: { type: "integer", description: "Fewest days that backups are kept.", default: 7 },
    },
    notInCel,
    found(resource, settings) {
        if (isReadReplica(resource)) return [];
        const fewest = number(settings["days"]) ?? 7;
        const enough = (value: unknown): boolean => (number(value) ?? 0) >= fewest;
        return unless(resource, ["backupRetentionPeriod"], enough, `, fewer than ${fewest} days`);
    },
};
