/** The cluster of these tests: its API server evaluates what the engine evaluates. The first of them asks for it, the last ends it. */
import { type ChildProcess, execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { startCluster, stopCluster } from "../../local/cluster/cluster.ts";
import { clusterSpec } from "../../local/cluster/spec.ts";
import { consoleReport } from "../../local/report.ts";
import { ensureToolchain, type Toolchain } from "../../local/toolchain/build.ts";
import { account } from "../aws-mocks.ts";
import type { ApiServer } from "../local/api-server.ts";
import { accountVariable, startAccount } from "./aws/account.ts";

declare module "vitest" {
    interface ProvidedContext {
        /** Where a file `wanted` asks for the cluster, and `cluster.json` answers. */
        verdictsFolder: string;
    }
}

/** What the tests' processes need to reach it, or why there is none. */
export type Answer = { readonly variables: Readonly<Record<string, string>> } | { readonly failed: string };

const spec = clusterSpec("verdicts", { api: 27443, registry: 27000, http: 27080, https: 27444 });
const report = consoleReport();
const folder = mkdtempSync(join(tmpdir(), "orcheo-verdicts-"));
let asked: NodeJS.Timeout | undefined;
let starting: Promise<void> | undefined;
let aws: ChildProcess | undefined;

/** A new cluster of EKS is this one, so that what goes into it is asked of a real API server. */
function apiServer(env: NodeJS.ProcessEnv): ApiServer {
    const view = execFileSync("kubectl", ["config", "view", "--raw", "--minify", "--flatten", "--output", "json"], {
        env,
    });
    const { clusters } = JSON.parse(view.toString()) as { clusters: readonly { cluster: ApiServer }[] };
    const [found] = clusters;
    if (found === undefined) throw new Error("the kubeconfig's context has no cluster");
    return found.cluster;
}

async function start(toolchain: Toolchain): Promise<Answer> {
    const { kubeconfig } = await startCluster(spec, toolchain, report);
    const variables = { KUBECONFIG: kubeconfig, PATH: `${toolchain.path}:${process.env.PATH ?? ""}` };
    const env = { ...process.env, ...variables };
    // Whom the stand-in for `aws eks get-token` gives tokens.
    execFileSync("kubectl", ["create", "serviceaccount", "eks-user", "--namespace", "kube-system"], { env });
    const admin = ["--clusterrole", "cluster-admin", "--serviceaccount", "kube-system:eks-user"];
    execFileSync("kubectl", ["create", "clusterrolebinding", "eks-user", ...admin], { env });
    const own = await startAccount(account, apiServer(env));
    aws = own.server;
    return { variables: { ...variables, [accountVariable]: JSON.stringify(own.env) } };
}

export async function setup(project: TestProject): Promise<void> {
    const toolchain = await ensureToolchain(["cluster", "add-ons", "pulumi", "aws"], report);
    // What an interrupted run left.
    await stopCluster(spec, report, { deleteData: true });
    project.provide("verdictsFolder", folder);
    // In `make test` these tests come last: until then the cluster would only cost time.
    asked = setInterval(() => {
        if (starting !== undefined || !existsSync(join(folder, "wanted"))) return;
        starting = start(toolchain)
            .catch((error: unknown): Answer => ({ failed: String(error) }))
            .then((answer) => {
                const file = join(folder, "cluster.json");
                writeFileSync(`${file}.part`, JSON.stringify(answer), { mode: 0o600 });
                renameSync(`${file}.part`, file);
            });
    }, 500);
}

export async function teardown(): Promise<void> {
    clearInterval(asked);
    await starting;
    aws?.kill();
    await stopCluster(spec, report, { deleteData: true });
    rmSync(folder, { recursive: true });
}
