/** Checks against the cluster before anything in it is changed, in previews as in updates. */
import type { ClusterCheck } from "./checks/check";
import { hostTaken } from "./checks/host";
import { ingressController } from "./checks/ingress-controller";
import { namespaceOwner } from "./checks/namespace-owner";
import { volumesGrow } from "./checks/volumes";
import { isClusterError, type ClusterApi, type ClusterContext } from "./cluster-api";
import type { Problem } from "./config/problems";
import type { Sections } from "./config/read";
import type { Recorded } from "./ownership.plan";
import { serviceRangeCheck } from "./service-range";

/** Every check. Each is independent of the others, and reads only. */
export const clusterChecks: readonly ClusterCheck[] = [
    namespaceOwner,
    hostTaken,
    ingressController,
    volumesGrow,
    serviceRangeCheck,
];

/** How a cluster is reached; part of the preflight's probes. */
export interface ClusterProbe {
    /** @throws ClusterError when the kubeconfig does not lead to one */
    cluster(where: ClusterContext): Promise<ClusterApi>;
    /** What the stack's state held when this run began. */
    recorded(): Promise<Recorded>;
}

export interface Findings {
    readonly problems: readonly Problem[];
    readonly warnings: readonly string[];
}

/** Its kubeconfig is an output of AWS, or of another stack: not known before resources are registered. */
export function madeByAws({ aws }: Partial<Sections>): boolean {
    if (aws?.cluster.kind === "stackReference") return aws.cluster.kubeconfigOutput !== undefined;
    return aws?.cluster.kind === "new";
}

/**
 * @param update  a preview goes on without the cluster, as Pulumi's provider does, and warns
 */
export async function checkCluster(
    stack: Partial<Sections>,
    probes: ClusterProbe,
    update: boolean,
    checks = clusterChecks,
): Promise<Findings> {
    const { kubernetes } = stack;
    if (kubernetes === undefined || madeByAws(stack)) return { problems: [], warnings: [] };
    try {
        const cluster = await probes.cluster(kubernetes);
        await cluster.text("/version");
        const known = await probes.recorded();
        const found = await Promise.all(checks.map((check) => permitted(check, stack, cluster, known)));
        return { problems: found.flatMap((each) => each.problems), warnings: found.flatMap((each) => each.warnings) };
    } catch (error) {
        if (!isClusterError(error)) throw error;
        const found = `the cluster of ${JSON.stringify(kubernetes.context)} does not answer (${error.message})`;
        if (!update) return { problems: [], warnings: [`${found}: this preview does not know what is in the cluster`] };
        const remedy = "start the cluster, renew the credentials, or name another context";
        return { problems: [{ at: "orcheo:stack.kubernetes.context", found, remedy }], warnings: [] };
    }
}

/** A check that the caller's role does not permit is left out; what Pulumi itself may not do, it says itself. */
async function permitted(
    check: ClusterCheck,
    stack: Partial<Sections>,
    cluster: ClusterApi,
    known: Recorded,
): Promise<Findings> {
    try {
        return { problems: await check.run(stack, cluster, known), warnings: [] };
    } catch (error) {
        if (!isClusterError(error) || error.status !== 403) throw error;
        return { problems: [], warnings: [`not checked: ${check.finds} (${error.message})`] };
    }
}
