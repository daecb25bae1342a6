import { called, control, isReadReplica, isTrue, notInCel, satellites, unless } from "../aws.ts";
import type { StackRule } from "../rule.ts";
import { at } from "../values.ts";

export const rdsMultiAz: StackRule = {
    name: "rds-multi-az",
    level: "mandatory",
    scope: "stack",
    description: "With one zone a failure of that zone is an outage of hours.",
    remedy: "Set multiAz: true; give an Aurora cluster a second ClusterInstance.",
    reference: control("RDS.5"),
    notInCel,
    found: (resources) =>
        resources.flatMap((resource) => {
            // A replica is itself the second copy.
            if (resource.type === "aws:rds/instance:Instance" && !isReadReplica(resource)) {
                return unless(resource, ["multiAz"], isTrue).map((found) => ({ resource, found }));
            }
            // A Multi-AZ cluster has its class itself and three instances; so has, of its own, a serverless one of old.
            const aurora =
                resource.type === "aws:rds/cluster:Cluster" &&
                at(resource.props, "dbClusterInstanceClass") === undefined &&
                at(resource.props, "engineMode") !== "serverless";
            if (!aurora) return [];
            const { length } = satellites(resource, /:ClusterInstance$/, resources, "clusterIdentifier");
            return length < 2 ? [{ resource, found: `${called(resource)} has ${length} of at least 2 instances` }] : [];
        }),
};
