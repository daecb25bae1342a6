import { objectPath } from "../kubernetes/cluster-api";
import { foreignOwner, ownershipProblems } from "../ownership/ownership.plan";
import type { ClusterCheck } from "./check";

/** The namespace itself, so that its owner is named together with every other problem; ownership.ts has the objects in it. */
export const namespaceOwner: ClusterCheck = {
    finds: "whose the namespace is",
    async run({ kubernetes }, cluster, known) {
        if (kubernetes?.namespaceKind !== "created") return [];
        const object = await cluster.metadata(objectPath("v1", "Namespace", kubernetes.namespace));
        const owner = object === undefined ? undefined : foreignOwner(object, known);
        if (object === undefined || owner === undefined) return [];
        const found = [{ object: { ...object, kind: "Namespace" }, owner }];
        return ownershipProblems(found, kubernetes.adopt, object.metadata.uid);
    },
};
