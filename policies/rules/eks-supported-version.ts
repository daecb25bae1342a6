import { called, control, notInCel } from "../aws.ts";
import type { ResourceRule } from "../rule.ts";
import { supportOf } from "../support.ts";
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
        if (version === undefined) return [];
        // A minor version newer than the table is not refused: EKS may have it by now.
        const support = supportOf("eks-extended", version);
        if (support.kind !== "ended") return [];
        const ended = support.on === undefined ? "years ago" : `on ${support.on}`;
        return [`${called(resource)} runs Kubernetes ${version}, whose support by EKS ended ${ended}`];
    },
};
