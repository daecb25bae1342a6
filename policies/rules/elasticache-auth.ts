import { called, control, inheritsGroup, notInCel } from "../aws.ts";
import type { ResourceRule } from "../rule.ts";
import { at } from "../values.ts";

export const elasticacheAuth: ResourceRule = {
    name: "elasticache-auth",
    level: "mandatory",
    scope: "resource",
    types: [
        "aws:elasticache/replicationGroup:ReplicationGroup",
        "aws:elasticache/serverlessCache:ServerlessCache",
        "aws:elasticache/cluster:Cluster",
    ],
    description: "Without authentication, anyone who reaches the cache owns the queue.",
    remedy: "Set userGroupIds (userGroupId of a serverless cache) or authToken, on a ReplicationGroup.",
    reference: control("ElastiCache.6"),
    notInCel,
    found(resource) {
        if (resource.type.endsWith(":Cluster")) {
            // A node of a replication group takes the group's; a cache of Redis by itself can have none.
            const single = at(resource.props, "replicationGroupId") === undefined;
            const engine = at(resource.props, "engine");
            return single && (engine === "redis" || engine === "valkey")
                ? [`${called(resource)} of ${engine} cannot authenticate anybody`]
                : [];
        }
        if (inheritsGroup(resource)) return [];
        const given = ["authToken", "userGroupIds", "userGroupId"].map((key) => at(resource.props, key));
        const some = given.some((value) => (Array.isArray(value) ? value.length > 0 : value !== undefined));
        return some ? [] : [`${called(resource)}: neither authToken nor a user group is set`];
    },
};
