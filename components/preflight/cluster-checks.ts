/** Checks against the cluster before anything in it is changed, in previews as in updates. */
import { madeByAws } from "../config/kinds";
import { sentence, type Problem } from "../config/problems";
import type { Sections } from "../config/schema";
import { isClusterError, type ClusterApi } from "../kubernetes/cluster-api";
import type { Recorded } from "../kubernetes/recorded.plan";
import type { ClusterProbe } from "../machine";
import { awsController } from "./aws-controller";
import { apisServed } from "./apis";
import type { ClusterCheck } from "./check";
import { foreignQuota } from "./foreign-quota";
import { hostTaken } from "./host";
import { ingressController } from "./ingress-controller";
import { namespaceOwner } from "./namespace-owner";
import { networkEnforcement } from "./network-enforcement";
import { rollbackTarget } from "./rollback-target";
import { serviceRangeCheck } from "./service-range";
import { signedNamespace } from "./signed-namespace";
import { storageClasses } from "./storage-classes";
import { clusterSupport } from "./support.plan";
import { volumesGrow } from "./volumes";

/** Every check. Each is independent of the others, and reads only. */
export const clusterChecks: readonly ClusterCheck[] = [
    namespaceOwner,
    hostTaken,
    ingressController,
    awsController,
    volumesGrow,
    storageClasses,
    apisServed,
    foreignQuota,
    networkEnforcement,
    serviceRangeCheck,
    rollbackTarget,
    signedNamespace,
];

export interface Findings {
    readonly problems: readonly Problem[];
    readonly warnings: readonly string[];
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
        const version = await cluster.text("/version");
        const known = await probes.recorded();
        const found = await Promise.all(checks.map((check) => permitted(check, stack, cluster, known)));
        const support = clusterSupport(kubernetes.context, version, probes.today()).map(sentence);
        return {
            problems: found.flatMap((each) => each.problems),
            warnings: [...support, ...found.flatMap((each) => each.warnings)],
        };
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
