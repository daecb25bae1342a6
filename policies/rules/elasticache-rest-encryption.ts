import { control, inheritsGroup, isTrue, notInCel, unless } from "../aws.ts";
import type { ResourceRule } from "../rule.ts";

export const elasticacheRestEncryption: ResourceRule = {
    name: "elasticache-rest-encryption",
    level: "mandatory",
    scope: "resource",
    types: ["aws:elasticache/replicationGroup:ReplicationGroup"],
    description: "A disk or snapshot that is not encrypted can be read by anyone who gets a copy.",
    remedy: "Set atRestEncryptionEnabled: true.",
    reference: control("ElastiCache.4"),
    notInCel,
    found: (resource) => (inheritsGroup(resource) ? [] : unless(resource, ["atRestEncryptionEnabled"], isTrue)),
};
