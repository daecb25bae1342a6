import { called, control, databases, notInCel } from "../aws.ts";
import type { ResourceRule } from "../rule.ts";
import { at, shown, UNKNOWN } from "../values.ts";

export const rdsDeletionProtection: ResourceRule = {
    name: "rds-deletion-protection",
    level: "mandatory",
    scope: "resource",
    types: databases,
    description: "One wrong command deletes the database.",
    remedy: "Set deletionProtection: true.",
    reference: control("RDS.8"),
    notInCel,
    found(resource) {
        const value = at(resource.props, "deletionProtection");
        return value === true || value === UNKNOWN
            ? []
            : [`${called(resource)}: ${shown("deletionProtection", value)}`];
    },
};
