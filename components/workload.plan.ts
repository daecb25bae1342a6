/** The one way in which this program describes a pod: what Pod Security `restricted` asks for is not an option. */
import type { Input } from "@pulumi/pulumi";
import type { types } from "@pulumi/kubernetes";
import type { Resources } from "./config/fields";
import type { Stack } from "./config/schema";
import type { Placement } from "./config/schema.pods";
import { podLabels, selector, type Role } from "./labels";
import { environmentFrom, extraVolumes, planPlacement, scheduling } from "./placement.plan";
import { mebibytes, millis } from "./quantity";
import { pullSecretName } from "./registry.plan";
import { logsMiB } from "./scratch.plan";
import type { Mounted } from "./volumes";

type Container = types.input.core.v1.Container;
type PodTemplate = types.input.core.v1.PodTemplateSpec;
type Probe = types.input.core.v1.Probe;

export interface ContainerPlan {
    readonly name: string;
    /** By digest. */
    readonly image: Input<string>;
    /** Instead of the image's entrypoint. */
    readonly command?: readonly string[];
    readonly args?: readonly string[];
    readonly env?: Readonly<Record<string, Input<string>>>;
    readonly port?: { readonly name: string; readonly number: number };
    readonly resources: Resources;
    readonly mounts: readonly Mounted[];
    readonly probes?: { readonly startup: Probe; readonly readiness: Probe; readonly liveness: Probe };
    /** Seconds between leaving the Service's endpoints and SIGTERM. */
    readonly preStopSeconds?: number;
}

export interface PodPlan {
    readonly role: Role;
    readonly stack: Pick<Stack, "registry" | "pods">;
    readonly serviceAccountName: Input<string>;
    readonly containers: readonly ContainerPlan[];
    readonly initContainers?: readonly ContainerPlan[];
    /** Includes the preStop wait. */
    readonly terminationGraceSeconds: number;
    /** Whatever changes here restarts the pods. */
    readonly annotations?: Readonly<Record<string, string>>;
    readonly restartPolicy?: "Always" | "Never" | "OnFailure";
}

export const uid = 1000;

/** Seconds in which a stopping pod is still asked: a load balancer learns of it later than proxies in the cluster. */
export function leaveSeconds({ entrance }: Pick<Stack, "entrance">): number {
    return entrance.controller.kind.startsWith("aws") ? 20 : 5;
}

export function planPod(pod: PodPlan): PodTemplate {
    const all = [...pod.containers, ...(pod.initContainers ?? [])];
    const placement = planPlacement(pod.role, pod.stack);
    const mounted = [...all.flatMap(({ mounts }) => mounts), ...extraVolumes(placement)];
    const volumes = new Map(mounted.map(({ volume }) => [volume.name, volume]));
    const pullSecret = pullSecretName(pod.stack);
    const annotations = { ...placement.annotations, ...pod.annotations };
    const container = (plan: ContainerPlan) => planContainer(plan, placement);
    return {
        metadata: {
            labels: { ...placement.labels, ...podLabels(pod.role) },
            ...(Object.keys(annotations).length > 0 && { annotations }),
        },
        spec: {
            serviceAccountName: pod.serviceAccountName,
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            securityContext: {
                runAsNonRoot: true,
                runAsUser: uid,
                runAsGroup: uid,
                fsGroup: uid,
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
    return {
        name: plan.name,
        image: plan.image,
        imagePullPolicy: "IfNotPresent",
        ...(plan.command && { command: [...plan.command] }),
        ...(plan.args && { args: [...plan.args] }),
        env: Object.entries({ ...placement.extraEnv, ...plan.env }).map(([name, value]) => ({ name, value })),
        ...(envFrom.length > 0 && { envFrom }),
        ...(plan.port && { ports: [{ name: plan.port.name, containerPort: plan.port.number, protocol: "TCP" }] }),
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

/** The check, and how often it may fail; `seconds` in all until the verdict. */
export function probe(
    check: Pick<Probe, "exec" | "httpGet" | "tcpSocket">,
    { everySeconds, failures, timeoutSeconds }: { everySeconds: number; failures: number; timeoutSeconds: number },
): Probe {
    return { ...check, periodSeconds: everySeconds, failureThreshold: failures, timeoutSeconds };
}
