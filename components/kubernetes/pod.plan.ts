/** The one way in which this program describes a pod: what Pod Security `restricted` asks for is not an option. */
import type { types } from "@pulumi/kubernetes";
import { output, type Input } from "@pulumi/pulumi";
import type { Resources } from "../config/fields";
import type { Stack } from "../config/schema";
import type { Placement } from "../config/schema.pods";
import { podLabels, selector, type Role } from "./labels";
import { environmentFrom, extraVolumes, planPlacement, scheduling } from "./placement.plan";
import { pullSecretName } from "./pull-secret.plan";
import { mebibytes, millis } from "./quantity";
import { logsMiB } from "./scratch.plan";
import type { Mounted } from "./volumes.plan";

type Container = types.input.core.v1.Container;
type PodTemplate = types.input.core.v1.PodTemplateSpec;
type Probe = types.input.core.v1.Probe;
type ExecCheck = Pick<Probe, "exec">;
type Check = Pick<Probe, "exec" | "httpGet" | "tcpSocket">;

export interface ContainerProbes {
    readonly startup: Probe;
    readonly readiness: Probe;
    readonly liveness: Probe;
}

export interface ContainerPlan {
    readonly name: string;
    /** By digest. */
    readonly image: Input<string>;
    /** Instead of the image's entrypoint. */
    readonly command?: readonly string[];
    readonly args?: readonly string[];
    readonly env?: Readonly<Record<string, Input<string>>>;
    readonly port?: { readonly name: string; readonly number: number };
    readonly metricsPort?: number;
    readonly resources: Resources;
    readonly mounts: readonly Mounted[];
    readonly probes?: ContainerProbes;
    /** Seconds between leaving the Service's endpoints and SIGTERM. */
    readonly preStopSeconds?: number;
}

/** What every pod depends on. */
export type PodSettings = Pick<Stack, "kubernetes" | "pods" | "registry">;

export interface PodPlan {
    readonly role: Role;
    readonly stack: PodSettings;
    readonly serviceAccountName: Input<string>;
    readonly containers: readonly ContainerPlan[];
    readonly initContainers?: readonly ContainerPlan[];
    /** Includes the preStop wait. */
    readonly terminationGraceSeconds: number;
    readonly labels?: Readonly<Record<string, string>>;
    /** Whatever changes here restarts the pods. */
    readonly annotations?: Readonly<Record<string, string>>;
    readonly restartPolicy?: "Always" | "Never" | "OnFailure";
}

export const uid = 1000;

/** A changed template restarts these, and with them whatever holds a connection. */
const keepsTemplate: readonly Role[] = ["postgres", "valkey"];

/**
 * No sidecar for a pod that ends by itself: one that is no native sidecar would keep the pod, and with it the Job, from
 * ending. Labels and annotations of the section `pods` win.
 *
 * @see https://istio.io/latest/docs/reference/config/labels/#SidecarInject
 * @see https://linkerd.io/2/reference/proxy-configuration/
 */
const withoutSidecar = {
    labels: { "sidecar.istio.io/inject": "false" },
    annotations: { "linkerd.io/inject": "disabled" },
};

/** `assigned`: the platform's admission fills in omitted ids, and refuses pods that name another uid. */
function identity({ kubernetes }: Pick<Stack, "kubernetes">): types.input.core.v1.PodSecurityContext {
    return kubernetes.podUser === "assigned" ? {} : { runAsUser: uid, runAsGroup: uid, fsGroup: uid };
}

/**
 * A value that arrives in the container as it stands: Kubernetes replaces `$(NAME)`, and reads `$$` as one `$`. Others
 * stay as they are, so that no pod restarts for them.
 *
 * @see https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
 */
export const literal = (value: string): string => value.replace(/\$(?=[$(])/g, "$$$$");

const literalInput = (value: Input<string>): Input<string> =>
    typeof value === "string" ? literal(value) : output(value).apply(literal);

export function planPod(pod: PodPlan): PodTemplate {
    const all = [...pod.containers, ...(pod.initContainers ?? [])];
    const placement = planPlacement(pod.role, pod.stack);
    const mounted = [...all.flatMap(({ mounts }) => mounts), ...extraVolumes(placement)];
    const volumes = new Map(mounted.map(({ volume }) => [volume.name, volume]));
    const pullSecret = pullSecretName(pod.stack);
    const ends = pod.restartPolicy !== undefined && pod.restartPolicy !== "Always";
    const annotations = {
        ...(ends && withoutSidecar.annotations),
        ...placement.annotations,
        ...pod.annotations,
    };
    const lastWords = keepsTemplate.includes(pod.role) ? {} : { terminationMessagePolicy: "FallbackToLogsOnError" };
    const container = (plan: ContainerPlan) => ({ ...planContainer(plan, placement), ...lastWords });
    return {
        metadata: {
            labels: { ...(ends && withoutSidecar.labels), ...placement.labels, ...pod.labels, ...podLabels(pod.role) },
            ...(Object.keys(annotations).length > 0 && { annotations }),
        },
        spec: {
            serviceAccountName: pod.serviceAccountName,
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            securityContext: {
                runAsNonRoot: true,
                ...identity(pod.stack),
                fsGroupChangePolicy: "OnRootMismatch",
                seccompProfile: { type: "RuntimeDefault" },
            },
            ...(pullSecret !== undefined && { imagePullSecrets: [{ name: pullSecret }] }),
            ...scheduling(placement),
            ...(pod.restartPolicy !== undefined && { restartPolicy: pod.restartPolicy }),
            terminationGracePeriodSeconds: pod.terminationGraceSeconds,
            // Two replicas on one machine fall together; preferred, so that one machine is enough.
            topologySpreadConstraints: ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map((topologyKey) => ({
                maxSkew: 1,
                topologyKey,
                whenUnsatisfiable: "ScheduleAnyway",
                labelSelector: { matchLabels: selector(pod.role) },
            })),
            ...(pod.initContainers !== undefined && { initContainers: pod.initContainers.map(container) }),
            containers: pod.containers.map(container),
            volumes: [...volumes.values()],
        },
    };
}

function planContainer(plan: ContainerPlan, placement: Placement): Container {
    const { cpuRequestMillis, cpuLimitMillis, memoryRequestMiB, memoryLimitMiB, ephemeralRequestMiB } = plan.resources;
    const scratchMiB = plan.mounts.reduce((sum, { diskMiB = 0 }) => sum + diskMiB, 0);
    const envFrom = environmentFrom(placement);
    const ports = [
        ...(plan.port ? [{ name: plan.port.name, containerPort: plan.port.number, protocol: "TCP" }] : []),
        ...(plan.metricsPort === undefined
            ? []
            : [{ name: "metrics", containerPort: plan.metricsPort, protocol: "TCP" }]),
    ];
    return {
        name: plan.name,
        image: plan.image,
        imagePullPolicy: "IfNotPresent",
        ...(plan.command && { command: plan.command.map(literal) }),
        ...(plan.args && { args: plan.args.map(literal) }),
        env: Object.entries({ ...placement.extraEnv, ...plan.env }).map(([name, value]) => ({
            name,
            value: literalInput(value),
        })),
        ...(envFrom.length > 0 && { envFrom }),
        ...(ports.length > 0 && { ports }),
        resources: {
            requests: {
                cpu: millis(cpuRequestMillis),
                memory: mebibytes(memoryRequestMiB),
                "ephemeral-storage": mebibytes(ephemeralRequestMiB),
            },
            limits: {
                cpu: millis(cpuLimitMillis),
                memory: mebibytes(memoryLimitMiB),
                // The kubelet compares the sum over the containers with all logs and scratch directories of the pod.
                "ephemeral-storage": mebibytes(logsMiB + scratchMiB),
            },
        },
        securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            runAsNonRoot: true,
            capabilities: { drop: ["ALL"] },
            seccompProfile: { type: "RuntimeDefault" },
        },
        volumeMounts: [...plan.mounts, ...extraVolumes(placement)].map(({ mount }) => mount),
        ...(plan.probes && {
            startupProbe: plan.probes.startup,
            readinessProbe: plan.probes.readiness,
            livenessProbe: plan.probes.liveness,
        }),
        ...(plan.preStopSeconds !== undefined && {
            lifecycle: { preStop: { sleep: { seconds: plan.preStopSeconds } } },
        }),
    };
}

/** The check, how often it is made, and how many failures in a row it may have. */
export function probe(
    check: Check,
    { everySeconds, failures, timeoutSeconds }: { everySeconds: number; failures: number; timeoutSeconds: number },
): Probe {
    return { ...check, periodSeconds: everySeconds, failureThreshold: failures, timeoutSeconds };
}

/**
 * Exec probes of a server. Infrequent, because each starts a process in the container, which takes about 0.1 s of CPU time (docs/performance.md).
 * The container is not ready after 20 s without an answer, and restarted after 90 s.
 */
export const processProbes = (ready: ExecCheck, live = ready): Pick<ContainerProbes, "readiness" | "liveness"> => ({
    readiness: probe(ready, { everySeconds: 10, failures: 2, timeoutSeconds: 5 }),
    liveness: probe(live, { everySeconds: 30, failures: 3, timeoutSeconds: 5 }),
});

/** The initialisation Job runs the backend once and does little. */
export const initResources: Resources = {
    cpuRequestMillis: 100,
    cpuLimitMillis: 2000,
    memoryRequestMiB: 384,
    memoryLimitMiB: 1024,
    ephemeralRequestMiB: 64,
};
