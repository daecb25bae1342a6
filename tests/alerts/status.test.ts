/** The servers that users run: VictoriaMetrics and vmalert evaluate the rules, and the status says what fires. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { stringify } from "yaml";
import { planRuleGroups } from "../../components/monitoring/monitoring.plan";
import { consoleReport } from "../../local/report.ts";
import { ensureToolchain } from "../../local/toolchain/build.ts";
import type { ClusterApi } from "../../tools/cluster.ts";
import { firingAlerts, knowsRules } from "../../tools/status/alerts.plan.ts";
import { readAlerts } from "../../tools/status/alerts.ts";
import { monitoredStack } from "../monitored-stack";

const folder = mkdtempSync(join(tmpdir(), "orcheo-vmalert-"));
const started: ChildProcess[] = [];
const urls = { store: "", alerts: "" };

function freePort(): Promise<number> {
    return new Promise((done) => {
        const server = createServer().listen(0, "127.0.0.1", () => {
            const { port } = server.address() as AddressInfo;
            server.close(() => {
                done(port);
            });
        });
    });
}

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

beforeAll(async () => {
    const toolchain = await ensureToolchain(["alerts"], consoleReport());
    const rules = join(folder, "rules.yaml");
    const groups = planRuleGroups(monitoredStack()).map((group) => ({ ...group, interval: "1s" }));
    writeFileSync(rules, stringify({ groups }));
    urls.store = await start(toolchain.bin("victoria-metrics"), `-storageDataPath=${join(folder, "data")}`);
    const store = ["datasource", "remoteWrite"].map((flag) => `-${flag}.url=${urls.store}`);
    urls.alerts = await start(toolchain.bin("vmalert"), `-rule=${rules}`, ...store, "-notifier.blackhole");
});

afterAll(() => {
    for (const child of started) child.kill();
    rmSync(folder, { recursive: true, force: true });
});

const api: ClusterApi = {
    text: () => Promise.reject(new Error("no cluster")),
    list: () => Promise.reject(new Error("no cluster")),
    find: () => Promise.reject(new Error("no cluster")),
} as never;

async function firing(wanted: (names: readonly string[]) => boolean) {
    for (let tries = 0; tries < 60; tries++) {
        const alerts = firingAlerts(await readAlerts(urls.alerts, { api, timeoutMs: 4000 }), "orcheo");
        if (wanted(alerts.map(({ name }) => name))) return alerts;
        await sleep(500);
    }
    throw new Error("not seen in time");
}

it("the counter of lost runs rises, its alert fires in vmalert, and the status has its summary and its page", async () => {
    const now = Math.floor(Date.now() / 1000);
    const lost = (value: number, age: number) =>
        `orcheo_lost_runs_settled_total{namespace="orcheo",pod="worker-1",action="fail"} ${value} ${(now - age) * 1000}`;
    const lines = [lost(0, 180), lost(0, 120), lost(1, 60)].join("\n");
    const sent = await fetch(`${urls.store}/api/v1/import/prometheus`, { method: "POST", body: lines });
    expect(sent.status).toBe(204);
    const alerts = await firing((names) => names.includes("OrcheoRunsLost"));
    expect(alerts.find(({ name }) => name === "OrcheoRunsLost")).toMatchObject({
        severity: "warning",
        summary: expect.stringContaining("Runs lost their worker") as string,
        runbook: "docs/runbooks/alert-runs.md#orcheorunslost",
        since: expect.stringMatching(/^\d{4}-/) as string,
    });
    expect(alerts.map(({ name }) => name)).not.toContain("OrcheoWatchdog");
});

it("the store alone, which answers that nothing fires, is not taken for one that evaluates the rules", async () => {
    const read = (url: string) => readAlerts(url, { api, timeoutMs: 4000 });
    expect(firingAlerts(await read(urls.store), "orcheo")).toEqual([]);
    expect([knowsRules(await read(urls.store), "orcheo"), knowsRules(await read(urls.alerts), "orcheo")]).toEqual([
        false,
        true,
    ]);
});
