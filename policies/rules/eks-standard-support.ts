import { called, notInCel } from "../aws.ts";
import type { ResourceRule } from "../rule.ts";
import { asOf, endsSoon, lastingVersions, supportOf } from "../support.ts";
import { at, text } from "../values.ts";

export const eksStandardSupport: ResourceRule = {
    name: "eks-standard-support",
    level: "advisory",
    scope: "resource",
    types: ["aws:eks/cluster:Cluster"],
    description:
        "In extended support, AWS charges six times the price of the control plane; a version close to it leaves little time to upgrade.",
    remedy: `Set version to one with standard support, one minor at a time; on ${asOf} that was ${lastingVersions("eks").join(" or ")}.`,
    reference: {
        title: `Amazon EKS: Kubernetes version lifecycle, as of ${asOf} in policies/support-ends.json`,
        url: "https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html",
    },
    notInCel,
    found(resource) {
        const version = text(at(resource.props, "version"));
        if (version === undefined) return [];
        const runs = `${called(resource)} runs Kubernetes ${version}`;
        const support = supportOf("eks", version);
        if (support.kind === "unknown") return [`${runs}, whose end of support is not known`];
        if (support.kind === "ended")
            return [
                `${runs}, whose standard support by EKS ended ${support.on === undefined ? "years ago" : `on ${support.on}`}`,
            ];
        return endsSoon(support.until)
            ? [`${runs}, whose standard support by EKS ends on ${String(support.until)}`]
            : [];
    },
};
