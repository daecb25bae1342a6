/** An API server without a node, for tests that need what it stores and refuses, and no pods. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Toolchain } from "../../local/toolchain/build.ts";
import { freePort } from "./free-port.ts";

/** A cluster of a kubeconfig. */
export interface ApiServer {
    readonly server: string;
    readonly "certificate-authority-data": string;
}

export interface StartedApiServer {
    readonly cluster: ApiServer;
    /** Of its administrator. */
    readonly kubeconfig: string;
    /** Runs another program beside it, with the same log, until both are stopped. */
    run(tool: string, flags: Readonly<Record<string, string>>): void;
    stop(): Promise<void>;
}

/**
 * Everybody with the token may do everything: who may do what in the cluster is not asked here.
 *
 * @param folder of its files, deleted by whoever made it
 */
export async function startApiServer(toolchain: Toolchain, folder: string): Promise<StartedApiServer> {
    const [etcd, peer, port] = [await freePort(), await freePort(), await freePort()];
    const log = openSync(join(folder, "api-server.log"), "w");
    const started: ChildProcess[] = [];
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
    /** Killed, and waited for: the API server would ask an etcd that is gone for a minute, and Vitest cannot end while a child runs. */
    const stop = async (): Promise<void> => {
        const running = started.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
        const ended = running.map((each) => once(each, "exit"));
        for (const each of running) each.kill("SIGKILL");
        await Promise.all(ended);
    };
    const kubeconfig = join(folder, "kubeconfig");
    const end = Date.now() + 120_000;
    for (;;) {
        try {
            const authority = readFileSync(join(folder, "apiserver.crt")).toString("base64");
            const cluster = { server, "certificate-authority-data": authority };
            const [name, user] = ["api-server", { token: "administrator" }];
            const contexts = [{ name, context: { cluster: name, user: name } }];
            const all = { clusters: [{ name, cluster }], contexts, users: [{ name, user }], "current-context": name };
            writeFileSync(kubeconfig, JSON.stringify({ apiVersion: "v1", kind: "Config", ...all }));
            const asked = ["--kubeconfig", kubeconfig, "get", "namespace", "kube-system"];
            execFileSync(toolchain.bin("kubectl"), asked, { stdio: "ignore" });
            return { cluster, kubeconfig, run, stop };
        } catch (error) {
            if (Date.now() > end) {
                await stop();
                throw error;
            }
            await sleep(500);
        }
    }
}
