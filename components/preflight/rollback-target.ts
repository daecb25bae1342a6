/** Whether the update that the stack goes back to is recorded and fits, before anything changes. */
import { imageNames } from "../images/images.plan";
import { objectPath } from "../kubernetes/cluster-api";
import { rollbackProblems, updatesIn, updatesName } from "../updates/updates.plan";
import type { ClusterCheck } from "./check";

export const rollbackTarget: ClusterCheck = {
    finds: "whether the update to go back to is recorded",
    async run({ kubernetes, release, rollbackTo, backup, database, aws }, cluster) {
        if (kubernetes === undefined || database === undefined || release === undefined || rollbackTo === undefined)
            return [];
        const dumps = backup?.kind === "s3" || (backup === undefined && aws !== undefined);
        const wanted = imageNames({ database, backup: dumps ? "s3" : undefined });
        const configMap = await cluster.get(objectPath("v1", "ConfigMap", updatesName, kubernetes.namespace));
        return rollbackProblems({ release, rollbackTo }, updatesIn(configMap), wanted);
    },
};
