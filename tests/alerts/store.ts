/** VictoriaMetrics and vmalert on loopback, with folders of their own. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { consoleReport } from "../../local/report.ts";
import { ensureToolchain } from "../../local/toolchain/build.ts";
import { freePort } from "../local/free-port.ts";

const started: ChildProcess[] = [];
const folders: string[] = [];

export function newFolder(): string {
    const folder = mkdtempSync(join(tmpdir(), "orcheo-store-"));
    folders.push(folder);
    return folder;
}

/** @returns its URL, once it answers */
async function start(binary: string, ...args: string[]): Promise<string> {
    const address = `127.0.0.1:${await freePort()}`;
    started.push(spawn(binary, [`-httpListenAddr=${address}`, ...args], { stdio: "ignore" }));
    for (let tries = 0; tries < 200; tries++) {
        const answer = await fetch(`http://${address}/health`).catch(() => undefined);
        if (answer?.ok === true) return `http://${address}`;
        await sleep(100);
    }
    throw new Error(`${binary} does not answer`);
}

const binary = async (name: string): Promise<string> => (await ensureToolchain(["alerts"], consoleReport())).bin(name);

/** Both leave out the last 30 s by default, which is as long as a test waits for the first sample of a rule. */
export const startStore = async (): Promise<string> =>
    start(
        await binary("victoria-metrics"),
        ...[`-storageDataPath=${join(newFolder(), "data")}`, "-retentionPeriod=1y", "-search.latencyOffset=1s"],
    );

/** Reads from the store, and writes what it computes there. */
export const startRules = async (rulesFile: string, store: string): Promise<string> =>
    start(
        await binary("vmalert"),
        ...[
            `-rule=${rulesFile}`,
            `-datasource.url=${store}`,
            `-remoteWrite.url=${store}`,
            "-notifier.blackhole",
            "-rule.evalDelay=1s",
        ],
    );

/** Lines in Prometheus' format, with time stamps in milliseconds. */
export async function write(store: string, lines: readonly string[]): Promise<void> {
    const answer = await fetch(`${store}/api/v1/import/prometheus`, { method: "POST", body: lines.join("\n") });
    if (!answer.ok) throw new Error(`the store answers ${answer.status}: ${await answer.text()}`);
}

export function stopAll(): void {
    for (const child of started) child.kill();
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}
