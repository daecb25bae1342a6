/**
 * Workloads whose last update was ended before its pods were ready, by Ctrl-C or by the watcher.
 *
 * Pulumi's state then has the settings of before while the cluster has the new ones: taking the change back would be no change
 * to Pulumi, and the broken pods would stay. An annotation that differs from the state has it apply the whole object again.
 */
import type { KubernetesObject } from "../kubernetes/cluster-api";
import { conditionsOf, statusOf } from "../kubernetes/pod-status";

export const annotation = "orcheo/unfinished-generation";

/** Types of Pulumi that such an annotation can belong to, with their kinds. */
export const kinds: Readonly<Record<string, "Deployment" | "StatefulSet">> = {
    "kubernetes:apps/v1:Deployment": "Deployment",
    "kubernetes:apps/v1:StatefulSet": "StatefulSet",
};

/** The annotation's value by kind and name. One that is there stays: it would be a change again to remove it. */
export function planUnfinished(workloads: readonly KubernetesObject[]): ReadonlyMap<string, string> {
    return new Map(
        workloads.flatMap((workload): [string, string][] => {
            const { name, annotations, generation } = workload.metadata;
            const value = isFinished(workload) ? annotations?.[annotation] : String(generation);
            return value === undefined ? [] : [[`${workload.kind ?? ""} ${name}`, value]];
        }),
    );
}

/**
 * StatefulSets that an update has not replaced all pods of, or whose pods are not ready. Pulumi's provider takes the pods of
 * before for those of the update when it looks too early, and says that it is complete.
 */
export function unready(workloads: readonly KubernetesObject[]): readonly string[] {
    return workloads
        .filter((workload) => {
            const { readyReplicas = 0 } = statusOf(workload);
            const { replicas = 1 } = (workload["spec"] as { readonly replicas?: number } | undefined) ?? {};
            return !isFinished(workload) || readyReplicas < replicas;
        })
        .map(({ kind, metadata }) => `${kind ?? ""} ${metadata.name}`);
}

/** Whether its last rollout came to its end; pods that are lost or added afterwards change nothing about that. */
function isFinished(workload: KubernetesObject): boolean {
    const { observedGeneration, currentRevision, updateRevision } = statusOf(workload);
    if (observedGeneration !== workload.metadata["generation"]) return false;
    if (workload.kind === "StatefulSet") return currentRevision === updateRevision;
    const progress = conditionsOf(workload).find(({ type }) => type === "Progressing");
    return progress === undefined || progress.reason === "NewReplicaSetAvailable";
}
