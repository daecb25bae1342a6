/** Disk of the node that a pod may use: its scratch directories, and its logs. */
import { privateCaFiles } from "../config/kinds";
import type { Stack } from "../config/schema";
import type { Role } from "./labels";

export type ScratchSettings = Pick<Stack, "api" | "auth" | "worker" | "outbound">;

/** Most log data that a kubelet keeps per container: AKS and OpenShift rotate at 50 MB and keep five files, others less. */
export const logsMiB = 256;
/** The joined CA bundle. */
export const trustMiB = 4;

/** MiB of each scratch directory by workload and volume; those in memory count as memory. */
export function scratchSizes(stack: ScratchSettings) {
    const { api, worker } = stack;
    const trust = privateCaFiles(stack).length === 0 ? 0 : trustMiB;
    return {
        api: { tmp: api.scratch.tmpMiB, state: api.scratch.stateMiB, trust },
        worker: { tmp: worker.scratch.tmpMiB, state: worker.scratch.stateMiB, trust },
        beat: { tmp: 64, state: 128, trust },
        init: { tmp: 512, state: 1024, trust },
        canvas: { site: 64, tmp: 64 },
        postgres: { tmp: 64 },
        pgbouncer: {},
        valkey: { tmp: 16 },
        backup: { trust },
        "network-probe": {},
    } satisfies Record<Role, Record<string, number>>;
}

/** Ephemeral storage that one pod may use, as the quota counts it. */
export function ephemeralLimitOf(role: Role, stack: ScratchSettings): number {
    const sizes: Record<string, number> = scratchSizes(stack)[role];
    return Object.values(sizes).reduce((sum, size) => sum + size, logsMiB);
}
