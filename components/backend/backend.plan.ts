import type { types } from "@pulumi/kubernetes";
import type { Input } from "@pulumi/pulumi";
import { discoveryUrl } from "../config/derived";
import { usesPooler } from "../config/kinds";
import { ports } from "../config/ports";
import { browserSharedMemoryMiB } from "../config/schema.apps";
import type { Stack } from "../config/schema";
import { pooledLabel, releaseLabels, selector } from "../kubernetes/labels";
import {
    planPod,
    probe,
    initResources,
    type ContainerPlan,
    type ContainerProbes,
    type PodSettings,
} from "../kubernetes/pod.plan";
import { proxyEnvironment, type ProxySettings } from "../kubernetes/proxy.plan";
import { scratchSizes, type ScratchSettings } from "../kubernetes/scratch.plan";
import { planTrust, trustEnvironment, trustMount } from "../kubernetes/trust.plan";
import * as volumes from "../kubernetes/volumes.plan";
import { planRotation } from "../secrets/secrets.plan";
import { caDir } from "../servers/servers.plan";
import {
    isMonitored,
    monitoredBy,
    metricsEnvironment,
    scrapeAnnotations,
    scraperOf,
    telemetryEnvironment,
    telemetryMounts,
    telemetrySecrets,
    type MonitoringSettings,
    type TelemetrySettings,
    type TelemetryTrust,
} from "../monitoring/monitoring.plan";
import { latestKey, updatesName } from "../updates/updates.plan";
import type { BackendRole } from "./contract";
import { planDemands, planSecretFiles, serverNames, type SecretSources } from "./secret-files.plan";
import type { ReachSettings } from "../network/network.plan";

type Deployment = types.input.apps.v1.Deployment;

type EnvironmentSettings = MonitoringSettings &
    TelemetrySettings &
    ProxySettings &
    Pick<Stack, "api" | "auth" | "beat" | "kubernetes" | "publicUrl" | "release" | "version" | "worker">;

export type BackendSettings = EnvironmentSettings &
    PodSettings &
    ScratchSettings &
    ReachSettings &
    Pick<Stack, "leaveSeconds" | "secrets">;

export interface BackendInputs extends SecretSources {
    readonly namespace: Input<string>;
    readonly image: Input<string>;
    readonly serviceAccountName: Input<string>;
    /** ConfigMap of private authorities. */
    readonly trustConfigMap?: Input<string>;
    /** Secret of the API's own certificate, whose ca.crt is the stack's authority. */
    readonly certificateSecret: Input<string>;
    /** Secret of the certificate that worker and beat serve their metrics with. */
    readonly metricsCertificateSecret?: Input<string>;
    /** CAs of the servers that traces and metrics are sent to. */
    readonly telemetryTrust?: TelemetryTrust;
}

/** Between the end of open requests and that of the process. */
const drainSpareSeconds = 3;
/** What a worker needs beside the run it finishes. */
const workerSpareSeconds = 30;

/** Without a place of the keys Orcheo's start in the image follows the discovery document (orcheo_runtime/sign_in.py). */
function planSignIn({ signIn }: Stack["auth"]): Record<string, string> {
    if (signIn.kind === "tokensOnly") return {};
    return {
        ORCHEO_AUTH_ISSUER: signIn.issuer,
        ORCHEO_AUTH_JWKS_URL: signIn.jwksUrl ?? discoveryUrl(signIn.issuer),
        ORCHEO_AUTH_AUDIENCE: signIn.audience,
        // HS256 is that of Orcheo 0.46's own sessions, signed with the stack's secret.
        ORCHEO_AUTH_ALLOWED_ALGORITHMS: [...signIn.algorithms, "HS256"].join(","),
        ORCHEO_AUTH_CLOCK_SKEW_SECONDS: String(signIn.clockSkewSeconds),
    };
}

/** Environment without secrets; release-specific names are the image's business (images/backend). */
export function planEnvironment(role: BackendRole, stack: EnvironmentSettings): Record<string, string> {
    const { auth } = stack;
    const own = role === "init" ? undefined : stack[role];
    return {
        ...own?.extraEnv,
        ...proxyEnvironment(stack),
        ORCHEO_LOG_LEVEL: own?.logLevel ?? "INFO",
        ORCHEO_AUTH_MODE: "required",
        ORCHEO_WORKFLOW_TRUST_MODE: auth.clientUploads ? "allow_client_uploads" : "managed",
        ORCHEO_CORS_ALLOW_ORIGINS: stack.publicUrl,
        ORCHEO_STUDIO_URL: stack.publicUrl,
        ORCHEO_CHATKIT_PUBLIC_BASE_URL: stack.publicUrl,
        ...planSignIn(auth),
        ...metricsEnvironment(role, stack),
        ...telemetryEnvironment(role, stack),
        // Also who sends and who schedules must know how long a message may stay unacknowledged.
        ...(role !== "init" && { ORCHEO_WORKER_LONGEST_RUN_SECONDS: String(stack.worker.longestRunSeconds) }),
        ...(role === "worker" && {
            ORCHEO_WORKER_CONCURRENCY: String(stack.worker.concurrency),
            ORCHEO_WORKER_LOST_RUNS: stack.worker.lostRuns,
            ...(stack.worker.runsPerProcess !== undefined && {
                ORCHEO_WORKER_RUNS_PER_PROCESS: String(stack.worker.runsPerProcess),
            }),
            ...(stack.worker.memoryPerProcessMiB !== undefined && {
                ORCHEO_WORKER_PROCESS_MEMORY_MIB: String(stack.worker.memoryPerProcessMiB),
            }),
        }),
        ...(role === "api" && {
            // The process leaves before the kubelet ends its patience.
            ORCHEO_API_DRAIN_SECONDS: String(stack.api.drainSeconds - drainSpareSeconds),
            // Limits by address mean the caller's; the NetworkPolicy lets the ingress controller in and nobody else outside.
            FORWARDED_ALLOW_IPS: "*",
        }),
    };
}

const exec = (...command: string[]) => ({ exec: { command } });

/**
 * Startup waits for the slow first import. Not ready: the database or the cache cannot be reached. Not alive: the
 * process, or the listeners inside it, will not come back by themselves.
 */
const probesOf: Readonly<Record<"api" | "worker" | "beat", ContainerProbes>> = {
    api: {
        startup: probe(
            { httpGet: { path: "/healthz/startup", port: ports.api, scheme: "HTTPS" } },
            { everySeconds: 2, failures: 90, timeoutSeconds: 5 },
        ),
        readiness: probe(
            { httpGet: { path: "/healthz/ready", port: ports.api, scheme: "HTTPS" } },
            { everySeconds: 5, failures: 3, timeoutSeconds: 5 },
        ),
        // Fails when listeners died with a lost database that is back: until the restart nothing serves.
        liveness: probe(
            { httpGet: { path: "/healthz/live", port: ports.api, scheme: "HTTPS" } },
            { everySeconds: 5, failures: 6, timeoutSeconds: 5 },
        ),
    },
    worker: {
        // Of one that never came up there is no run to wait for.
        startup: {
            ...probe(exec("orcheo-probe", "worker", "startup"), {
                everySeconds: 5,
                failures: 36,
                timeoutSeconds: 10,
            }),
            terminationGracePeriodSeconds: 30,
        },
        readiness: probe(exec("orcheo-probe", "worker", "ready"), {
            everySeconds: 15,
            failures: 3,
            timeoutSeconds: 10,
        }),
        liveness: probe(exec("orcheo-probe", "worker", "live"), { everySeconds: 30, failures: 4, timeoutSeconds: 10 }),
    },
    beat: {
        startup: probe(exec("orcheo-probe", "beat", "startup"), { everySeconds: 5, failures: 36, timeoutSeconds: 10 }),
        readiness: probe(exec("orcheo-probe", "beat", "ready"), { everySeconds: 15, failures: 3, timeoutSeconds: 10 }),
        liveness: probe(exec("orcheo-probe", "beat", "live"), { everySeconds: 30, failures: 4, timeoutSeconds: 10 }),
    },
};

function planContainer(role: BackendRole, stack: BackendSettings, inputs: BackendInputs): ContainerPlan {
    const sizes = scratchSizes(stack)[role];
    return {
        name: role,
        image: inputs.image,
        args: [role],
        env: {
            ...planEnvironment(role, stack),
            ...planDemands(stack, inputs),
            ...(inputs.trustConfigMap !== undefined && trustEnvironment),
        },
        resources: role === "init" ? initResources : stack[role].resources,
        mounts: [
            volumes.secretFiles([...planSecretFiles(role, inputs), ...telemetrySecrets(role, stack)]),
            volumes.stackCa(inputs.certificateSecret),
            ...serverNames.flatMap((server) =>
                volumes.trusted(`${server}-ca`, inputs.servers[server].trust, caDir(server)),
            ),
            ...telemetryMounts(role, stack, inputs.telemetryTrust ?? {}),
            ...(inputs.trustConfigMap === undefined ? [] : [trustMount]),
            ...(role === "api" ? [volumes.serverCertificate(inputs.certificateSecret)] : []),
            ...(inputs.metricsCertificateSecret === undefined
                ? []
                : [volumes.serverCertificate(inputs.metricsCertificateSecret)]),
            ...(role === "beat" && monitoredBy(stack) !== undefined
                ? [volumes.laterFile("update", updatesName, latestKey, "/etc/orcheo/update")]
                : []),
            volumes.scratch("tmp", "/tmp", sizes.tmp),
            // Caches are filled at run time; they are nobody's only copy.
            volumes.scratch("state", "/var/lib/orcheo", sizes.state),
            ...(role === "worker" ? [volumes.scratch("shm", "/dev/shm", sharedMemoryMiB(stack), "Memory")] : []),
        ],
        ...(role !== "init" && { probes: probesOf[role] }),
        ...(scraperOf(stack) !== undefined && isMonitored(role) && { metricsPort: ports.metrics }),
        ...(role === "api" && { port: { name: "https", number: ports.api }, preStopSeconds: stack.leaveSeconds }),
    };
}

/** Chromium keeps the pixels of its pages there; it counts as the container's memory. */
const sharedMemoryMiB = ({ worker }: Pick<Stack, "worker">): number => (worker.browser ? browserSharedMemoryMiB : 128);

/** Seconds from the signal to the kill, the wait before it included. */
function graceSeconds(role: BackendRole, stack: BackendSettings): number {
    const { api, worker } = stack;
    switch (role) {
        case "api":
            return stack.leaveSeconds + api.drainSeconds;
        case "worker":
            return worker.longestRunSeconds + workerSpareSeconds;
        case "beat":
        case "init":
            return 30;
    }
}

function planTemplate(role: BackendRole, stack: BackendSettings, inputs: BackendInputs) {
    return planPod({
        role,
        serviceAccountName: inputs.serviceAccountName,
        stack,
        terminationGraceSeconds: graceSeconds(role, stack),
        containers: [planContainer(role, stack, inputs)],
        ...(inputs.trustConfigMap !== undefined && {
            initContainers: [planTrust(inputs.image, inputs.trustConfigMap)],
        }),
        ...(usesPooler(stack) && { labels: { [pooledLabel]: "true" } }),
        annotations: { ...planRotation(stack.secrets).pods, ...scrapeAnnotations(role, stack) },
        ...(role === "init" && { restartPolicy: "Never" }),
    });
}

/**
 * Creates the tables before any replica starts: Orcheo's own start races. It runs anew whenever its template changes,
 * with every release and image; a lock in the database keeps two of them apart.
 */
export function planInitialisation(stack: BackendSettings, inputs: BackendInputs): types.input.batch.v1.Job {
    const labels = releaseLabels("init", stack.version);
    return {
        // A Job that failed is replaced by the next update instead of being waited for again.
        metadata: { namespace: inputs.namespace, labels, annotations: { "pulumi.com/replaceUnready": "true" } },
        // No time to live: a Job that vanished would read as drift.
        spec: {
            // Waits for its servers itself; a refusal is told to Pulumi after two more tries. (It does not see the end of a
            // Job that a podFailurePolicy ends, and would wait for the whole timeout.)
            backoffLimit: 2,
            activeDeadlineSeconds: 540,
            template: planTemplate("init", stack, inputs),
        },
    };
}

export function planDeployment(
    role: "api" | "worker" | "beat",
    stack: BackendSettings,
    inputs: BackendInputs,
): Deployment {
    const annotations = planRotation(stack.secrets).deployment;
    const rolling = { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
    return {
        metadata: {
            name: role,
            namespace: inputs.namespace,
            labels: releaseLabels(role, stack.version),
            ...(Object.keys(annotations).length > 0 && { annotations }),
        },
        spec: {
            // The autoscaler owns the API's replicas. Beat is one: two would dispatch every trigger twice.
            ...(role === "worker" && { replicas: stack.worker.replicas }),
            ...(role === "beat" && { replicas: 1 }),
            selector: { matchLabels: selector(role) },
            strategy: role === "beat" ? { type: "Recreate" } : rolling,
            template: planTemplate(role, stack, inputs),
        },
    };
}
