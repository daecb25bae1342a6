/** The workloads' needs at their peak, and the resulting quota. */
import { cacheResources } from "../cache/cache.plan";
import { apiPodsAtPeak, poolerPodsAtPeak, workerPodsAtPeak } from "../config/connections";
import type { Resources } from "../config/fields";
import { poolerOf } from "../config/kinds";
import type { Stack } from "../config/schema";
import { databaseResources } from "../database/database.plan";
import type { Role } from "../kubernetes/labels";
import { initResources } from "../kubernetes/pod.plan";
import { probeResources } from "../network/network.plan";
import { ephemeralLimitOf, type ScratchSettings } from "../kubernetes/scratch.plan";

export interface Capacity {
    readonly cpuRequestMillis: number;
    readonly memoryRequestMiB: number;
    readonly memoryLimitMiB: number;
    readonly ephemeralRequestMiB: number;
    readonly ephemeralLimitMiB: number;
    readonly pods: number;
    readonly storageGiB: number;
}

type PeakSettings = Pick<Stack, "api" | "backup" | "beat" | "cache" | "canvas" | "database" | "network" | "worker">;
export type QuotaSettings = PeakSettings & ScratchSettings & Pick<Stack, "kubernetes">;

/** Each workload with the pods it has at most while it is updated: pods that stop still count. */
export function peakPods(stack: PeakSettings): readonly { role: Role; pods: number; resources: Resources }[] {
    const { database, cache, backup } = stack;
    const pooler = poolerOf(stack);
    return [
        { role: "api", pods: apiPodsAtPeak(stack.api), resources: stack.api.resources },
        { role: "worker", pods: workerPodsAtPeak(stack.worker), resources: stack.worker.resources },
        { role: "beat", pods: 1, resources: stack.beat.resources },
        { role: "canvas", pods: stack.canvas.replicas + 2, resources: stack.canvas.resources },
        ...(database.kind === "statefulset"
            ? [{ role: "postgres" as const, pods: 1, resources: databaseResources(database) }]
            : []),
        ...(pooler === undefined
            ? []
            : [{ role: "pgbouncer" as const, pods: poolerPodsAtPeak(pooler), resources: pooler.resources }]),
        ...(cache.kind === "valkey" ? [{ role: "valkey" as const, pods: 1, resources: cacheResources(cache) }] : []),
        // The Job of the release before stays until the new one has succeeded; RDS has one more, for its users.
        { role: "init", pods: database.kind === "rds" ? 4 : 2, resources: initResources },
        // One started by hand in addition to the scheduled one.
        ...(backup === undefined ? [] : [{ role: "backup" as const, pods: 2, resources: backup.resources }]),
        // Likewise the former Job, until the new one has succeeded.
        ...(stack.network.enforcement === "probed"
            ? [{ role: "network-probe" as const, pods: 2, resources: probeResources }]
            : []),
    ];
}

/** The need at the peak, and the quota: as configured, otherwise the need plus 25 %. */
export function quotaOf(stack: QuotaSettings): { need: Capacity; quota: Capacity } {
    const peak = peakPods(stack);
    const sum = (of: (resources: Resources) => number): number =>
        peak.reduce((total, { pods, resources }) => total + pods * of(resources), 0);
    const need: Capacity = {
        cpuRequestMillis: sum((each) => each.cpuRequestMillis),
        memoryRequestMiB: sum((each) => each.memoryRequestMiB),
        memoryLimitMiB: sum((each) => each.memoryLimitMiB),
        ephemeralRequestMiB: sum((each) => each.ephemeralRequestMiB),
        ephemeralLimitMiB: peak.reduce((total, { role, pods }) => total + pods * ephemeralLimitOf(role, stack), 0),
        pods: sum(() => 1),
        storageGiB:
            (stack.database.kind === "statefulset" ? stack.database.storageGiB : 0) +
            (stack.cache.kind === "valkey" ? stack.cache.storageGiB : 0),
    };
    const more = (value: number): number => Math.ceil(value * 1.25);
    const { quota } = stack.kubernetes;
    return {
        need,
        quota: {
            cpuRequestMillis: quota.cpuRequestMillis ?? more(need.cpuRequestMillis),
            memoryRequestMiB: quota.memoryRequestMiB ?? more(need.memoryRequestMiB),
            memoryLimitMiB: quota.memoryLimitMiB ?? more(need.memoryLimitMiB),
            ephemeralRequestMiB: quota.ephemeralRequestMiB ?? more(need.ephemeralRequestMiB),
            ephemeralLimitMiB: quota.ephemeralLimitMiB ?? more(need.ephemeralLimitMiB),
            pods: quota.pods ?? more(need.pods),
            storageGiB: quota.storageGiB ?? need.storageGiB * 2,
        },
    };
}
