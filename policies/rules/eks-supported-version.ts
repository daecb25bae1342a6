import { called, control, notInCel } from "../aws.ts";
import { endedSupport } from "../eks-versions.ts";
import type { ResourceRule } from "../rule.ts";
import { at, text } from "../values.ts";

export const eksSupportedVersion: ResourceRule = {
    name: "eks-supported-version",
    level: "mandatory",
    scope: "resource",
    types: ["aws:eks/cluster:Cluster"],
    description: "A Kubernetes that AWS no longer supports gets no security fixes until AWS upgrades it unasked.",
    remedy: "Set version to a Kubernetes that EKS supports, one minor at a time.",
    reference: control("EKS.2"),
    notInCel,
    found(resource) {
        const version = text(at(resource.props, "version"));
        const ended = version === undefined ? undefined : endedSupport(version);
        if (version === undefined || ended === undefined) return [];
        return [`${called(resource)} runs Kubernetes ${version}, whose support by EKS ended ${ended}`];
    },
};
