/** VictoriaMetrics, VictoriaLogs, vmalert and Alertmanager on loopback, with folders of their own. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { consoleReport } from "../../local/report.ts";
import { ensureToolchain } from "../../local/toolchain/build.ts";
import { freePort } from "./free-port.ts";

export interface Started {
    readonly url: string;
    readonly child: ChildProcess;
}

const started: ChildProcess[] = [];
const folders: string[] = [];

export function newFolder(): string {
    const folder = mkdtempSync(join(tmpdir(), "orcheo-store-"));
    folders.push(folder);
    return folder;
}

/** Waits until it answers at the path of its health. */
async function start(binary: string, listen: string, health: string, args: readonly string[]): Promise<Started> {
    const address = `127.0.0.1:${await freePort()}`;
    const child = spawn(binary, [`${listen}=${address}`, ...args], { stdio: "ignore" });
    started.push(child);
    for (let tries = 0; tries < 200; tries++) {
        const answer = await fetch(`http://${address}${health}`).catch(() => undefined);
        if (answer?.ok === true) return { url: `http://${address}`, child };
        await sleep(100);
    }
    throw new Error(`${binary} does not answer`);
}

const binary = async (name: string): Promise<string> =>
    (await ensureToolchain(["monitoring"], consoleReport())).bin(name);

/** It and vmalert leave out the last 30 s by default, which is as long as a test waits for the first sample of a rule. */
export async function startStore(): Promise<string> {
    const data = `-storageDataPath=${join(newFolder(), "data")}`;
    const args = [data, "-retentionPeriod=1y", "-search.latencyOffset=1s"];
    return (await start(await binary("victoria-metrics"), "-httpListenAddr", "/health", args)).url;
}

export async function startLogStore(): Promise<string> {
    const args = [`-storageDataPath=${join(newFolder(), "data")}`];
    return (await start(await binary("victoria-logs"), "-httpListenAddr", "/health", args)).url;
}

/** Reads from the store, writes what it computes there, and notifies Alertmanager if there is one. */
export async function startRules(rulesFile: string, store: string, alertmanager?: string): Promise<Started> {
    return start(await binary("vmalert"), "-httpListenAddr", "/health", [
        `-rule=${rulesFile}`,
        `-datasource.url=${store}`,
        `-remoteWrite.url=${store}`,
        "-remoteWrite.flushInterval=1s",
        alertmanager === undefined ? "-notifier.blackhole" : `-notifier.url=${alertmanager}`,
        "-rule.evalDelay=1s",
    ]);
}

export async function startAlertmanager(configFile: string): Promise<string> {
    const args = [`--config.file=${configFile}`, `--storage.path=${newFolder()}`, "--cluster.listen-address="];
    return (await start(await binary("alertmanager"), "--web.listen-address", "/-/ready", args)).url;
}

/** Lines in Prometheus' format, with time stamps in milliseconds. */
export async function write(store: string, lines: readonly string[]): Promise<void> {
    const answer = await fetch(`${store}/api/v1/import/prometheus`, { method: "POST", body: lines.join("\n") });
    if (!answer.ok) throw new Error(`the store answers ${answer.status}: ${await answer.text()}`);
}

export function stopAll(): void {
    for (const child of started) child.kill("SIGKILL");
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}
