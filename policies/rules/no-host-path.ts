import { podSecurityBaseline, type PodRule } from "../rule.ts";
import { at, list, text } from "../values.ts";

const mounted = "variables.pod.?volumes.orValue([]).filter(v, has(v.hostPath))";

export const noHostPath: PodRule = {
    name: "no-host-path",
    level: "mandatory",
    scope: "pod",
    description: "A host path gives the pod the node's files, the kubelet's credentials among them.",
    remedy: "Use an emptyDir, a PersistentVolumeClaim or a projected volume.",
    reference: podSecurityBaseline,
    found(pod) {
        const volumes = list(at(pod.spec, "volumes")).filter((volume) => at(volume, "hostPath") !== undefined);
        const names = volumes.map((volume) => `"${text(at(volume, "name")) ?? ""}"`);
        return names.length > 0 ? `mounts the node's files as volume ${names.join(", ")}` : undefined;
    },
    cel: {
        broken: `${mounted}.size() > 0`,
        found: `"mounts the node's files as volume " + ${mounted}.map(v, "\\"" + v.name + "\\"").join(", ")`,
    },
};
