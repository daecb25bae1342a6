import { called, control, notInCel, oneOrMore } from "../aws.ts";
import type { ResourceRule } from "../rule.ts";
import { at, holdsUnknown, UNKNOWN } from "../values.ts";

/** The whole internet, also in halves or quarters. */
const world = /\/[0-7]$/;

export const eksEndpointRestricted: ResourceRule = {
    name: "eks-endpoint-restricted",
    level: "mandatory",
    scope: "resource",
    types: ["aws:eks/cluster:Cluster"],
    description: "An API server that the whole internet reaches is one stolen token away from everybody.",
    remedy: "Set vpcConfig.endpointPublicAccess: false, or publicAccessCidrs to the ranges that operate the cluster.",
    reference: control("EKS.1"),
    notInCel,
    found(resource) {
        const config = at(resource.props, "vpcConfig");
        const [access, ranges] = [at(config, "endpointPublicAccess"), at(config, "publicAccessCidrs")];
        if (access === false || config === UNKNOWN || holdsUnknown(access) || holdsUnknown(ranges)) return [];
        const given = oneOrMore(ranges);
        if (given.length === 0) return [`${called(resource)} answers the whole internet: publicAccessCidrs is not set`];
        const open = given.filter((range) => world.test(range));
        return open.length > 0 ? [`${called(resource)} answers ${open.join(", ")}`] : [];
    },
};
