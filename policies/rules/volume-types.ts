import { podSecurity, type PodRule } from "../rule.ts";
import { at, list, text } from "../values.ts";

// Every type but those that Pod Security lets through, and hostPath, which has its own rule.
const refused = [
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "gitRepo",
    "glusterfs",
    "iscsi",
    "nfs",
    "photonPersistentDisk",
    "portworxVolume",
    "quobyte",
    "rbd",
    "scaleIO",
    "storageos",
    "vsphereVolume",
];
const mounted = "variables.pod.?volumes.orValue([])";
const offenders = refused.map((type) => `${mounted}.filter(v, has(v.${type})).map(v, "${type} \\"" + v.name + "\\"")`);

export const volumeTypes: PodRule = {
    name: "volume-types",
    level: "mandatory",
    scope: "pod",
    description: "A volume that the pod spec itself connects brings the storage's address and rights into every pod.",
    remedy: "Use a PersistentVolumeClaim, or an inline csi volume.",
    reference: podSecurity,
    found(pod) {
        const volumes = list(at(pod.spec, "volumes"));
        const found = refused.flatMap((type) =>
            volumes
                .filter((volume) => at(volume, type) !== undefined)
                .map((volume) => `${type} "${text(at(volume, "name")) ?? ""}"`),
        );
        return found.length > 0 ? `mounts ${found.join(", ")}` : undefined;
    },
    cel: {
        broken: `(${offenders.join(" + ")}).size() > 0`,
        found: `"mounts " + (${offenders.join(" + ")}).join(", ")`,
    },
};
