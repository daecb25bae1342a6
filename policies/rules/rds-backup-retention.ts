import { called, control, databases, notInCel } from "../aws.ts";
import type { ResourceRule } from "../rule.ts";
import { at, number, shown, UNKNOWN } from "../values.ts";

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
        const value = at(resource.props, "backupRetentionPeriod");
        const fewest = number(settings["days"]) ?? 7;
        if (value === UNKNOWN || (number(value) ?? 0) >= fewest) return [];
        return [`${called(resource)}: ${shown("backupRetentionPeriod", value)}, fewer than ${fewest} days`];
    },
};
