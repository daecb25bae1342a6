/** Every alert on a cluster: a real fault, the notification, the commands of its runbook page, and the resolution. */
import { mkdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startCluster, stopCluster } from "../../local/cluster/cluster.ts";
import { merge } from "../../local/settings.ts";
import { makeDisks, storageClass } from "./alerts/disks.ts";
import { type Monitors, startMonitors } from "./alerts/monitors.ts";
import { prober, probeSettings } from "./alerts/prober.ts";
import { MONITORING, objectStates } from "./alerts/scrape.ts";
import { beside, first, last, stories, watchdog } from "./alerts/stories.ts";
import { type Row, type Story, runStory } from "./alerts/story.ts";
import { writeMeasured } from "./alerts/table.ts";
import { faults } from "./alerts/faults.ts";
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
    monitoring: {
        kind: "annotations",
        serviceLevels: { runStartSeconds: 15, canvasLatencySeconds: 1 },
        probe: probeSettings,
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
/** What a connection from a pod of the scraper's namespace to a pod of another one comes to. */
async function reaches(namespace: string, label: string, port: number): Promise<string> {
    const code = `import socket
try:
    socket.create_connection(("${await addressOf(namespace, label)}", ${port}), timeout=5)
    print("open")
except OSError as error:
    print(type(error).__name__)`;
    const inPod = ["exec", `--namespace=${MONITORING}`, objectStates.name, "--", "python3", "-c", code];
    return (await kube(...inPod)).trim();
}
const addressOf = (namespace: string, label: string): Promise<string> =>
    kube("get", "pods", `--namespace=${namespace}`, "-l", label, "-o", "jsonpath={.items[0].status.podIP}");
const refused = /^(TimeoutError|ConnectionRefusedError)$/;
const byName = (name: string): string => `app.kubernetes.io/name=${name}`;
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
    // API, workers, scheduler, Traefik, cert-manager, states of objects, the kubelet's two, and the probes.
    const all = 9;
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

test("the scraper alone reads the metrics of the embedded cluster's Traefik and cert-manager", async () => {
    await ask(caller(), "GET", "/api/workflows");
    const positive = [expect.toSatisfy((count: number) => count > 0)];
    for (const series of [
        'sum(traefik_entrypoint_requests_total{entrypoint="websecure",code="200"})',
        'min(certmanager_certificate_expiration_timestamp_seconds{namespace="orcheo"}) - time()',
    ]) {
        const counted = await eventually(
            60,
            () => monitors().query(series),
            ([count = 0]) => count > 0,
        );
        expect(counted, series).toEqual(positive);
    }
    // Another pod of the scraper's namespace reaches the entrance alone.
    expect(await reaches("traefik", byName("traefik"), 8443)).toBe("open");
    expect(await reaches("traefik", byName("traefik"), 9000)).toMatch(refused);
    expect(await reaches("cert-manager", byName("cert-manager"), 9402)).toMatch(refused);
});

test("the pages, the API, the sign-in page and a WebSocket answer at their public URLs", async () => {
    const seen = await eventually(
        90,
        () => monitors().query('probe_success{job="orcheo-outside"}'),
        (found) => found.length === 4 && found.every((value) => value === 1),
    );
    expect(seen).toEqual([1, 1, 1, 1]);
    // Through the entrance, with its certificate; the WebSocket got to the API, which refused it.
    const days = await monitors().query('(probe_ssl_earliest_cert_expiry{job="orcheo-outside"} - time()) / 86400');
    expect(days).toHaveLength(4);
    for (const left of days) expect(left).toBeGreaterThan(14);
    const status = await monitors().query('probe_http_status_code{instance=~"https://orcheo.localhost.*/ws/.*"}');
    expect(status).toEqual([expect.toBeOneOf([401, 403])]);
    // Only the scraper reaches the exporter, and that reaches only the entrance.
    expect(await reaches(MONITORING, byName(prober.name), prober.port)).toMatch(refused);
    const dns = await addressOf("kube-system", "k8s-app=kube-dns");
    expect(await reaches("kube-system", "k8s-app=kube-dns", 8080)).toBe("open");
    const asked = `/probe?${new URLSearchParams({ module: "http_2xx", target: `http://${dns}:8080/health` }).toString()}`;
    const answer = await kube(
        "get",
        "--raw",
        `/api/v1/namespaces/${MONITORING}/pods/${prober.name}:${prober.port}/proxy${asked}`,
    );
    expect(answer).toMatch(/^probe_success 0$/m);
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
