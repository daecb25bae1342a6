/** Which alerts have a story: a real fault, by the words of docs/reliability.md. No alert is in neither of the two tables. */

const noRoom = "the node takes no new pods, and all pods of the API, the canvas and the workers are deleted";
const noPostgres = "the node takes no new pods, and the pod of Postgres is deleted";

export const told = {
    OrcheoApiDown: noRoom,
    OrcheoCanvasDown: noRoom,
    OrcheoWorkersDown: noRoom,
    OrcheoPostgresDown: noPostgres,
    OrcheoServersAway: noPostgres,
    OrcheoValkeyDown: "the node takes no new pods, and the pod of Valkey is deleted",
    OrcheoNodeLost: "the kubelet is stopped",
    OrcheoNoKubernetesMetrics: "the exporter of object states is deleted",
    OrcheoWatchdog: "vmalert is stopped (SIGSTOP); the alert ends with it",
} as const;

export type Told = keyof typeof told;

/** Alerts without a story, each with the reason. */
export const untold: Readonly<Record<string, string>> = {
    OrcheoCertificateExpires: "the embedded cluster's cert-manager serves no metrics",
    OrcheoBeatStalled: "its story has not been seen to its end on a cluster",
    OrcheoOutOfMemory: "its story has not been seen to its end on a cluster",
    OrcheoRestarts: "its story has not been seen to its end on a cluster",
    OrcheoImageUnavailable: "its story has not been seen to its end on a cluster",
    OrcheoRolloutStuck: "its story has not been seen to its end on a cluster",
    OrcheoConnectionsExhausted: "its story has not been seen to its end on a cluster",
    OrcheoApiErrors: "its story has not been seen to its end on a cluster",
    OrcheoApiSlow: "its story has not been seen to its end on a cluster",
    OrcheoPostgresConnections: "its story has not been seen to its end on a cluster",
    OrcheoQueueMemoryFull: "its story has not been seen to its end on a cluster",
    OrcheoRunsOutOfMemory: "its story has not been seen to its end on a cluster",
    OrcheoRunsLost: "its story has not been seen to its end on a cluster",
    OrcheoQueueGrows: "its story has not been seen to its end on a cluster",
    OrcheoRunsStartLate: "its story has not been seen to its end on a cluster",
    OrcheoWorkersStuck: "its story has not been seen to its end on a cluster",
    OrcheoCpuThrottled: "its story has not been seen to its end on a cluster",
    OrcheoMemoryNearLimit: "its story has not been seen to its end on a cluster",
    OrcheoAutoscalerAtMaximum: "its story has not been seen to its end on a cluster",
    OrcheoDiskFull: "its story has not been seen to its end on a cluster",
    OrcheoDiskFills: "its story has not been seen to its end on a cluster",
    OrcheoBackupLate: "its story has not been seen to its end on a cluster",
    OrcheoBackupFailed: "its story has not been seen to its end on a cluster",
    OrcheoUnreachable: "no blackbox exporter runs on the embedded cluster",
    OrcheoPublicCertificateExpires: "as OrcheoUnreachable",
};
