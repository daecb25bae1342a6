/** Whether existing volumes can become as large as they are configured, before the quota or anything else is changed. */
import type { Problem } from "../config/problems";
import type { Sections } from "../config/schema";
import { objectPath, type ClusterApi, type KubernetesObject } from "../kubernetes/cluster-api";
import { at, textAt, type ClusterCheck } from "./check";
import { bytesOf } from "./quantity";

export const volumesGrow: ClusterCheck = {
    finds: "whether the volumes can grow",
    async run({ kubernetes, database, cache }, cluster) {
        if (kubernetes === undefined) return [];
        const wanted = [
            ...(database?.kind === "statefulset" ? [["database", "postgres-data", database.storageGiB] as const] : []),
            ...(cache?.kind === "valkey" ? [["cache", "valkey-data", cache.storageGiB] as const] : []),
        ];
        const found = await Promise.all(
            wanted.map(async ([section, name, storageGiB]) => {
                const claim = await cluster.get(objectPath("v1", "PersistentVolumeClaim", name, kubernetes.namespace));
                const storageClass = claim === undefined ? undefined : await classOf(claim, cluster);
                return volumeProblems(section, storageGiB, claim, storageClass);
            }),
        );
        return found.flat();
    },
};

async function classOf(claim: KubernetesObject, cluster: ClusterApi): Promise<KubernetesObject | undefined> {
    const name = textAt(claim, "spec", "storageClassName");
    if (name === undefined || name === "") return undefined;
    return cluster.get(objectPath("storage.k8s.io/v1", "StorageClass", name));
}

/** @param claim  undefined before the first update */
export function volumeProblems(
    section: keyof Sections,
    storageGiB: number,
    claim: KubernetesObject | undefined,
    storageClass: KubernetesObject | undefined,
): readonly Problem[] {
    if (claim === undefined) return [];
    const asked = textAt(claim, "spec", "resources", "requests", "storage") ?? "";
    const bytes = bytesOf(asked);
    const wanted = storageGiB * 1024 ** 3;
    if (bytes === undefined || wanted === bytes) return [];
    const key = `orcheo:stack.${section}.storageGiB`;
    const found = `found ${storageGiB}, and the volume ${claim.metadata.name} has ${asked}`;
    const keep = `keep ${Math.round(bytes / 1024 ** 3)}`;
    if (wanted < bytes) return [{ at: key, found, remedy: `a volume cannot shrink; ${keep} or more` }];
    if (textAt(claim, "status", "phase") !== "Bound")
        return [{ at: key, found, remedy: `a volume can grow once its pod has started; ${keep} until then` }];
    if (at(storageClass, "allowVolumeExpansion") === true) return [];
    const name = textAt(claim, "spec", "storageClassName") ?? "";
    const why =
        name === "" ? "it has no StorageClass" : `its StorageClass ${JSON.stringify(name)} has no allowVolumeExpansion`;
    const remedy = `it cannot grow, as ${why}: ${keep}, or back up, and restore into a volume of another class (docs/runbooks/restore-backup.md)`;
    return [{ at: key, found, remedy }];
}
