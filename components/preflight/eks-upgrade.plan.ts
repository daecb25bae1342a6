/** Upgrades of the stack's own EKS cluster: what EKS or Kubernetes would refuse halfway is refused before anything changes. */
import { ownCluster } from "../config/kinds";
import type { Problem } from "../config/problems";
import type { Sections } from "../config/schema";
import type { RecordedEks } from "../kubernetes/recorded.plan";

/** Minor versions that nodes may be behind the control plane. @see https://kubernetes.io/releases/version-skew-policy/#kubelet */
const skew = 3;

const minorOf = (version: string): number => Number(version.split(".")[1]);
const named = (minor: number): string => `1.${minor}`;

/**
 * @param deployed  what the stack's state records; empty for a new cluster
 * @see https://docs.aws.amazon.com/eks/latest/userguide/update-cluster.html
 */
export function upgradeProblems({ aws }: Pick<Partial<Sections>, "aws">, deployed: RecordedEks): Problem[] {
    const cluster = ownCluster(aws);
    if (cluster === undefined) return [];
    const { nodes } = cluster;
    const at = "orcheo:stack.aws.cluster.version";
    const wanted = minorOf(cluster.version);
    const own = nodes.kind === "managed" ? nodes.version : undefined;
    const problems = own === undefined ? [] : skewProblems(own, cluster.version);
    if (deployed.controlPlane === undefined) return problems;
    const now = minorOf(deployed.controlPlane);
    const found = `found "${cluster.version}"`;
    if (wanted < now) {
        const remedy = `accepted: "${deployed.controlPlane}" or "${named(now + 1)}"`;
        return [...problems, { at, found: `${found}, and the cluster runs ${deployed.controlPlane}`, remedy }];
    }
    if (wanted > now + 1) {
        const remedy = `accepted: "${named(now + 1)}", as EKS upgrades by one minor version at a time; then the next`;
        return [...problems, { at, found: `${found}, and the cluster runs ${deployed.controlPlane}`, remedy }];
    }
    if (nodes.kind !== "managed" || deployed.nodes === undefined) return problems;
    const there = minorOf(deployed.nodes);
    // The control plane goes first, and meets the nodes as they are.
    if (wanted > now && wanted > there + skew) {
        const remedy = `accepted: "${deployed.controlPlane}" with nodes.version "${deployed.controlPlane}" first: nodes are at most ${skew} minor versions behind`;
        return [...problems, { at, found: `${found}, and the nodes run ${deployed.nodes}`, remedy }];
    }
    if (minorOf(own ?? cluster.version) < there)
        return [
            ...problems,
            {
                at: "orcheo:stack.aws.cluster.nodes.version",
                found: `found "${own ?? cluster.version}", and the nodes run ${deployed.nodes}`,
                remedy: `accepted: "${deployed.nodes}" or newer, up to cluster.version: a node group does not go back`,
            },
        ];
    return problems;
}

function skewProblems(nodes: string, controlPlane: string): Problem[] {
    const behind = minorOf(controlPlane) - minorOf(nodes);
    if (behind >= 0 && behind <= skew) return [];
    return [
        {
            at: "orcheo:stack.aws.cluster.nodes.version",
            found: `found "${nodes}" with cluster.version "${controlPlane}"`,
            remedy: `accepted: from "${named(minorOf(controlPlane) - skew)}" to "${controlPlane}"`,
        },
    ];
}
