/** Settings of a workload's pods from the section `pods`: those of `all`, overridden by its own. */
import type { types } from "@pulumi/kubernetes";
import type { Stack } from "../config/schema";
import type { Placement } from "../config/schema.pods";
import type { Role } from "./labels";
import type { Mounted } from "./volumes.plan";

type PodSpec = types.input.core.v1.PodSpec;

export function planPlacement(role: Role, { pods }: Pick<Stack, "pods">): Placement {
    const { all } = pods;
    if (role === "network-probe") return all;
    const own = pods[role];
    return {
        nodeSelector: { ...all.nodeSelector, ...own.nodeSelector },
        tolerations: [...all.tolerations, ...own.tolerations],
        affinity: own.affinity ?? all.affinity,
        priorityClassName: own.priorityClassName ?? all.priorityClassName,
        runtimeClassName: own.runtimeClassName ?? all.runtimeClassName,
        labels: { ...all.labels, ...own.labels },
        annotations: { ...all.annotations, ...own.annotations },
        extraEnv: { ...all.extraEnv, ...own.extraEnv },
        envFrom: [...all.envFrom, ...own.envFrom],
        volumes: [...all.volumes, ...own.volumes],
    };
}

/** The part of a pod's spec that decides where it runs; unset fields are omitted. */
export function scheduling(placement: Placement): Partial<PodSpec> {
    const { nodeSelector, tolerations, affinity, priorityClassName, runtimeClassName } = placement;
    return {
        ...(Object.keys(nodeSelector).length > 0 && { nodeSelector }),
        ...(tolerations.length > 0 && { tolerations }),
        ...(affinity && { affinity }),
        ...(priorityClassName !== undefined && { priorityClassName }),
        ...(runtimeClassName !== undefined && { runtimeClassName }),
    };
}

export function environmentFrom({ envFrom }: Placement): types.input.core.v1.EnvFromSource[] {
    return envFrom.map(({ kind, name, prefix }) => ({
        ...(prefix !== undefined && { prefix }),
        ...(kind === "secret" ? { secretRef: { name } } : { configMapRef: { name } }),
    }));
}

/** The prefix keeps the names apart from the stack's own volumes. */
export function extraVolumes({ volumes }: Placement): Mounted[] {
    return volumes.map(({ name: given, mountPath, readOnly, source }) => {
        const name = `extra-${given}`;
        return { volume: { ...volumeSource(source), name }, mount: { name, mountPath, readOnly } };
    });
}

function volumeSource({ kind, name }: Placement["volumes"][number]["source"]): Partial<types.input.core.v1.Volume> {
    switch (kind) {
        case "configMap":
            return { configMap: { name } };
        case "secret":
            return { secret: { secretName: name, defaultMode: 0o440 } };
        case "claim":
            return { persistentVolumeClaim: { claimName: name } };
    }
}
