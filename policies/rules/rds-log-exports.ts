import { called, control, databases, notInCel } from "../aws.ts";
import type { ResourceRule } from "../rule.ts";
import { at, strings, UNKNOWN } from "../values.ts";

export const rdsLogExports: ResourceRule = {
    name: "rds-log-exports",
    level: "mandatory",
    scope: "resource",
    types: databases,
    description: "Logs that stay on the database are deleted with it, and failed logins go unnoticed.",
    remedy: `Set enabledCloudwatchLogsExports, for Postgres ["postgresql", "upgrade"].`,
    reference: control("RDS.9"),
    notInCel,
    found(resource) {
        const value = at(resource.props, "enabledCloudwatchLogsExports");
        if (value === UNKNOWN || strings(value).length > 0) return [];
        return [`${called(resource)} exports no logs`];
    },
};
