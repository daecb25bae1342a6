/** The servers that users run: VictoriaMetrics and vmalert evaluate the rules, and the status says what fires. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { stringify } from "yaml";
import { planRuleGroups } from "../../components/monitoring/monitoring.plan";
import type { ClusterApi } from "../../tools/cluster.ts";
import { firingAlerts, knowsRules } from "../../tools/status/alerts.plan.ts";
import { readAlerts } from "../../tools/status/alerts.ts";
import { monitoredStack } from "../monitored-stack";
import { Receiver, routeTo } from "../e2e/alerts/receiver.ts";
import { run, SmallApi, stack } from "../tools/small-api.ts";
import { newFolder, startAlertmanager, startRules, startStore, stopAll, write } from "../local/metrics-store.ts";

const urls = { store: "", alerts: "", alertmanager: "" };
let receiver: Receiver;
let cluster: SmallApi;

beforeAll(async () => {
    receiver = await Receiver.start();
    cluster = await SmallApi.start();
    const rules = join(newFolder(), "rules.yaml");
    const groups = planRuleGroups(monitoredStack()).map((group) => ({ ...group, interval: "1s" }));
    writeFileSync(rules, stringify({ groups }));
    urls.store = await startStore();
    const config = join(newFolder(), "alertmanager.yaml");
    writeFileSync(config, stringify(routeTo(receiver.url)));
    urls.alertmanager = await startAlertmanager(config);
    urls.alerts = (await startRules(rules, urls.store, urls.alertmanager)).url;
    cluster.served = stack();
});
afterAll(() => {
    cluster.stop();
    receiver.stop();
    stopAll();
});

const refuse = () => Promise.reject(new Error("there is no cluster"));
const api = { text: refuse, list: refuse } as unknown as ClusterApi;
const read = (url: string): Promise<unknown> => readAlerts(url, { api, timeoutMs: 4000 });

async function firing(wanted: string) {
    for (let tries = 0; tries < 60; tries++) {
        const alerts = firingAlerts(await read(urls.alerts), "orcheo");
        if (alerts.some(({ name }) => name === wanted)) return alerts;
        await sleep(500);
    }
    throw new Error(`${wanted} has not fired in time`);
}

it("the counter of lost runs rises, its alert fires in vmalert, and the status has its summary and its page", async () => {
    const now = Date.now();
    const lost = (value: number, secondsAgo: number) =>
        `orcheo_lost_runs_settled_total{namespace="orcheo",pod="worker-1",action="fail"} ${value} ${now - secondsAgo * 1000}`;
    await write(urls.store, [lost(0, 180), lost(0, 120), lost(1, 60)]);
    const alerts = await firing("OrcheoRunsLost");
    expect(alerts.find(({ name }) => name === "OrcheoRunsLost")).toMatchObject({
        severity: "warning",
        summary: expect.stringContaining("Runs lost their worker") as string,
        runbook: "docs/runbooks/alert-runs.md#orcheorunslost",
        since: expect.stringMatching(/^\d{4}-/) as string,
    });
    expect(alerts.map(({ name }) => name)).not.toContain("OrcheoWatchdog");
});

it("the command shows it from outside of the cluster, by Alertmanager and by vmalert", async () => {
    await receiver.until(60, "Alertmanager has it", () => receiver.firing("OrcheoRunsLost", "warning").length > 0);
    for (const url of [urls.alertmanager, urls.alerts]) {
        const { output } = await run("status", "--kubeconfig", cluster.kubeconfig, "--alerts", url);
        expect(output).toMatch(
            /^ {2}warning: the alert OrcheoRunsLost fires since \d+ s: Runs lost their worker .* See docs\/runbooks\/alert-runs\.md#orcheorunslost$/m,
        );
        expect(output).toMatch(/^alerts {9}(\d+ critical, )?\d+ warnings?$/m);
    }
});

it("the store alone, which answers that nothing fires, is not taken for one that evaluates the rules", async () => {
    expect(firingAlerts(await read(urls.store), "orcheo")).toEqual([]);
    expect([knowsRules(await read(urls.store), "orcheo"), knowsRules(await read(urls.alerts), "orcheo")]).toEqual([
        false,
        true,
    ]);
});
