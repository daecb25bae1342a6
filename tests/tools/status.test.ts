/** Decisions about a stack's state, over objects recorded from a healthy one (tests/fixtures/stack-reading.json). */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { KubernetesObject } from "../../tools/cluster.ts";
import type { Reading, Runs } from "../../tools/status/reading.ts";
import { screen } from "../../tools/status/screen.ts";
import { statusOf } from "../../tools/status/status.plan.ts";

const text = readFileSync(join(import.meta.dirname, "../fixtures/stack-reading.json"), "utf8");
const recorded = (): Reading => JSON.parse(text) as Reading;
const { now } = recorded();
const ago = (seconds: number): string => new Date(Date.parse(now) - seconds * 1000).toISOString();

/** A list of the reading with one object changed. */
const changed = (
    key: "workloads" | "pods" | "certificates" | "claims" | "jobs" | "nodes",
    name: string,
    change: object,
): Partial<Reading> => {
    const list = recorded()[key];
    const found = list.find(({ metadata }) => metadata.name.startsWith(name));
    if (found === undefined) throw new Error(`nothing recorded is called ${name}`);
    return { [key]: list.map((each) => (each === found ? merge(each, change) : each)) };
};
function merge<T extends object>(base: T, over: object): T {
    const result = { ...base } as Record<string, unknown>;
    for (const [key, value] of Object.entries(over)) {
        const old = result[key];
        const both = [old, value].every((each) => typeof each === "object" && each !== null && !Array.isArray(each));
        result[key] = both ? merge(old as object, value as object) : value;
    }
    return result as T;
}
const status = (change: Partial<Reading> = {}) => statusOf({ ...recorded(), ...change });
const container = (name: string, state: object, last?: object) => ({
    status: { containerStatuses: [{ name, restartCount: 4, state, ...(last && { lastState: { terminated: last } }) }] },
});
const cronJob = (lastSuccessfulTime?: string): KubernetesObject => ({
    kind: "CronJob",
    metadata: {
        name: "backup",
        labels: { "app.kubernetes.io/component": "backup" },
        creationTimestamp: ago(10 * 86_400),
    },
    spec: { schedule: "15 3 * * *" },
    status: { lastSuccessfulTime },
});
const backupJob = (type: string): KubernetesObject => ({
    kind: "Job",
    metadata: { name: "backup-1", labels: { "app.kubernetes.io/component": "backup" } },
    status: { startTime: ago(3600), conditions: [{ type, status: "True" }] },
});
const backupPod: KubernetesObject = {
    kind: "Pod",
    metadata: { name: "backup-1-x", labels: { "job-name": "backup-1", "app.kubernetes.io/component": "backup" } },
};

describe("a healthy stack", () => {
    it("is called so, with the facts on one screen", () => {
        const found = status();
        expect(found).toMatchObject({ healthy: true, problems: [], notRead: [] });
        const shown = screen(found, now);
        expect(shown).toContain("Orcheo in the namespace orcheo of orcheo-local: healthy\n");
        expect(shown).toContain("https://orcheo.localhost  /api/system/health 200, / 200, certificate verified\n");
        expect(shown).toContain("sign-in        service tokens only\n");
        expect(shown).toContain(
            "Orcheo 0.33 (orcheo 0.33.1, orcheo-backend 0.29.2), deployment 0.1.0, Kubernetes v1.37.2\n",
        );
        expect(shown).toMatch(/replicas {7}api {7}2\/2 ready {2}\S+backend:0\.1\.0@171de489f04d\n/);
        expect(shown).toContain("0 waiting, 0 running; in the last hour 0 succeeded, 0 failed\n");
        expect(shown).toMatch(/certificates {3}the URL's own 89 days, api 89 days/);
        expect(shown).toContain("kubectl --context orcheo-local --namespace orcheo logs ");
        expect(shown.split("\n").length).toBeLessThan(40);
    });

    it("says what its initialization did, and what the reconciler settled", () => {
        const shownOf = (change: Partial<Reading>) => screen(status(change), now);
        expect(shownOf({})).toContain("database       nothing is known of its initialization\n");
        expect(shownOf({})).not.toContain("reconciler");
        const done = changed(
            "pods",
            "backend-init",
            container("init", { terminated: { exitCode: 0, message: "Done." } }),
        );
        expect(shownOf(done)).toContain("database       Done.\n");
        const { inside } = recorded();
        if (inside === undefined) throw new Error("nothing was asked");
        const runs = { ...(inside.runs as Runs), settledLastHour: 2 };
        expect(shownOf({ inside: { ...inside, runs } })).toContain("0 failed; 2 settled by the reconciler\n");
    });

    it("after a restart of its node says so once, and stays healthy", () => {
        expect(status().warnings).toEqual([
            "6 containers were restarted in the last hour after a clean end, as by a restart of the node",
        ]);
    });

    it("that what runs here signs in by OpenID Connect names the issuer", () => {
        const env = [
            { name: "ORCHEO_AUTH_MODE", value: "required" },
            { name: "ORCHEO_AUTH_ISSUER", value: "https://id.example.com" },
        ];
        const spec = { template: { spec: { containers: [{ name: "api", image: "x", env }] } } };
        expect(status(changed("workloads", "api", { spec })).signIn).toBe("OpenID Connect, by https://id.example.com");
    });
});

describe("a problem is reported:", () => {
    it.each<[string, Partial<Reading>, string]>([
        [
            "replicas that are not ready",
            changed("workloads", "worker", { status: { readyReplicas: 0 } }),
            "worker: 0 of 1 replicas are ready",
        ],
        [
            "a workload that is missing",
            { workloads: recorded().workloads.filter(({ metadata }) => metadata.name !== "beat") },
            "there is no Deployment beat",
        ],
        [
            "a URL that does not answer",
            { answers: [{ path: "/", error: "connect ECONNREFUSED" }] },
            "/ answers not: connect ECONNREFUSED",
        ],
        ["a URL that answers an error", { answers: [{ path: "/", status: 502, verified: true }] }, "/ answers 502"],
        [
            "a pod that no node takes",
            changed("pods", "worker", {
                status: {
                    conditions: [{ type: "PodScheduled", status: "False", message: "0/1 nodes: Insufficient memory." }],
                },
            }),
            "is pending: 0/1 nodes: Insufficient memory.",
        ],
        [
            "a container that crashes again and again",
            changed(
                "pods",
                "api",
                container("api", { waiting: { reason: "CrashLoopBackOff", message: "back-off 5m0s" } }),
            ),
            "waits: CrashLoopBackOff, back-off 5m0s",
        ],
        [
            "an image that cannot be pulled",
            changed("pods", "api", container("api", { waiting: { reason: "ImagePullBackOff" } })),
            "waits: ImagePullBackOff",
        ],
        [
            "an initialization that failed",
            changed("jobs", "backend-init", {
                status: { conditions: [{ type: "Failed", status: "True", message: "BackoffLimitExceeded" }] },
            }),
            "failed: BackoffLimitExceeded",
        ],
        [
            "an initialization that said why it failed",
            {
                ...changed("jobs", "backend-init", {
                    status: { conditions: [{ type: "Failed", status: "True", message: "BackoffLimitExceeded" }] },
                }),
                ...changed(
                    "pods",
                    "backend-init",
                    container("init", {
                        terminated: { exitCode: 78, message: "This database belongs to Orcheo 0.46" },
                    }),
                ),
            },
            "failed: This database belongs to Orcheo 0.46",
        ],
        [
            "a volume that is lost",
            changed("claims", "postgres-data", { status: { phase: "Lost" } }),
            "the volume claim postgres-data is Lost",
        ],
        [
            "a certificate that has expired",
            changed("certificates", "entrance", { status: { notAfter: ago(60) } }),
            "the certificate entrance has expired",
        ],
        [
            "a certificate that is not issued",
            changed("certificates", "api", {
                status: { conditions: [{ type: "Ready", status: "False", message: "waiting for the issuer" }] },
            }),
            "the certificate api is not ready: waiting for the issuer",
        ],
        [
            "a database that does not answer",
            { inside: { release: "0.33", packages: {}, runs: { error: "OperationalError" }, queued: 0 } },
            "the database does not answer (OperationalError)",
        ],
        [
            "a cache that does not answer",
            { inside: { release: "0.33", packages: {}, runs: {}, queued: { error: "ConnectionError" } } },
            "the cache does not answer (ConnectionError)",
        ],
        [
            "a backup that failed, with its reason",
            {
                cronJobs: [cronJob(ago(2 * 86_400))],
                jobs: [backupJob("Failed")],
                pods: [...recorded().pods, backupPod],
                tails: [
                    {
                        pod: "backup-1-x",
                        container: "backup",
                        lines: ['{"level":"ERROR","message":"no backup was made: the bucket is away"}'],
                    },
                ],
            },
            "the last backup failed: ERROR no backup was made: the bucket is away",
        ],
        [
            "a schedule whose last two backups are missing",
            { cronJobs: [cronJob(ago(3 * 86_400))] },
            '2 runs of the schedule "15 3 * * *" are over',
        ],
    ])("%s", (_, change, problem) => {
        const found = status(change);
        expect(found.problems).toEqual([expect.stringContaining(problem)]);
        expect(found.healthy).toBe(false);
        expect(screen(found, now)).toContain(`NOT HEALTHY: 1 problem\n  problem: ${found.problems[0] ?? ""}`);
    });
});

describe("a warning leaves the stack healthy:", () => {
    it.each<[string, Partial<Reading>, string]>([
        [
            "runs that wait",
            {
                inside: {
                    release: "0.46",
                    packages: {},
                    queued: 3,
                    runs: {
                        waiting: 3,
                        running: 2,
                        failedLastHour: 1,
                        succeededLastHour: 5,
                        oldestWaitingSeconds: 900,
                    },
                },
            },
            "the oldest waiting run has waited for 15 min",
        ],
        [
            "a certificate of an unknown CA",
            { answers: [{ path: "/", status: 200, verified: false }] },
            "name its CA with --ca-file",
        ],
        [
            "a certificate that nobody renews",
            changed("certificates", "entrance", { status: { notAfter: ago(-5.5 * 86_400) } }),
            "expires in 5 days and was not renewed",
        ],
        [
            "a node under pressure",
            changed("nodes", "", {
                status: {
                    conditions: [{ type: "DiskPressure", status: "True", message: "kubelet has disk pressure" }],
                },
            }),
            "DiskPressure (kubelet has disk pressure)",
        ],
        [
            "a recent restart by lack of memory, which is named",
            changed(
                "pods",
                "worker",
                container("worker", { running: {} }, { exitCode: 137, reason: "OOMKilled", finishedAt: ago(60) }),
            ),
            "was restarted in the last hour: OOMKilled (exit code 137: it needed more memory than its limit)",
        ],
    ])("%s", (_, change, warning) => {
        const found = status(change);
        expect(found.warnings).toContainEqual(expect.stringContaining(warning));
        expect(found).toMatchObject({ healthy: true, problems: [] });
    });

    it("a container that ended badly is listed with its last lines, secrets removed", () => {
        const last = { exitCode: 1, reason: "Error", finishedAt: ago(7200) };
        const change = changed("pods", "worker", container("worker", { running: {} }, last));
        const pod = recorded().pods.find(({ metadata }) => metadata.name.startsWith("worker"))?.metadata.name ?? "";
        const lines = ['{"level":"ERROR","message":"cannot reach postgresql://orcheo:hunter2hunter@db/x"}'];
        const found = status({ ...change, tails: [{ pod, container: "worker", lines }] });
        expect(found.restarts[0]).toMatchObject({ pod, count: 4, last: "Error (exit code 1)" });
        const shown = screen(found, now);
        expect(shown).toContain(`${pod} worker x4: Error (exit code 1), 2 h ago\n`);
        expect(shown).toContain("| ERROR cannot reach postgresql://orcheo:***@db/x");
        expect(shown).not.toContain("hunter2");
    });
});

describe("the last backup", () => {
    it("is shown with its age and size", () => {
        const lines = ['{"level":"INFO","message":"backup complete","bytes":52428800}'];
        const found = status({
            cronJobs: [cronJob(ago(3600))],
            jobs: [backupJob("Complete")],
            pods: [...recorded().pods, backupPod],
            tails: [{ pod: "backup-1-x", container: "backup", lines }],
        });
        expect(found.problems).toEqual([]);
        expect(screen(found, now)).toContain(
            `${ago(3600)}, 60 min ago, 50.0 MiB; latest: succeeded; schedule 15 3 * * * UTC`,
        );
    });

    it("of a stack without dumps is said to be none", () => {
        expect(screen(status(), now)).toContain("last backup    this stack makes no dumps");
    });
});

it("what could not be read is named, and is no problem by itself", () => {
    const found = status({ inside: undefined, notRead: ["runs: status 403"], nodes: [] });
    expect(found.healthy).toBe(true);
    expect(screen(found, now)).toContain("  not known: runs: status 403\n");
    expect(screen(found, now)).toMatch(/runs {11}unknown\n/);
});

describe("alerts", () => {
    const labels = {
        alertname: "OrcheoPostgresDown",
        severity: "critical",
        namespace: "orcheo",
        statefulset: "postgres",
    };
    const annotations = { summary: "Postgres is not ready.", runbook_url: "docs/runbooks/alert-servers.md" };
    const alertmanager = [
        { labels, annotations, startsAt: ago(300), status: { state: "active" } },
        { labels: { ...labels, alertname: "OrcheoDiskFills", severity: "warning" }, annotations, startsAt: ago(9000) },
        { labels: { ...labels, alertname: "OrcheoWatchdog", severity: "none" }, annotations, startsAt: ago(9000) },
        { labels: { ...labels, namespace: "other" }, annotations, startsAt: ago(9000) },
    ];
    const prometheus = {
        status: "success",
        data: {
            alerts: [
                ...alertmanager.map(({ startsAt, ...each }) => ({ ...each, state: "firing", activeAt: startsAt })),
                { labels: { ...labels, alertname: "OrcheoRestarts" }, annotations, state: "pending", activeAt: ago(9) },
            ],
        },
    };
    const line =
        "the alert OrcheoPostgresDown (statefulset postgres) fires since 5 min: Postgres is not ready. See docs/";

    it.each(Object.entries({ alertmanager, prometheus }))(
        "of %s that fire are shown with their age: critical ones as problems, no watchdog, nobody else's, none that is pending",
        (_, alerts) => {
            const found = status({ alerts });
            expect(found.healthy).toBe(false);
            expect(found.problems).toEqual([expect.stringContaining(line)]);
            expect(found.warnings).toContainEqual(expect.stringContaining("the alert OrcheoDiskFills"));
            expect(found.alerts?.map(({ name }) => name)).toEqual(["OrcheoPostgresDown", "OrcheoDiskFills"]);
            expect(screen(found, now)).toContain("alerts         1 critical, 1 warning\n");
        },
    );

    it("that do not fire, and that nobody was asked for", () => {
        const quiet = status({ alerts: alertmanager.slice(2) });
        expect(screen(quiet, now)).toContain("alerts         none fires\n");
        expect(quiet.healthy).toBe(true);
        expect(screen(status(), now)).toContain("alerts         not known (--alerts ");
    });

    it("of a server that does not evaluate this stack's rules are not known", () => {
        const found = status({ alerts: { status: "success", data: { alerts: [] } } });
        expect(found.notRead).toEqual([expect.stringContaining("has no OrcheoWatchdog")]);
        expect(screen(found, now)).toContain("alerts         not known");
    });
});
