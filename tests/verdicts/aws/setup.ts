/** An account for the life of a stack, and the API server that its cluster of EKS is: no node, for nothing of Kubernetes is deployed. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { TestProject } from "vitest/node";
import { logFile } from "../../../local/paths.ts";
import { consoleReport } from "../../../local/report.ts";
import { ensureToolchain, type Toolchain } from "../../../local/toolchain/build.ts";
import { account } from "../../aws-mocks.ts";
import { freePort } from "../../local/free-port.ts";
import { accountVariable, startAccount, type ApiServer } from "./account.ts";
import { region } from "./cli.ts";
import { startHosts } from "./hosts.ts";

const folder = mkdtempSync(join(tmpdir(), "orcheo-aws-life-"));
const started: ChildProcess[] = [];

/** Everybody with the token may do everything: who may do what in the cluster is not asked here. */
async function startApiServer(toolchain: Toolchain): Promise<ApiServer> {
    const [etcd, peer, port] = [await freePort(), await freePort(), await freePort()];
    const log = openSync(join(folder, "api-server.log"), "w");
    const run = (tool: string, flags: Readonly<Record<string, string>>): void => {
        const words = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
        started.push(spawn(toolchain.bin(tool), words, { stdio: ["ignore", log, log] }));
    };
    const [client, between, server] = [
        `http://127.0.0.1:${etcd}`,
        `http://127.0.0.1:${peer}`,
        `https://127.0.0.1:${port}`,
    ];
    run("etcd", {
        "data-dir": join(folder, "etcd"),
        ...{ "listen-client-urls": client, "advertise-client-urls": client },
        ...{
            "listen-peer-urls": between,
            "initial-advertise-peer-urls": between,
            "initial-cluster": `default=${between}`,
        },
    });
    const [key, token] = [join(folder, "accounts.key"), join(folder, "tokens.csv")];
    execFileSync("openssl", ["genrsa", "-out", key, "2048"], { stdio: "ignore" });
    writeFileSync(token, "administrator,administrator,1,system:masters\n");
    run("kube-apiserver", {
        ...{ "etcd-servers": client, "secure-port": String(port), "bind-address": "127.0.0.1" },
        ...{ "advertise-address": "127.0.0.1", "endpoint-reconciler-type": "none" },
        ...{ "cert-dir": folder, "token-auth-file": token, "authorization-mode": "AlwaysAllow" },
        ...{ "service-account-key-file": key, "service-account-signing-key-file": key },
        ...{ "service-account-issuer": "https://kubernetes.default.svc", "service-cluster-ip-range": "10.96.0.0/16" },
    });
    const config = join(folder, "kubeconfig");
    const end = Date.now() + 120_000;
    for (;;) {
        try {
            const authority = readFileSync(join(folder, "apiserver.crt")).toString("base64");
            const cluster = { server, "certificate-authority-data": authority };
            const [name, user] = ["aws-life", { token: "administrator" }];
            const contexts = [{ name, context: { cluster: name, user: name } }];
            const all = { clusters: [{ name, cluster }], contexts, users: [{ name, user }], "current-context": name };
            writeFileSync(config, JSON.stringify({ apiVersion: "v1", kind: "Config", ...all }));
            process.env.KUBECONFIG = config;
            execFileSync("kubectl", ["get", "namespace", "kube-system"], { stdio: "ignore" });
            execFileSync("kubectl", ["create", "serviceaccount", "eks-user", "--namespace", "kube-system"]);
            // They fill in the quota of the namespace and end what is deleted: the Kubernetes provider waits for both.
            run("kube-controller-manager", {
                kubeconfig: config,
                controllers: ["resourcequota", "serviceaccount", "namespace", "garbage-collector"]
                    .map((each) => `${each}-controller`)
                    .join(),
                "secure-port": "0",
                // It is alone: a busy machine would cost it the lead, and it would end.
                "leader-elect": "false",
            });
            return cluster;
        } catch (error) {
            if (Date.now() > end) throw error;
            await sleep(500);
        }
    }
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
    const { server, env } = await startAccount(account, await startApiServer(toolchain), more);
    started.push(server);
    process.env[accountVariable] = JSON.stringify(env);
    project.provide("awsHosts", hosts.clients);
    project.provide("awsRegistry", hosts.registry);
}

/** Killed, and waited for: the API server would ask an etcd that is gone for a minute, and Vitest cannot end while a child runs. */
export async function teardown(): Promise<void> {
    const running = started.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    const ended = running.map((each) => once(each, "exit"));
    for (const each of running) each.kill("SIGKILL");
    await Promise.all(ended);
    rmSync(folder, { recursive: true, force: true });
}
