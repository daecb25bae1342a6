/** A namespace that is not the stack's: that its owner lets policy-controller verify the images in it. */
import { signedOnlyLabel } from "../cluster/cluster.plan";
import { signedOnly } from "../config/kinds";
import { objectPath } from "../kubernetes/cluster-api";
import type { ClusterCheck } from "./check";

export const signedNamespace: ClusterCheck = {
    finds: "whether policy-controller verifies the namespace's images",
    async run({ kubernetes, images }, cluster) {
        if (images === undefined || signedOnly(images) === undefined || kubernetes?.namespaceKind !== "existing")
            return [];
        const { namespace } = kubernetes;
        const object = await cluster.metadata(objectPath("v1", "Namespace", namespace));
        // A missing namespace is reported elsewhere.
        if (object === undefined || object.metadata.labels?.[signedOnlyLabel] === "true") return [];
        return [
            {
                at: "orcheo:stack.images.admission.kind",
                found: `the namespace ${namespace} has no label ${signedOnlyLabel}: "true", without which unsigned images run in it`,
                remedy: `have its owner set it: kubectl label namespace ${namespace} ${signedOnlyLabel}=true`,
            },
        ];
    },
};
