import { builtIn } from "../kinds.ts";
import type { ResourceRule } from "../rule.ts";
import { called } from "../stack.ts";
import { at } from "../values.ts";

export const volumeRetention: ResourceRule = {
    name: "volume-retention",
    level: "mandatory",
    scope: "resource",
    types: builtIn("StatefulSet", "StorageClass", "PersistentVolumeClaim"),
    description: "Data that goes with the workload is lost by one wrong key stroke.",
    remedy: "Retain volumes: persistentVolumeClaimRetentionPolicy Retain, reclaimPolicy Retain, protect on a claim.",
    reference: {
        title: "Kubernetes: PersistentVolumeClaim retention",
        url: "https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#persistentvolumeclaim-retention",
    },
    notInCel: "only pod rules are deployed to the cluster",
    found(resource) {
        if (resource.type.endsWith(":PersistentVolumeClaim")) {
            // Manifests carry no Pulumi options; there the claim itself is all that can be seen.
            const kept = resource.options?.protect ?? true;
            return kept ? [] : [`${called(resource)} is not protected`];
        }
        if (resource.type.endsWith(":StorageClass")) {
            const policy = at(resource.props, "reclaimPolicy") ?? "Delete";
            return policy === "Delete" ? [`${called(resource)}: reclaimPolicy is Delete`] : [];
        }
        const policy = at(resource.props, "spec", "persistentVolumeClaimRetentionPolicy");
        return ["whenDeleted", "whenScaled"]
            .filter((when) => at(policy, when) === "Delete")
            .map((when) => `${called(resource)}: ${when} is Delete`);
    },
};
