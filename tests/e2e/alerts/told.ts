/** Which alerts have a story: a real fault, by the words of docs/reliability.md. No alert is in neither of the two tables. */

const noRoom = "the node takes no new pods, and all pods of the API, the canvas and the workers are deleted";
const noPostgres = "the node takes no new pods, and the pod of Postgres is deleted";
const littleMemory = "the scheduler's memory limit is lowered to 48 MiB";
const noImage = "the canvas gets an image that the registry does not have";
const noStore = "the S3 store is away, and backups are suspended; one is due every minute";
const locked = "a table that every request reads is locked while 40 callers ask";
const killed = "the process that executes a run is killed";
const tooMany = "more runs are dispatched than the worker executes";
const fullDisk = "a file fills Postgres' volume of 1 GiB to 93 %";

export const told = {
    OrcheoApiDown: noRoom,
    OrcheoCanvasDown: noRoom,
    OrcheoWorkersDown: noRoom,
    OrcheoPostgresDown: noPostgres,
    OrcheoServersAway: noPostgres,
    OrcheoValkeyDown: "the node takes no new pods, and the pod of Valkey is deleted",
    OrcheoBeatStalled: littleMemory,
    OrcheoOutOfMemory: littleMemory,
    OrcheoRestarts: littleMemory,
    OrcheoImageUnavailable: noImage,
    OrcheoRolloutStuck: noImage,
    OrcheoConnectionsExhausted: locked,
    OrcheoApiErrors: locked,
    OrcheoApiSlow: locked,
    OrcheoPostgresConnections: "a client opens connections until Postgres has a tenth left",
    OrcheoQueueMemoryFull: "114 MB are written to Valkey, which may hold 128 MiB",
    OrcheoRunsOutOfMemory: killed,
    OrcheoRunsLost: killed,
    OrcheoQueueGrows: tooMany,
    OrcheoRunsStartLate: tooMany,
    OrcheoWorkersStuck: "the processes of the worker that execute runs are stopped (SIGSTOP)",
    OrcheoCpuThrottled: "two processes in the scheduler's container take all the CPU that they get",
    OrcheoMemoryNearLimit: "a process in the scheduler's container takes 96 % of its memory",
    OrcheoDiskFull: fullDisk,
    OrcheoDiskFills: fullDisk,
    OrcheoNodeLost: "the kubelet is stopped",
    OrcheoBackupFailed: noStore,
    OrcheoBackupLate: noStore,
    OrcheoNoKubernetesMetrics: "the exporter of object states is deleted",
    OrcheoWatchdog: "vmalert is stopped (SIGSTOP); the alert ends with it",
} as const;

export type Told = keyof typeof told;

/** Alerts without a story, each with the reason. */
export const untold: Readonly<Record<string, string>> = {
    OrcheoCertificateExpires: "the embedded cluster's cert-manager serves no metrics",
    OrcheoAutoscalerAtMaximum: "its story has not been seen to its end on a cluster",
    OrcheoUnreachable: "no blackbox exporter runs on the embedded cluster",
    OrcheoPublicCertificateExpires: "as OrcheoUnreachable",
};
