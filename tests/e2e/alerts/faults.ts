/** The fault with which each alert is tested on a cluster, as docs/reliability.md describes it. Every alert has one. */

const noRoom = "the node takes no new pods, and all pods of the API, the canvas and the workers are deleted";
const noPostgres = "the node takes no new pods, and the pod of Postgres is deleted";
const littleMemory = "the scheduler's memory limit is lowered to 48 MiB";
const noEntrance = "the ingress controller is scaled to no pods";
const noImage = "the canvas gets an image that the registry does not have";
const noStore = "the S3 store is away, and backups are suspended; one is due every minute";
const locked = "a table that every request reads is locked while 40 callers ask and 20 open WebSockets";
const killed = "the process that executes a run is killed";
const tooMany = "more runs are dispatched than the worker executes";
const shortCertificate = "the entrance's certificate is issued for ten days";
const fullDisk = "a file fills Postgres' volume of 1 GiB to 93 %";

export const faults = {
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
    OrcheoNamesUnresolved: "the cluster's DNS is scaled to no pods",
    OrcheoConnectionsExhausted: locked,
    OrcheoApiErrors: locked,
    OrcheoApiSlow: locked,
    OrcheoWebSocketsFail: locked,
    OrcheoWebSocketsSlow: locked,
    OrcheoPostgresConnections: "a client opens connections until Postgres has a tenth left",
    OrcheoQueueMemoryFull: "114 MB are written to Valkey, which may hold 128 MiB",
    OrcheoRunsOutOfMemory: killed,
    OrcheoRunsLost: killed,
    OrcheoQueueGrows: tooMany,
    OrcheoRunsStartLate: tooMany,
    OrcheoWorkersStuck: "the processes of the worker that execute runs are stopped (SIGSTOP)",
    OrcheoCpuThrottled: "two processes in the scheduler's container take all the CPU that they get",
    OrcheoMemoryNearLimit: "a process in the scheduler's container takes 96 % of its memory",
    OrcheoProcessesNearLimit: "a process in the API's pod starts 1,850 threads, of the 2,048 that a pod may have",
    OrcheoAutoscalerAtMaximum: "120 requests a second",
    OrcheoDiskFull: fullDisk,
    OrcheoDiskFills: fullDisk,
    OrcheoNodeLost: "the kubelet is stopped",
    OrcheoCertificateExpires: shortCertificate,
    OrcheoPublicCertificateExpires: shortCertificate,
    OrcheoUnreachable: noEntrance,
    OrcheoCanvasUnavailable: noEntrance,
    OrcheoCanvasSlow: "nginx' processes are stopped (SIGSTOP) for 2.5 seconds of every 2.7",
    OrcheoBackupFailed: noStore,
    OrcheoBackupLate: noStore,
    OrcheoNoKubernetesMetrics: "the exporter of object states is deleted",
    OrcheoWatchdog: "vmalert is stopped (SIGSTOP), which resolves this alert",
} as const;

/** Of the alerts on audit logs, which the embedded cluster's monitoring has, not the stack. */
export const auditFaults = {
    OrcheoSecretsRead: "a service account of another namespace lists the stack's Secrets",
    OrcheoPodEntered: "kubectl exec into Postgres' pod",
    OrcheoAccessChanged: "a service account of another namespace changes a NetworkPolicy of the stack",
    OrcheoPostgresSignInFailed: "three sign-ins to Postgres with a wrong password",
    OrcheoPostgresRolesChanged: "a role is created in Postgres and granted another one",
} as const;

/** As docs/reliability.md lists them. */
export const allFaults = { ...faults, ...auditFaults };

export type AlertName = keyof typeof allFaults;
