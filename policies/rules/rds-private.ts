import { control, notInCel, unless } from "../aws.ts";
import type { ResourceRule } from "../rule.ts";

export const rdsPrivate: ResourceRule = {
    name: "rds-private",
    level: "mandatory",
    scope: "resource",
    types: ["aws:rds/instance:Instance", "aws:rds/clusterInstance:ClusterInstance"],
    description: "A public database is tried by the whole internet.",
    remedy: "Set publiclyAccessible: false and keep it in private subnets.",
    reference: control("RDS.2"),
    notInCel,
    found: (resource) => unless(resource, ["publiclyAccessible"], (value) => value !== true),
};
