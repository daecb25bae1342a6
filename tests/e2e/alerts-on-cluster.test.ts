/** Every alert is a story with an end: a real fault, the alert at its receiver, the commands of its page, and the end of the alert. */
import { mkdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startCluster, stopCluster } from "../../local/cluster/cluster.ts";
import { merge } from "../../local/settings.ts";
import { makeDisks, storageClass } from "./alerts/disks.ts";
import { type Monitors, startMonitors } from "./alerts/monitors.ts";
import { MONITORING, objectStates } from "./alerts/scrape.ts";
import { beside, first, last, stories, watchdog } from "./alerts/stories.ts";
import { type Row, type Story, tell } from "./alerts/story.ts";
import { writeMeasured } from "./alerts/table.ts";
import { told } from "./alerts/told.ts";
import { ask } from "./orcheo.ts";
import {
    artifacts,
    caller,
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
    monitoring: { kind: "annotations", serviceLevels: { runStartSeconds: 15 } },
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
/** What a connection to Traefik from a pod of the scraper's namespace comes to. */
async function reaches(pod: string, port: number): Promise<string> {
    const inTraefik = ["--namespace=traefik", "-l", "app.kubernetes.io/name=traefik"];
    const address = await kube("get", "pods", ...inTraefik, "-o", "jsonpath={.items[0].status.podIP}");
    const code = `import socket
try:
    socket.create_connection(("${address}", ${port}), timeout=5)
    print("open")
except OSError as error:
    print(type(error).__name__)`;
    return (await kube("exec", `--namespace=${MONITORING}`, pod, "--", "python3", "-c", code)).trim();
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

test("the alert that always fires ends when nothing evaluates the rules, and fires again", async () => {
    const { toFire, toResolve } = await watchdog(monitors());
    rows.push({ alert: "OrcheoWatchdog", secondsToFire: toFire, secondsToResolve: toResolve });
});

test("the scraper alone reads the metrics of the embedded cluster's Traefik", async () => {
    await ask(caller(), "GET", "/api/workflows");
    const counted = await eventually(
        60,
        () => monitors().query('sum(traefik_entrypoint_requests_total{entrypoint="websecure",code="200"})'),
        ([count = 0]) => count > 0,
    );
    expect(counted).toEqual([expect.toSatisfy((count: number) => count > 0)]);
    // Another pod of the scraper's namespace reaches the entrance alone.
    expect(await reaches(objectStates.name, 8443)).toBe("open");
    expect(await reaches(objectStates.name, 9000)).toMatch(/^(TimeoutError|ConnectionRefusedError)$/);
});

test.each(named(first))("%s", (_, story) => note(tell(story, monitors())));

describe("at the same time", () => {
    const begun = new Map<Story, Promise<Row[]>>();
    beforeAll(() => {
        // A run of some stories tells them one by one.
        if (kept) return;
        for (const chain of beside) {
            let before: Promise<unknown> = Promise.resolve();
            for (const story of chain) {
                const told = before.then(() => tell(story, monitors()));
                // Reported by its own test.
                before = told.catch(() => undefined);
                begun.set(story, told);
            }
        }
    });

    test.each(named(stories))("%s", (_, story) => note(tell(story, monitors())));
    test.each(named(beside.flat()))("%s", (_, story) => note(begun.get(story) ?? tell(story, monitors())));
});

test.each(named(last))("%s", (_, story) => note(tell(story, monitors())));

test("every alert that docs/reliability.md lists has been seen", () => {
    expect(rows.map(({ alert }) => alert).sort()).toEqual(Object.keys(told).sort());
});
