import { databases, isReadReplica, notInCel, unless } from "../aws.ts";
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
        // AWS takes none of a copy, and refuses to delete it otherwise.
        if (isReadReplica(resource)) return [];
        const skips = unless(resource, ["skipFinalSnapshot"], (value) => value !== true);
        const skip = at(resource.props, "skipFinalSnapshot");
        if (skips.length > 0 || skip === UNKNOWN) return skips;
        return unless(resource, ["finalSnapshotIdentifier"], (value) => value !== undefined);
    },
};
