/** Volumes with a file system of their own, which the kubelet measures and a story can fill; those of the embedded cluster are folders of the machine's disk. */
import { join } from "node:path";
import { inNode } from "../../../local/cluster/node.ts";
import { NODE_NAME, pathsOf } from "../../../local/cluster/spec.ts";
import { apply, spec } from "../platform/harness.ts";

export const storageClass = "own-disk";
const claims = ["postgres-data", "valkey-data"];

/** In the node, in whose mounts the kubelet looks for them; a second time it changes nothing. */
const mount = (folder: string): Promise<string> =>
    inNode(spec, [
        ...["bash", "-ec"],
        `mountpoint -q ${folder} && exit 0
        mkdir -p ${folder}
        [ -e ${folder}.img ] || { truncate -s 1G ${folder}.img && mkfs.ext4 -q -m 0 ${folder}.img; }
        mount -o loop ${folder}.img ${folder}
        mkdir -p ${folder}/data`,
    ]);

const volume = (name: string, path: string): object => ({
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: `${storageClass}-${name}` },
    spec: {
        // More than a claim asks for: what is there decides.
        capacity: { storage: "1Ti" },
        accessModes: ["ReadWriteOnce"],
        storageClassName: storageClass,
        persistentVolumeReclaimPolicy: "Retain",
        local: { path },
        nodeAffinity: {
            required: {
                nodeSelectorTerms: [
                    { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [NODE_NAME] }] },
                ],
            },
        },
    },
});

export async function makeDisks(): Promise<void> {
    const folders = claims.map((name) => join(pathsOf(spec).volumes, name));
    for (const folder of folders) await mount(folder);
    await apply([
        {
            apiVersion: "storage.k8s.io/v1",
            kind: "StorageClass",
            metadata: { name: storageClass },
            provisioner: "kubernetes.io/no-provisioner",
            volumeBindingMode: "WaitForFirstConsumer",
        },
        ...folders.map((folder, index) => volume(claims[index] ?? "", join(folder, "data"))),
    ]);
}
