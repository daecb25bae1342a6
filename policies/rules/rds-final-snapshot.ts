import { called, databases, notInCel } from "../aws.ts";
import type { ResourceRule } from "../rule.ts";
import { at, UNKNOWN } from "../values.ts";

export const rdsFinalSnapshot: ResourceRule = {
    name: "rds-final-snapshot",
    level: "mandatory",
    scope: "resource",
    types: databases,
    description: "A database deleted without a final snapshot is gone.",
    remedy: "Set skipFinalSnapshot: false and finalSnapshotIdentifier.",
    reference: {
        title: "Amazon RDS: deleting a DB instance",
        url: "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_DeleteInstance.html",
    },
    notInCel,
    found(resource) {
        const skip = at(resource.props, "skipFinalSnapshot") ?? false;
        const value = skip === true ? skip : at(resource.props, "finalSnapshotIdentifier");
        return skip === UNKNOWN || (skip === false && value !== undefined)
            ? []
            : [
                  `${called(resource)}: ${skip === true ? "skipFinalSnapshot is true" : "finalSnapshotIdentifier is not set"}`,
              ];
    },
};
