/** An account for the life of a stack, and the API server that its cluster of EKS is: no node, for nothing of Kubernetes is deployed. */
import { type ChildProcess, execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { logFile } from "../../../local/paths.ts";
import { consoleReport } from "../../../local/report.ts";
import { ensureToolchain, type Toolchain } from "../../../local/toolchain/build.ts";
import { account } from "../../aws-mocks.ts";
import { type ApiServer, type StartedApiServer, startApiServer } from "../../local/api-server.ts";
import { accountVariable, startAccount } from "./account.ts";
import { region } from "./cli.ts";
import { startHosts } from "./hosts.ts";

const folder = mkdtempSync(join(tmpdir(), "orcheo-aws-life-"));
const started: ChildProcess[] = [];

let apiServer: StartedApiServer | undefined;

async function startCluster(toolchain: Toolchain): Promise<ApiServer> {
    apiServer = await startApiServer(toolchain, folder);
    process.env.KUBECONFIG = apiServer.kubeconfig;
    execFileSync("kubectl", ["create", "serviceaccount", "eks-user", "--namespace", "kube-system"]);
    // They fill in the quota of the namespace and end what is deleted: the Kubernetes provider waits for both.
    apiServer.run("kube-controller-manager", {
        kubeconfig: apiServer.kubeconfig,
        controllers: ["resourcequota", "serviceaccount", "namespace", "garbage-collector"]
            .map((each) => `${each}-controller`)
            .join(),
        "secure-port": "0",
        // It is alone: a busy machine would cost it the lead, and it would end.
        "leader-elect": "false",
    });
    return apiServer.cluster;
}

export async function setup(project: TestProject): Promise<void> {
    const toolchain = await ensureToolchain(["cluster", "pulumi", "aws"], consoleReport());
    process.env.PATH = `${toolchain.path}:${process.env.PATH ?? ""}`;
    const calls = logFile("aws-calls");
    mkdirSync(join(calls, ".."), { recursive: true });
    writeFileSync(calls, "");
    const hosts = await startHosts(folder, toolchain, account, region);
    started.push(...hosts.started);
    const more = { ...hosts.server, AWS_CALLS: calls };
    const { server, env } = await startAccount(account, await startCluster(toolchain), more);
    started.push(server);
    process.env[accountVariable] = JSON.stringify(env);
    project.provide("awsHosts", hosts.clients);
    project.provide("awsRegistry", hosts.registry);
}

/** Killed, and waited for: Vitest cannot end while a child runs. */
export async function teardown(): Promise<void> {
    const running = started.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    const ended = running.map((each) => once(each, "exit"));
    for (const each of running) each.kill("SIGKILL");
    await Promise.all([...ended, apiServer?.stop()]);
    rmSync(folder, { recursive: true, force: true });
}
