/** An alert and its resolution reach a receiver: VictoriaMetrics, vmalert, Alertmanager and a webhook, with rules in a shorter time. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { stringify } from "yaml";
import { planRuleGroups } from "../../components/monitoring/monitoring.plan";
import { faster } from "../e2e/alerts/faster.ts";
import { Receiver, routeTo } from "../e2e/alerts/receiver.ts";
import { newFolder, startAlertmanager, startRules, startStore, stopAll, write } from "../local/metrics-store.ts";
import { monitoredStack } from "../monitored-stack";

let receiver: Receiver;
let store: string;

beforeAll(async () => {
    const folder = newFolder();
    const file = (name: string, text: string): string => {
        writeFileSync(join(folder, name), text);
        return join(folder, name);
    };
    receiver = await Receiver.start();
    store = await startStore();
    const alertmanager = await startAlertmanager(file("alertmanager.yaml", stringify(routeTo(receiver.url))));
    const rules = faster(stringify({ groups: planRuleGroups(monitoredStack()) }));
    await startRules(file("rules.yaml", rules), store, alertmanager);
});
afterAll(() => {
    receiver.stop();
    stopAll();
});

it("with its severity, its summary and the page that says what to do", async () => {
    const firing = () => receiver.firing("OrcheoPostgresDown", "critical");
    let ready = 0;
    const report = setInterval(() => {
        const series = 'kube_statefulset_status_replicas_ready{namespace="orcheo",statefulset="postgres"}';
        // A scrape that is missed is followed by another one.
        write(store, [`${series} ${ready} ${Date.now()}`]).catch(() => undefined);
    }, 1000);
    try {
        await receiver.until(120, "OrcheoPostgresDown fires", () => firing().length > 0);
        expect(firing()).toMatchObject([
            {
                labels: { namespace: "orcheo", severity: "critical" },
                annotations: {
                    summary: "Postgres is not ready: nothing works.",
                    runbook_url: "docs/runbooks/alert-servers.md#orcheopostgresdown",
                },
            },
        ]);
        ready = 1;
        await receiver.until(120, "OrcheoPostgresDown is resolved", () => firing().length === 0);
        expect(receiver.resolvedAt("OrcheoPostgresDown", "critical")).toBeGreaterThan(0);
        expect(receiver.names()).toContain("OrcheoWatchdog");
    } finally {
        clearInterval(report);
    }
});
