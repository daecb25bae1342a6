/** Settings of pods that say nothing of Orcheo: where they run, and what else they see. */
import { z } from "zod";
import {
    choice,
    environmentName,
    flag,
    freeLabelKey,
    freeMountPath,
    kind,
    labelKey,
    labelValue,
    name,
    objectName,
    oneOf,
    shortName,
    whole,
} from "./fields";

const expression = z.strictObject({
    key: labelKey(),
    operator: choice(["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]),
    values: z.array(labelValue()).optional(),
});
const nodeTerm = z.strictObject({
    matchExpressions: z.array(expression).optional(),
    matchFields: z.array(expression).optional(),
});
const selector = z.strictObject({
    matchLabels: z.record(labelKey(), labelValue()).optional(),
    matchExpressions: z.array(expression).optional(),
});
const podTerm = z.strictObject({
    topologyKey: labelKey(),
    labelSelector: selector.optional(),
    matchLabelKeys: z.array(labelKey()).optional(),
    mismatchLabelKeys: z.array(labelKey()).optional(),
    namespaces: z.array(name()).optional(),
    namespaceSelector: selector.optional(),
});
const weight = whole(1, 100);
const podAffinity = z.strictObject({
    requiredDuringSchedulingIgnoredDuringExecution: z.array(podTerm).optional(),
    preferredDuringSchedulingIgnoredDuringExecution: z
        .array(z.strictObject({ weight, podAffinityTerm: podTerm }))
        .optional(),
});
/** @see https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.37/#affinity-v1-core */
const affinity = z.strictObject({
    nodeAffinity: z
        .strictObject({
            requiredDuringSchedulingIgnoredDuringExecution: z
                .strictObject({ nodeSelectorTerms: z.array(nodeTerm).min(1) })
                .optional(),
            preferredDuringSchedulingIgnoredDuringExecution: z
                .array(z.strictObject({ weight, preference: nodeTerm }))
                .optional(),
        })
        .optional(),
    podAffinity: podAffinity.optional(),
    podAntiAffinity: podAffinity.optional(),
});

const toleration = z.strictObject({
    key: labelKey().optional(),
    operator: choice(["Equal", "Exists"]).optional(),
    value: labelValue().optional(),
    effect: choice(["NoSchedule", "PreferNoSchedule", "NoExecute"]).optional(),
    tolerationSeconds: whole(0, 86_400).optional(),
});

const environmentSource = oneOf([
    z.strictObject({ kind: kind("configMap"), name: objectName(), prefix: environmentName().optional() }),
    z.strictObject({ kind: kind("secret"), name: objectName(), prefix: environmentName().optional() }),
]);

const volumeSource = oneOf([
    z.strictObject({ kind: kind("configMap"), name: objectName() }),
    z.strictObject({ kind: kind("secret"), name: objectName() }),
    z.strictObject({ kind: kind("claim"), name: objectName() }),
]);
const volume = z.strictObject({
    name: shortName(),
    mountPath: freeMountPath(),
    readOnly: flag().default(true),
    source: volumeSource,
});

const placement = z.strictObject({
    nodeSelector: z
        .record(labelKey(), labelValue())
        .default({})
        .describe("Labels that a node must have, such as kubernetes.io/arch: arm64."),
    tolerations: z.array(toleration).default([]).describe("Taints that are accepted, as Kubernetes writes them."),
    affinity: affinity
        .optional()
        .meta({ accepted: "nodeAffinity, podAffinity, podAntiAffinity" })
        .describe("Kubernetes affinity, as in a pod's spec, in addition to the even spread that all pods have."),
    priorityClassName: objectName().optional().describe("PriorityClass."),
    runtimeClassName: objectName().optional().describe("RuntimeClass, such as gvisor."),
    labels: z
        .record(freeLabelKey(), labelValue())
        .default({})
        .describe("Further labels of the pods; app.kubernetes.io/… are the stack's own."),
    annotations: z
        .record(labelKey(), z.string({ error: "a string" }))
        .default({})
        .describe("Annotations of the pods."),
    extraEnv: z
        .record(environmentName(), z.string({ error: "a string" }))
        .default({})
        .describe(
            "Additional environment variables, never secrets. They cannot replace variables that the stack sets.",
        ),
    envFrom: z
        .array(environmentSource)
        .default([])
        .describe(
            "ConfigMaps and Secrets of the namespace that become environment: {kind: configMap, name, prefix}. The policy pack refuses kind secret, unless by an exception: mount it instead.",
        ),
    volumes: z
        .array(volume)
        .default([])
        .describe(
            "ConfigMaps, Secrets and claims of the namespace that become directories: {name, mountPath, readOnly, source: {kind: configMap | secret | claim, name}}.",
        ),
});

const own = placement.prefault({});
const added = placement.prefault({}).meta({ accepted: "the keys of `pods.all`" });

export const pods = z
    .strictObject({
        all: own.describe("Pods of every workload."),
        api: added.describe("API pods: maps and lists are added to those of `all`, single values replace them."),
        worker: added.describe("Worker pods, likewise."),
        beat: added.describe("Beat pod, likewise."),
        init: added.describe("Pod of the initialisation Job, likewise."),
        canvas: added.describe("Canvas pods, likewise."),
        postgres: added.describe("PostgreSQL pod, likewise."),
        pgbouncer: added.describe("Pooler pods, likewise."),
        valkey: added.describe("Valkey pod, likewise."),
        backup: added.describe("Pods of the backup Job, likewise."),
    })
    .prefault({})
    .describe("Where pods run, and what else they see.");

/** A workload's settings. */
export type Placement = z.output<typeof placement>;

const serviceAccount = () =>
    oneOf([
        z.strictObject({
            kind: kind("created"),
            annotations: z
                .record(labelKey(), z.string({ error: "a string" }))
                .default({})
                .describe("Annotations, such as eks.amazonaws.com/role-arn for IRSA."),
        }),
        z.strictObject({ kind: kind("existing"), name: objectName().describe("ServiceAccount of the namespace.") }),
    ]).prefault({ kind: "created" });

export const serviceAccounts = z
    .strictObject({
        api: serviceAccount().describe("API."),
        worker: serviceAccount().describe("Worker."),
        beat: serviceAccount().describe("Beat."),
        init: serviceAccount().describe("Initialisation Job."),
        canvas: serviceAccount().describe("Canvas."),
        backup: serviceAccount().describe("Backup Job."),
    })
    .prefault({})
    .describe("Identities of the pods. They get no token for the cluster's API, only what a cloud's webhook adds.");

export type ServiceAccounts = z.output<typeof serviceAccounts>;
