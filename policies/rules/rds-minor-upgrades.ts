import { control, notInCel, unless } from "../aws.ts";
import type { ResourceRule } from "../rule.ts";

export const rdsMinorUpgrades: ResourceRule = {
    name: "rds-minor-upgrades",
    level: "mandatory",
    scope: "resource",
    types: ["aws:rds/instance:Instance", "aws:rds/clusterInstance:ClusterInstance"],
    description: "Security fixes of Postgres come as minor versions.",
    remedy: "Remove autoMinorVersionUpgrade: false.",
    reference: control("RDS.13"),
    notInCel,
    found: (resource) => unless(resource, ["autoMinorVersionUpgrade"], (value) => value !== false),
};
