/** The cluster of these tests: its API server evaluates what the engine evaluates. It begins before the first test and goes after the last. */
import { type ChildProcess, execFileSync } from "node:child_process";
import type { TestProject } from "vitest/node";
import { startCluster, stopCluster } from "../../local/cluster/cluster.ts";
import { clusterSpec } from "../../local/cluster/spec.ts";
import { consoleReport } from "../../local/report.ts";
import { ensureToolchain } from "../../local/toolchain/build.ts";
import { account } from "../aws-mocks.ts";
import { startAccount, type ApiServer } from "./aws/account.ts";

const spec = clusterSpec("verdicts", { api: 27443, registry: 27000, http: 27080, https: 27444 });
const report = consoleReport();
let aws: ChildProcess | undefined;

/** A new cluster of EKS is this one, so that what goes into it is asked of a real API server. */
function apiServer(): ApiServer {
    const view = execFileSync("kubectl", ["config", "view", "--raw", "--minify", "--flatten", "--output", "json"]);
    const { clusters } = JSON.parse(view.toString()) as { clusters: readonly { cluster: ApiServer }[] };
    const [found] = clusters;
    if (found === undefined) throw new Error("the kubeconfig's context has no cluster");
    return found.cluster;
}

export async function setup(project: TestProject): Promise<void> {
    const toolchain = await ensureToolchain(["cluster", "add-ons", "pulumi", "aws"], report);
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
    const { server, env } = await startAccount(account, apiServer());
    aws = server;
    // Only for those who ask: these variables send every program over the account's proxy.
    project.provide("awsAccount", env);
}

export async function teardown(): Promise<void> {
    aws?.kill();
    await stopCluster(spec, report, { deleteData: true });
}
