import { called, control, notInCel } from "../aws.ts";
import type { ResourceRule } from "../rule.ts";
import { at, holdsUnknown, list } from "../values.ts";

export const elasticacheAuth: ResourceRule = {
    name: "elasticache-auth",
    level: "mandatory",
    scope: "resource",
    types: ["aws:elasticache/replicationGroup:ReplicationGroup"],
    description: "Without authentication whoever reaches the cache owns the queue.",
    remedy: "Set authToken, or userGroupIds.",
    reference: control("ElastiCache.6"),
    notInCel,
    found(resource) {
        const token = at(resource.props, "authToken");
        const users = at(resource.props, "userGroupIds");
        return token !== undefined || holdsUnknown(users) || list(users).length > 0
            ? []
            : [`${called(resource)}: neither authToken nor userGroupIds is set`];
    },
};
