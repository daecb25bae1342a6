import type { types } from "@pulumi/kubernetes";
import { ownClass } from "../config/derived";
import type { Stack } from "../config/schema";
import { objectLabels } from "./labels";

/**
 * Encrypted volumes of EBS that can grow, and that stay when their claim goes.
 *
 * @see https://docs.aws.amazon.com/eks/latest/userguide/create-storage-class.html
 */
export function planStorageClass({ aws, version }: Stack): types.input.storage.v1.StorageClass {
    const auto = aws?.cluster.kind === "new" && aws.cluster.nodes.kind === "auto";
    return {
        metadata: { name: ownClass, labels: objectLabels(undefined, version) },
        provisioner: auto ? "ebs.csi.eks.amazonaws.com" : "ebs.csi.aws.com",
        parameters: { type: "gp3", encrypted: "true" },
        reclaimPolicy: "Retain",
        allowVolumeExpansion: true,
        volumeBindingMode: "WaitForFirstConsumer",
    };
}
