/** Every alert on a cluster: a real fault, the notification, the commands of its runbook page, and the resolution. */
import { mkdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startCluster, stopCluster } from "../../local/cluster/cluster.ts";
import { MONITORING, monitoringSettings } from "../../local/cluster/monitoring.ts";
import { merge } from "../../local/settings.ts";
import { makeDisks, storageClass } from "./alerts/disks.ts";
import { type Monitors, startMonitors } from "./alerts/monitors.ts";
import { beside, first, last, stories, watchdog } from "./alerts/stories.ts";
import { type Row, type Story, runStory } from "./alerts/story.ts";
import { writeMeasured } from "./alerts/table.ts";
import { faults } from "./alerts/faults.ts";
import {
    artifacts,
    callerAt,
    committed,
    dev,
    eventually,
    kube,
    quickScaling,
    report,
    spec,
    toolchain,
    up,
} from "./platform/harness.ts";
import { backupToStore, STORE, startStore, useKeys } from "./platform/object-store.ts";

/** Settings that docs/config.md has, so that nothing takes hours. */
const settings = merge(merge(committed(), quickScaling), {
    monitoring: {
        ...monitoringSettings,
        serviceLevels: { runStartSeconds: 15, canvasLatencySeconds: 1 },
        probe: { ...monitoringSettings.probe, seconds: 15 },
    },
    api: { scaling: { minReplicas: 1, maxReplicas: 2 } },
    worker: { longestRunSeconds: 60 },
    backup: { ...backupToStore, schedule: "* * * * *" },
    database: { kind: "statefulset", storageClass },
    cache: { kind: "valkey", storageClass },
});

/** For work on the stories: the cluster stays, and the next run takes it as it is (`-t` picks stories). */
const kept = process.env["ORCHEO_KEEP_CLUSTER"] === "1";

const running: { monitors?: Monitors } = {};
const monitors = (): Monitors => {
    if (running.monitors === undefined) throw new Error("the stack has not started: nothing further can be shown");
    return running.monitors;
};
const rows: Row[] = [];
async function note(story: Promise<Row[]>): Promise<void> {
    rows.push(...(await story));
}
const named = (all: readonly Story[]) => all.map((story): [string, Story] => [story.alerts.join(", "), story]);

beforeAll(async () => {
    mkdirSync(artifacts, { recursive: true });
    // What an interrupted run of this test left.
    if (!kept) await stopCluster(spec, report, { deleteData: true });
    await startCluster(spec, toolchain, report);
    await makeDisks();
    // It is set up once.
    if (kept) await kube("delete", "namespace", STORE, MONITORING, "--ignore-not-found");
    const store = await startStore();
    const { bootstrapToken } = await up(settings);
    dev.caller = await callerAt("orcheo.localhost", String(bootstrapToken));
    await useKeys(store.backup);
    running.monitors = await startMonitors();
});

afterAll(async () => {
    await writeMeasured(rows);
    running.monitors?.stop();
    if (!kept) await stopCluster(spec, report, { deleteData: true });
});

test("the watchdog is resolved when nothing evaluates the rules, and fires again", async () => {
    const { toFire, toResolve } = await watchdog(monitors());
    rows.push({ alert: "OrcheoWatchdog", secondsToFire: toFire, secondsToResolve: toResolve });
});

test("every target is up", async () => {
    // API, workers, scheduler, canvas, Traefik, cert-manager, states of objects, the kubelet's two, and the probes.
    const all = 10;
    const jobs = "count(count by (job) (up))";
    await eventually(
        60,
        () => monitors().query(jobs),
        ([count = 0]) => count >= all,
    );
    const down = await eventually(
        60,
        () => monitors().query("up == 0"),
        (seen) => seen.length === 0,
    );
    expect(down).toEqual([]);
    expect(await monitors().query(jobs)).toEqual([all]);
});

test.each(named(first))("%s", (_, story) => note(runStory(story, monitors())));

describe("at the same time", () => {
    const begun = new Map<Story, Promise<Row[]>>();
    beforeAll(() => {
        // With stories picked by name, each test runs its own.
        if (kept) return;
        for (const chain of beside) {
            let before: Promise<unknown> = Promise.resolve();
            for (const story of chain) {
                const result = before.then(() => runStory(story, monitors()));
                // Reported by its own test.
                before = result.catch(() => undefined);
                begun.set(story, result);
            }
        }
    });

    test.each(named(stories))("%s", (_, story) => note(runStory(story, monitors())));
    test.each(named(beside.flat()))("%s", (_, story) => note(begun.get(story) ?? runStory(story, monitors())));
});

test.each(named(last))("%s", (_, story) => note(runStory(story, monitors())));

test("every alert that docs/reliability.md lists has been seen", () => {
    expect(rows.map(({ alert }) => alert).sort()).toEqual(Object.keys(faults).sort());
});
