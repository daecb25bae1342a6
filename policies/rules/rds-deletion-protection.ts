import { control, databases, isTrue, notInCel, unless } from "../aws.ts";
import type { ResourceRule } from "../rule.ts";

export const rdsDeletionProtection: ResourceRule = {
    name: "rds-deletion-protection",
    level: "mandatory",
    scope: "resource",
    types: databases,
    description: "One wrong command deletes the database.",
    remedy: "Set deletionProtection: true.",
    reference: control("RDS.8"),
    notInCel,
    found: (resource) => unless(resource, ["deletionProtection"], isTrue),
};
