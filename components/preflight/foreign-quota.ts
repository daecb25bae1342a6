/** A namespace that is not the stack's: that it exists, and that its owner's quota holds the workloads at their peak. */
import { quotaOf } from "../cluster/cluster.plan";
import { derivedFrom } from "../config/derived";
import type { Problem } from "../config/problems";
import type { Sections } from "../config/schema";
import { collectionPath, objectPath, type KubernetesObject } from "../kubernetes/cluster-api";
import { at, type ClusterCheck } from "./check";
import { bytesOf, numberOf } from "./quantity";

export const foreignQuota: ClusterCheck = {
    finds: "whether the namespace's quota is large enough",
    async run(stack, cluster) {
        const { kubernetes } = stack;
        if (kubernetes?.namespaceKind !== "existing") return [];
        const { namespace } = kubernetes;
        if ((await cluster.metadata(objectPath("v1", "Namespace", namespace))) === undefined) {
            const found = `the cluster has no namespace ${JSON.stringify(namespace)}, and namespaceKind is "existing"`;
            const remedy = 'create it, name another, or set namespaceKind to "created"';
            return [{ at: "orcheo:stack.kubernetes.namespace", found, remedy }];
        }
        const quotas = await cluster.list(collectionPath("v1", "ResourceQuota", namespace));
        const needs = needOf(stack);
        return needs === undefined ? [] : quotas.flatMap((quota) => quotaProblems(quota, needs));
    },
};

/** Undefined when a section could not be understood. */
function needOf({
    kubernetes,
    auth,
    api,
    worker,
    beat,
    canvas,
    database,
    cache,
    outbound,
    host,
    entrance,
    aws,
    backup,
    network,
    release,
}: Partial<Sections>) {
    if (kubernetes === undefined || outbound === undefined || host === undefined || entrance === undefined)
        return undefined;
    if (api === undefined || worker === undefined || beat === undefined || canvas === undefined) return undefined;
    if (database === undefined || cache === undefined || auth === undefined || network === undefined) return undefined;
    if (release === undefined) return undefined;
    const sections = { kubernetes, auth, api, worker, beat, canvas, cache, outbound, network };
    const derived = derivedFrom({ ...sections, release, host, entrance, database, aws, backup });
    return quotaOf({ ...sections, database: derived.database, backup: derived.backup }).need;
}

const mebibyte = 1024 ** 2;
type Need = ReturnType<typeof quotaOf>["need"];

/** Keys of a quota -> what the workloads need of it, and how it is written. */
const limits: Readonly<
    Record<string, readonly [of: (need: Need) => number, unit: "millicores" | "MiB" | "pods" | "GiB"]>
> = {
    cpu: [(need) => need.cpuRequestMillis, "millicores"],
    "requests.cpu": [(need) => need.cpuRequestMillis, "millicores"],
    memory: [(need) => need.memoryRequestMiB, "MiB"],
    "requests.memory": [(need) => need.memoryRequestMiB, "MiB"],
    "limits.memory": [(need) => need.memoryLimitMiB, "MiB"],
    "requests.ephemeral-storage": [(need) => need.ephemeralRequestMiB, "MiB"],
    "ephemeral-storage": [(need) => need.ephemeralRequestMiB, "MiB"],
    "limits.ephemeral-storage": [(need) => need.ephemeralLimitMiB, "MiB"],
    pods: [(need) => need.pods, "pods"],
    "count/pods": [(need) => need.pods, "pods"],
    "requests.storage": [(need) => need.storageGiB, "GiB"],
};

/** One with scopes counts some pods only: what it means for the workloads is its owner's to know. */
export function quotaProblems(quota: KubernetesObject, need: Need): readonly Problem[] {
    if (at(quota, "spec", "scopes") !== undefined || at(quota, "spec", "scopeSelector") !== undefined) return [];
    const hard = Object.entries((at(quota, "spec", "hard") ?? {}) as Readonly<Record<string, string>>);
    const short = hard.flatMap(([key, value]) => {
        const limit = limits[key];
        if (limit === undefined) return [];
        const [of, unit] = limit;
        const bytes = bytesOf(value) ?? Infinity;
        const has = {
            millicores: (numberOf(value) ?? Infinity) * 1000,
            MiB: bytes / mebibyte,
            GiB: bytes / (1024 * mebibyte),
            pods: numberOf(value) ?? Infinity,
        }[unit];
        return has >= of(need) ? [] : [`${key} ${value} (needed: ${of(need)} ${unit})`];
    });
    if (short.length === 0) return [];
    const found = `the ResourceQuota ${quota.metadata.name} is smaller than the workloads at their peak: ${short.join(", ")}`;
    const remedy = "have its owner raise it, or lower replicas and resources of the workloads";
    return [{ at: "orcheo:stack.kubernetes.namespace", found, remedy }];
}
