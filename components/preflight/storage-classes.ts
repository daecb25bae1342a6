/** Whether new volumes can be made: by the StorageClass that the settings name, or by the cluster's own choice. */
import { ownStorageClass } from "../config/derived";
import type { Problem } from "../config/problems";
import type { Sections } from "../config/schema";
import { objectPath, type KubernetesObject } from "../kubernetes/cluster-api";
import type { ClusterCheck } from "./check";

export const storageClasses: ClusterCheck = {
    finds: "whether the StorageClasses exist",
    async run({ kubernetes, database, cache }, cluster) {
        if (kubernetes === undefined) return [];
        const wanted = [
            ...(database?.kind === "statefulset"
                ? [["database", "postgres-data", database.storageClass] as const]
                : []),
            ...(cache?.kind === "valkey" ? [["cache", "valkey-data", cache.storageClass] as const] : []),
        ];
        const claim = (name: string) =>
            cluster.metadata(objectPath("v1", "PersistentVolumeClaim", name, kubernetes.namespace));
        const claims = await Promise.all(wanted.map(([, name]) => claim(name)));
        // A volume keeps the class that it has.
        const missing = wanted.filter((_, index) => claims[index] === undefined);
        if (missing.length === 0) return [];
        const classes = await cluster.list("/apis/storage.k8s.io/v1/storageclasses");
        return missing.flatMap(([section, , name]) => classProblems(section, name, classes));
    },
};

const isDefault = ({ metadata }: KubernetesObject): boolean =>
    metadata.annotations?.["storageclass.kubernetes.io/is-default-class"] === "true";

/** @param name  undefined leaves the choice to the cluster */
export function classProblems(
    section: keyof Sections,
    name: string | undefined,
    classes: readonly KubernetesObject[],
): readonly Problem[] {
    // The stack makes this one.
    if (name === ownStorageClass) return [];
    if (name === undefined ? classes.some(isDefault) : classes.some(({ metadata }) => metadata.name === name))
        return [];
    const names = classes.map(({ metadata }) => metadata.name).sort();
    const found =
        name === undefined
            ? "found none, and the cluster has no default StorageClass"
            : `the cluster has no StorageClass ${JSON.stringify(name)}`;
    const remedy =
        names.length === 0
            ? "the cluster has none: install a provisioner of volumes, or use a server outside of the cluster"
            : `accepted: ${names.join(", ")}`;
    return [{ at: `orcheo:stack.${section}.storageClass`, found, remedy }];
}
