import { called, control, notInCel } from "../aws.ts";
import type { ResourceRule } from "../rule.ts";
import { at, shown, UNKNOWN } from "../values.ts";

export const elasticacheTransitEncryption: ResourceRule = {
    name: "elasticache-transit-encryption",
    level: "mandatory",
    scope: "resource",
    types: ["aws:elasticache/replicationGroup:ReplicationGroup", "aws:elasticache/cluster:Cluster"],
    description: "Without TLS the password and the jobs in the queue can be read on the way.",
    remedy: "Set transitEncryptionEnabled: true.",
    reference: control("ElastiCache.5"),
    notInCel,
    found(resource) {
        const value = at(resource.props, "transitEncryptionEnabled");
        return value === true || value === UNKNOWN
            ? []
            : [`${called(resource)}: ${shown("transitEncryptionEnabled", value)}`];
    },
};
