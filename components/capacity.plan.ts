/** What the workloads need at their peak, and the quota that follows from it. */
import { backupOf } from "./backup.plan";
import type { Resources } from "./config/fields";
import type { CacheOf, DatabaseOf, Stack } from "./config/schema";

export interface Capacity {
    readonly cpuRequestMillis: number;
    readonly memoryRequestMiB: number;
    readonly memoryLimitMiB: number;
    readonly pods: number;
    readonly storageGiB: number;
}

/** The initialisation Job runs the backend once and does little. */
export const initResources: Resources = {
    cpuRequestMillis: 100,
    cpuLimitMillis: 2000,
    memoryRequestMiB: 384,
    memoryLimitMiB: 1024,
};

export function databaseResources(database: DatabaseOf<"statefulset">): Resources {
    const { cpuRequestMillis, cpuLimitMillis, memoryMiB } = database;
    return { cpuRequestMillis, cpuLimitMillis, memoryRequestMiB: memoryMiB, memoryLimitMiB: memoryMiB };
}

export function cacheResources(cache: CacheOf<"valkey">): Resources {
    const { cpuRequestMillis, cpuLimitMillis, memoryMiB } = cache;
    // Rewriting the append-only file forks: pages that change meanwhile exist twice.
    return { cpuRequestMillis, cpuLimitMillis, memoryRequestMiB: memoryMiB, memoryLimitMiB: memoryMiB * 2 + 32 };
}

/** Each workload with the pods it has at most while it is updated: pods that stop still count. */
export function peakPods(stack: Stack): readonly { pods: number; resources: Resources }[] {
    const { database, cache } = stack;
    const backup = backupOf(stack);
    return [
        { pods: stack.api.scaling.maxReplicas + 2, resources: stack.api.resources },
        { pods: stack.worker.replicas * 2 + 1, resources: stack.worker.resources },
        { pods: 1, resources: stack.beat.resources },
        { pods: stack.canvas.replicas + 2, resources: stack.canvas.resources },
        ...(database.kind === "statefulset" ? [{ pods: 1, resources: databaseResources(database) }] : []),
        ...(cache.kind === "valkey" ? [{ pods: 1, resources: cacheResources(cache) }] : []),
        // The Job of the release before stays until the new one has succeeded; RDS has one more, for its users.
        { pods: database.kind === "rds" ? 4 : 2, resources: initResources },
        // One that is started by hand beside that of the schedule.
        ...(backup === undefined ? [] : [{ pods: 2, resources: backup.resources }]),
    ];
}

/** The need at the peak, and the quota: what is configured, else the need and a quarter more. */
export function quotaOf(stack: Stack): { need: Capacity; quota: Capacity } {
    const peak = peakPods(stack);
    const sum = (of: (resources: Resources) => number): number =>
        peak.reduce((total, { pods, resources }) => total + pods * of(resources), 0);
    const need: Capacity = {
        cpuRequestMillis: sum((each) => each.cpuRequestMillis),
        memoryRequestMiB: sum((each) => each.memoryRequestMiB),
        memoryLimitMiB: sum((each) => each.memoryLimitMiB),
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
            pods: quota.pods ?? more(need.pods),
            storageGiB: quota.storageGiB ?? need.storageGiB * 2,
        },
    };
}
