import { control, inheritsGroup, isTrue, notInCel, unless } from "../aws.ts";
import type { ResourceRule } from "../rule.ts";

export const elasticacheTransitEncryption: ResourceRule = {
    name: "elasticache-transit-encryption",
    level: "mandatory",
    scope: "resource",
    types: ["aws:elasticache/replicationGroup:ReplicationGroup", "aws:elasticache/cluster:Cluster"],
    description: "Without TLS the password and the jobs in the queue can be read on the way.",
    remedy: "Set transitEncryptionEnabled: true and transitEncryptionMode: required.",
    reference: control("ElastiCache.5"),
    notInCel,
    found: (resource) =>
        inheritsGroup(resource)
            ? []
            : [
                  ...unless(resource, ["transitEncryptionEnabled"], isTrue),
                  // While clients are moved to TLS both are served.
                  ...unless(resource, ["transitEncryptionMode"], (value) => value !== "preferred"),
              ],
};
