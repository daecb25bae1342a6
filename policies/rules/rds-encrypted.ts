import { control, databases, isReadReplica, isTrue, notInCel, unless } from "../aws.ts";
import type { ResourceRule } from "../rule.ts";

export const rdsEncrypted: ResourceRule = {
    name: "rds-encrypted",
    level: "mandatory",
    scope: "resource",
    types: databases,
    description: "A disk or snapshot that is not encrypted can be read by anyone who gets a copy.",
    remedy: "Set storageEncrypted: true (and kmsKeyId for your own key).",
    reference: control("RDS.3"),
    notInCel,
    found: (resource) => (isReadReplica(resource) ? [] : unless(resource, ["storageEncrypted"], isTrue)),
};
