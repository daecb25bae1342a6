/** The cluster of these tests: its API server evaluates what the engine evaluates. It begins before the first test and goes after the last. */
import { execFileSync } from "node:child_process";
import { startCluster, stopCluster } from "../../local/cluster/cluster.ts";
import { clusterSpec } from "../../local/cluster/spec.ts";
import { consoleReport } from "../../local/report.ts";
import { ensureToolchain } from "../../local/toolchain/build.ts";

const spec = clusterSpec("verdicts", { api: 27443, registry: 27000, http: 27080, https: 27444 });
const report = consoleReport();

export async function setup(): Promise<void> {
    const toolchain = await ensureToolchain(["cluster", "add-ons", "pulumi"], report);
    // What an interrupted run left.
    await stopCluster(spec, report, { deleteData: true });
    const { kubeconfig } = await startCluster(spec, toolchain, report);
    // The tests' processes inherit both.
    process.env.KUBECONFIG = kubeconfig;
    process.env.PATH = `${toolchain.path}:${process.env.PATH ?? ""}`;
    // Whom the stand-in for `aws eks get-token` gives tokens.
    execFileSync("kubectl", ["create", "serviceaccount", "eks-user", "--namespace", "kube-system"]);
    const admin = ["--clusterrole", "cluster-admin", "--serviceaccount", "kube-system:eks-user"];
    execFileSync("kubectl", ["create", "clusterrolebinding", "eks-user", ...admin]);
}

export async function teardown(): Promise<void> {
    await stopCluster(spec, report, { deleteData: true });
}
