/** A kubeconfig whose one cluster does not answer. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";

/** @returns its file, in the folder */
export function unreachableCluster(folder: string): string {
    const cluster = { name: "none", cluster: { server: "https://127.0.0.1:1" } };
    const context = { name: "none", context: { cluster: "none", user: "none" } };
    const config = {
        ...{ apiVersion: "v1", kind: "Config", "current-context": "none" },
        ...{ clusters: [cluster], contexts: [context], users: [{ name: "none", user: { token: "none" } }] },
    };
    const file = join(folder, "kubeconfig");
    writeFileSync(file, stringify(config));
    return file;
}
