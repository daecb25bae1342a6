/**
 * Networks that accept NetworkPolicies and enforce none: everything would be reachable, and nothing would say so.
 *
 * Only what is known to enforce none is refused; a network of another kind is not recognised, and accepted.
 */
import type { Problem } from "../config/problems";
import type { KubernetesObject } from "../kubernetes/cluster-api";
import { listAt, textAt, type ClusterCheck } from "./check";

export const networkEnforcement: ClusterCheck = {
    finds: "whether the cluster's network enforces NetworkPolicies",
    async run({ network }, cluster) {
        if (network === undefined || network.enforcement === "assumed") return [];
        return enforcementProblems(await cluster.list("/apis/apps/v1/daemonsets"));
    },
};

/** Images of programs that enforce policies, whichever network they belong to. */
const enforcers =
    /calico|canal|cilium|kube-router|antrea|weave-npc|ovn-kubernetes|kube-ovn|azure-npm|kube-network-policies|netd-policy/;

/** @param daemonSets  of all namespaces */
export function enforcementProblems(daemonSets: readonly KubernetesObject[]): readonly Problem[] {
    const containers = daemonSets.flatMap((each) => listAt(each, "spec", "template", "spec", "containers"));
    const images = containers.map((container) => textAt(container, "image") ?? "");
    if (images.some((image) => enforcers.test(image))) return [];
    const flannel = images.find((image) => /\/flannel(-cni)?[:@]/.test(image));
    const agent = containers.find((container) => /aws-network-policy-agent/.test(textAt(container, "image") ?? ""));
    const vpc = images.some((image) => /\/amazon-k8s-cni[:@]/.test(image));
    const enabled = listAt(agent, "args").some((word) => /^--enable-network-policy(=true)?$/.test(String(word)));
    const found =
        flannel !== undefined
            ? "the cluster's network is flannel, which enforces no NetworkPolicies"
            : vpc && !enabled
              ? "the cluster's network is the Amazon VPC CNI, whose network policy agent is not enabled"
              : undefined;
    if (found === undefined) return [];
    const remedy = vpc
        ? "enable it (the add-on vpc-cni with enableNetworkPolicy: true)"
        : "install one that does, such as Calico, Cilium or kube-router";
    return [
        {
            at: "orcheo:stack.network.enforcement",
            found,
            remedy: `${remedy}; "assumed" is accepted when another part of the cluster enforces them`,
        },
    ];
}
