/** For previews that ask no cluster. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { stringify } from "yaml";
import { consoleReport } from "../../local/report.ts";
import { ensureToolchain } from "../../local/toolchain/build.ts";
import type { Group } from "../../local/toolchain/tools.ts";

/**
 * For the tests of a file: the tools on the PATH, and a kubeconfig whose one cluster does not answer.
 *
 * @param more  groups of tools beside those of Pulumi and the cluster
 * @returns a folder of their own
 */
export function withoutCluster(...more: readonly Group[]): string {
    const folder = mkdtempSync(join(tmpdir(), "orcheo-no-cluster-"));
    beforeAll(async () => {
        const toolchain = await ensureToolchain(["pulumi", "cluster", ...more], consoleReport());
        process.env.PATH = `${toolchain.path}${delimiter}${process.env.PATH ?? ""}`;
        process.env.KUBECONFIG = unreachableCluster(folder);
    });
    afterAll(() => {
        rmSync(folder, { recursive: true });
    });
    return folder;
}

function unreachableCluster(folder: string): string {
    const cluster = { name: "none", cluster: { server: "https://127.0.0.1:1" } };
    // The second has the name of the one in docs/component.md.
    const contexts = ["none", "our-cluster"].map((name) => ({ name, context: { cluster: "none", user: "none" } }));
    const config = {
        ...{ apiVersion: "v1", kind: "Config", "current-context": "none" },
        ...{ clusters: [cluster], contexts, users: [{ name: "none", user: { token: "none" } }] },
    };
    const file = join(folder, "kubeconfig");
    writeFileSync(file, stringify(config));
    return file;
}
