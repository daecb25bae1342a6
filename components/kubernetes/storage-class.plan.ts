import type { types } from "@pulumi/kubernetes";
import { ownStorageClass } from "../config/derived";
import { inAutoMode } from "../config/kinds";
import type { Stack } from "../config/schema";
import { objectLabels } from "./labels";

/**
 * Encrypted volumes of EBS that can grow, and that stay when their claim goes.
 *
 * @see https://docs.aws.amazon.com/eks/latest/userguide/create-storage-class.html
 */
export function planStorageClass({ aws }: Pick<Stack, "aws">): types.input.storage.v1.StorageClass {
    return {
        metadata: { name: ownStorageClass, labels: objectLabels() },
        provisioner: inAutoMode(aws) ? "ebs.csi.eks.amazonaws.com" : "ebs.csi.aws.com",
        parameters: { type: "gp3", encrypted: "true" },
        reclaimPolicy: "Retain",
        allowVolumeExpansion: true,
        volumeBindingMode: "WaitForFirstConsumer",
    };
}
