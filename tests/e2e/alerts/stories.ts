/** The stories: real faults of a running stack, in the order in which they are told. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { inNode } from "../../../local/cluster/node.ts";
import { NODE_NAME, pathsOf } from "../../../local/cluster/spec.ts";
import { ask, at, createWorkflow, dispatchRuns, ended, type Entrance, socketStatus } from "../orcheo.ts";
import { caller, eventually, exec, expectReady, kube, spec } from "../platform/harness.ts";
import { steadyLoad } from "../platform/load.ts";
import { endpoint, labels as storeLabels } from "../platform/object-store.ts";
import { type Monitors, startObjectStates, stopObjectStates } from "./monitors.ts";
import { end, signal, start } from "./processes.ts";
import type { Story } from "./story.ts";

const inRoles = (...roles: string[]): string[] => ["-l", `app.kubernetes.io/component in (${roles.join(",")})`];
const [API, BEAT, CANVAS, WORKER] = ["api", "beat", "canvas", "worker"];

/** No pod finds a place, as on a cluster that is full; those that run go on. */
const noRoomFor = (...roles: string[]): Pick<Story, "cause" | "remedy"> => ({
    async cause() {
        await kube("cordon", NODE_NAME);
        await kube("delete", "pods", ...inRoles(...roles), "--grace-period=5", "--wait=false");
    },
    async remedy() {
        await kube("uncordon", NODE_NAME);
        for (const role of roles) await expectReady(role);
    },
});

async function inPostgres(...command: string[]): Promise<string> {
    const { code, output } = await exec("postgres-0", ...command);
    if (code !== 0) throw new Error(output);
    return output.trim();
}

async function sql(statement: string): Promise<string> {
    const psql = ["psql", "-h", "/tmp", "-U", "postgres", "-d", "orcheo", "-v", "ON_ERROR_STOP=1", "-Atc", statement];
    return inPostgres(...psql);
}

const memoryOf = (role: string, kind: "limits" | "requests"): Promise<string> =>
    kube(
        ...["get", "deployment", role, "-o"],
        `jsonpath={.spec.template.spec.containers[?(@.name=="${role}")].resources.${kind}.memory}`,
    );
const setMemory = (role: string, limit: string, request: string): Promise<string> =>
    kube(
        ...["set", "resources", `deployment/${role}`, `--containers=${role}`],
        ...[`--limits=memory=${limit}`, `--requests=memory=${request}`],
    );

function littleMemory(): Story {
    const before = { limit: "", request: "" };
    return {
        alerts: ["OrcheoOutOfMemory", "OrcheoRestarts", "OrcheoBeatStalled"],
        // Four restarts, of which the kubelet delays each more than the one before.
        within: 300,
        async cause() {
            Object.assign(before, {
                limit: await memoryOf(BEAT, "limits"),
                request: await memoryOf(BEAT, "requests"),
            });
            await setMemory(BEAT, "48Mi", "48Mi");
        },
        async remedy() {
            await setMemory(BEAT, before.limit, before.request);
            await kube("rollout", "status", "deployment/beat", "--timeout=120s");
        },
    };
}

const noImage: Story = {
    alerts: ["OrcheoRolloutStuck", "OrcheoImageUnavailable"],
    within: 180,
    async cause() {
        const path = "jsonpath={.spec.template.spec.containers[0].image}";
        const image = await kube("get", "deployment", CANVAS, "-o", path);
        const gone = image.replace(/@sha256:.*$/, `@sha256:${"0".repeat(64)}`);
        // Instead of ten minutes, which a stack's `transforms` may shorten as well.
        const template = { spec: { containers: [{ name: CANVAS, image: gone }] } };
        const patch = { spec: { progressDeadlineSeconds: 15, template } };
        await kube("patch", "deployment", CANVAS, "--patch", JSON.stringify(patch));
    },
    async remedy() {
        await kube("rollout", "undo", `deployment/${CANVAS}`);
        const patch = { spec: { progressDeadlineSeconds: 600 } };
        await kube("patch", "deployment", CANVAS, "--patch", JSON.stringify(patch));
        await expectReady(CANVAS);
    },
};

/** Callers who ask again as soon as they have an answer, until they are told to stop. */
function callers(count: number, asking: () => Promise<unknown>): () => Promise<void> {
    let stopped = false;
    const each = async (): Promise<void> => {
        while (!stopped) await asking().catch(() => sleep(500));
    };
    const all = Promise.all(Array.from({ length: count }, each));
    return async () => {
        stopped = true;
        await all;
    };
}

const suspendBackups = (suspended: boolean): Promise<string> =>
    kube("patch", "cronjob", "backup", "--patch", JSON.stringify({ spec: { suspend: suspended } }));
/** Waits for those that the schedule has started. */
async function noBackupRuns(): Promise<void> {
    const active = (): Promise<string> => kube("get", "cronjob", "backup", "-o", "jsonpath={.status.active}");
    if ((await eventually(120, active, (seen) => seen === "")) !== "") throw new Error("a backup does not end");
}

function locked(): Story {
    let stop: () => Promise<void> = () => Promise.resolve();
    const waiting = "select pg_sleep(400)";
    return {
        alerts: [
            "OrcheoConnectionsExhausted",
            "OrcheoApiErrors",
            "OrcheoApiSlow",
            "OrcheoWebSocketsFail",
            "OrcheoWebSocketsSlow",
        ],
        within: 240,
        async cause() {
            // A dump gives up on a locked table after a minute, and would count as a failed backup.
            await suspendBackups(true);
            await noBackupRuns();
            // The first request of an API process prepares the table, and others would wait for that one.
            await ask(caller(), "GET", "/api/workflows");
            // Every request looks its token up there. Orcheo asks for workflows and runs one after the other, whoever calls.
            const ended = sql(`begin; lock table service_tokens in access exclusive mode; ${waiting}; commit`);
            if ((await Promise.race([ended, sleep(3000)])) !== undefined) throw new Error("the table is not locked");
            ended.catch(() => undefined);
            const asked = callers(40, () => ask(caller(), "GET", "/api/workflows"));
            const opened = callers(20, () => socketStatus(caller(), "none"));
            stop = async () => {
                await Promise.all([asked(), opened()]);
            };
        },
        async remedy() {
            try {
                await sql(
                    `select pg_terminate_backend(pid) from pg_stat_activity where query like '%${waiting}%' and pid <> pg_backend_pid()`,
                );
                await stop();
            } finally {
                await suspendBackups(false);
            }
        },
    };
}

const connectionsUsed =
    "select sum(numbackends)::float / current_setting('max_connections')::int from pg_stat_database";
/** Its connections stay open until it is ended. Within a transaction the number of connections would never change. */
const holdConnections = `import os, time, psycopg
kept = []
dsn = os.environ["ORCHEO_POSTGRES_DSN"]
def connect():
    kept.append(psycopg.connect(dsn, autocommit=True))
connect()
while kept[0].execute("${connectionsUsed}").fetchone()[0] < 0.9:
    connect()
time.sleep(600)`;

const connections: Story = {
    alerts: ["OrcheoPostgresConnections"],
    within: 180,
    async cause() {
        await start(`deployment/${WORKER}`, "hold-connections", holdConnections);
        const used = await eventually(
            120,
            () => sql(connectionsUsed).then(Number),
            (share) => share > 0.85,
        );
        if (used <= 0.85) throw new Error(`only ${used} of the connections are used`);
    },
    remedy: () => end(`deployment/${WORKER}`, "hold-connections"),
};

const valkey = (script: string): Promise<void> =>
    exec(
        "valkey-0",
        "sh",
        "-ec",
        `cli() { valkey-cli --no-auth-warning -a "$(cat /run/secrets/orcheo/valkey-password)" -s /tmp/valkey/socket "$@"; }\n${script}`,
    ).then(({ code, output }) => {
        if (code !== 0 || output.includes("ERR")) throw new Error(output);
    });

const fullQueue: Story = {
    alerts: ["OrcheoQueueMemoryFull"],
    cause: () => valkey("for i in $(seq 12); do head -c 9500000 /dev/urandom | cli -x SET filler$i; done"),
    remedy: () => valkey("for i in $(seq 12); do cli DEL filler$i; done"),
};

const disk = "/var/lib/postgresql/data";
const fullDisk: Story = {
    alerts: ["OrcheoDiskFull", "OrcheoDiskFills"],
    // The kubelet measures once a minute.
    within: 300,
    async cause() {
        const [, line = ""] = (await inPostgres("df", "--output=size,avail", "--block-size=1M", disk)).split("\n");
        const [size = 0, free = 0] = line.trim().split(/ +/).map(Number);
        await inPostgres("sh", "-c", `head -c ${Math.floor(free - 0.07 * size)}M /dev/zero > ${disk}/filler`);
    },
    remedy: () => inPostgres("rm", `${disk}/filler`).then(() => undefined),
};

async function running(runId: string): Promise<void> {
    const status = async (): Promise<unknown> => at((await ask(caller(), "GET", `/api/runs/${runId}`)).body, "status");
    if ((await eventually(60, status, (seen) => seen === "running")) !== "running")
        throw new Error(`the run ${runId} does not start`);
}

/** Pod and process that execute a run. */
async function holderOf(runId: string): Promise<{ pod: string; process: string }> {
    const holder = await sql(`select holder from orcheo_deploy.run_leases where run_id::text = '${runId}'`);
    const [, pod = "", process = ""] = /^(\S+), process (\d+)$/.exec(holder) ?? [];
    return { pod, process };
}

const slow = (entrance: Entrance, seconds: number): Promise<{ id: string }> =>
    createWorkflow(entrance, "0.33", `e2e-story-${seconds}`, seconds);

const killed: Story = {
    // Nothing has to be done; both are resolved half an hour after the loss.
    alerts: ["OrcheoRunsOutOfMemory", "OrcheoRunsLost"],
    within: 240,
    async cause() {
        const [runId = ""] = await dispatchRuns(caller(), (await slow(caller(), 50)).id, 1, "e2e");
        await running(runId);
        const { pod, process } = await holderOf(runId);
        await signal(pod, "KILL", [process]);
    },
};

function tooMany(): Story {
    const runs: string[] = [];
    let dispatching = true;
    let all: Promise<void> = Promise.resolve();
    return {
        alerts: ["OrcheoRunsStartLate", "OrcheoQueueGrows"],
        within: 240,
        async cause() {
            const { id } = await slow(caller(), 40);
            all = (async () => {
                while (dispatching && runs.length < 80) {
                    runs.push(...(await dispatchRuns(caller(), id, 4, "e2e")));
                    await sleep(6000);
                }
            })();
        },
        async remedy() {
            dispatching = false;
            await all;
            const cancelled = { actor: "e2e", reason: "too many" };
            for (const run of runs) await ask(caller(), "POST", `/api/runs/${run}/cancel`, cancelled);
        },
    };
}

function stuck(): Story {
    const runs: string[] = [];
    return {
        alerts: ["OrcheoWorkersStuck"],
        within: 240,
        async cause() {
            // As many as the worker executes at a time: each process has one, and is known by it.
            const { id } = await slow(caller(), 8);
            const busy = await dispatchRuns(caller(), id, 2, "e2e");
            await Promise.all(busy.map(running));
            const holders = await Promise.all(busy.map(holderOf));
            for (const run of busy) await ended(caller(), run);
            const pod = holders[0]?.pod ?? "";
            await signal(pod, "STOP", [...new Set(holders.map(({ process }) => process))]);
            runs.push(...(await dispatchRuns(caller(), id, 1, "e2e")));
        },
        // The page's last command is the remedy.
        async remedy() {
            await kube("rollout", "status", `deployment/${WORKER}`, "--timeout=180s");
            for (const run of runs) await ended(caller(), run, 240);
        },
    };
}

const burn = "while True: pass";
const throttled: Story = {
    alerts: ["OrcheoCpuThrottled"],
    within: 240,
    async cause() {
        for (let count = 0; count < 2; count++) await start(`deployment/${BEAT}`, "burn-cpu", burn);
    },
    remedy: () => end(`deployment/${BEAT}`, "burn-cpu"),
};

/** Keeps between 95 and 97 % of the container's memory used, apart from caches that the kernel would give back. A probe beside it needs the rest. */
const takeMemory = `import time
base = "/sys/fs/cgroup/memory/memory."
def number(name):
    with open(base + name) as file:
        return int(file.read())
def working_set():
    with open(base + "stat") as file:
        inactive = dict(line.split() for line in file)["total_inactive_file"]
    return number("usage_in_bytes") - int(inactive)
kept, limit = [], number("limit_in_bytes")
while True:
    used = working_set() / limit
    if used < 0.957:
        kept.append(bytearray(b"x") * 2**20)
    elif used > 0.97 and kept:
        kept.pop()
    else:
        time.sleep(0.02)`;
const nearLimit: Story = {
    alerts: ["OrcheoMemoryNearLimit"],
    within: 240,
    cause: () => start(`deployment/${BEAT}`, "take-memory", takeMemory),
    remedy: () => end(`deployment/${BEAT}`, "take-memory"),
};

const takeThreads = `import threading, time
threading.stack_size(65536)
for _ in range(1850):
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
time.sleep(600)`;
const manyThreads: Story = {
    alerts: ["OrcheoProcessesNearLimit"],
    within: 240,
    cause: () => start(`deployment/${API}`, "take-threads", takeThreads),
    remedy: () => end(`deployment/${API}`, "take-threads"),
};

/** Long enough for the objective of one second, and too short for the probes of the kubelet and of the exporter, which wait for three. */
const pauseNginx = `workers=$(cat /proc/1/task/1/children)
for _ in $(seq 200); do kill -STOP $workers; sleep 2.5; kill -CONT $workers; sleep 0.2; done`;
const slowCanvas: Story = {
    alerts: ["OrcheoCanvasSlow"],
    within: 240,
    async cause() {
        const names = await kube("get", "pods", ...inRoles(CANVAS), "-o", "jsonpath={.items[*].metadata.name}");
        for (const pod of names.split(" ")) {
            const ended = exec(pod, "sh", "-c", pauseNginx).then(({ output }) => output);
            const early = await Promise.race([ended, sleep(3000)]);
            if (early !== undefined) throw new Error(`nginx of ${pod} is not stopped: ${early}`);
        }
    },
    // The page's last command is the remedy.
    remedy: () => expectReady(CANVAS),
};

/** More requests than one API pod answers within its CPU target; two pods are the most. */
function busy(): Story {
    let stop: () => Promise<void> = () => Promise.resolve();
    return {
        alerts: ["OrcheoAutoscalerAtMaximum"],
        within: 360,
        cause() {
            stop = steadyLoad(120, 400);
            return Promise.resolve();
        },
        remedy: () => stop(),
    };
}

const scaleEntrance = (replicas: number): Promise<string> =>
    kube("scale", "deployment/traefik", "--namespace=traefik", `--replicas=${replicas}`);
const noEntrance: Story = {
    alerts: ["OrcheoUnreachable", "OrcheoCanvasUnavailable"],
    within: 240,
    // Its page: ask, correct the cause, and then look at the whole.
    after: { OrcheoUnreachable: 1 },
    cause: () => scaleEntrance(0).then(() => undefined),
    async remedy() {
        await scaleEntrance(1);
        await kube("rollout", "status", "deployment/traefik", "--namespace=traefik", "--timeout=120s");
    },
};

const scaleDns = (replicas: number): Promise<string> =>
    kube("scale", "deployment/coredns", "--namespace=kube-system", `--replicas=${replicas}`);
const noDns: Story = {
    alerts: ["OrcheoNamesUnresolved"],
    within: 240,
    // Its page: look at DNS, correct the cause, and then ask from the pod.
    after: { OrcheoNamesUnresolved: 1 },
    cause: () => scaleDns(0).then(() => undefined),
    async remedy() {
        await scaleDns(1);
        await kube("rollout", "status", "deployment/coredns", "--namespace=kube-system", "--timeout=120s");
        for (const role of [API, WORKER]) await expectReady(role);
    },
};

/** cert-manager issues a new certificate at once. */
async function setLifetime(lifetime: object): Promise<void> {
    const patch = JSON.stringify({ spec: lifetime });
    await kube("patch", "certificate", "entrance", "--type=merge", "--patch", patch);
}
function shortCertificate(): Story {
    const before = { duration: "", renewBefore: "" };
    return {
        alerts: ["OrcheoCertificateExpires", "OrcheoPublicCertificateExpires"],
        within: 300,
        async cause() {
            const spec: unknown = JSON.parse(await kube("get", "certificate", "entrance", "-o", "jsonpath={.spec}"));
            Object.assign(before, { duration: at(spec, "duration"), renewBefore: at(spec, "renewBefore") });
            await setLifetime({ duration: "240h0m0s", renewBefore: "24h0m0s" });
        },
        remedy: () => setLifetime(before),
    };
}

const kubelet = (what: "up" | "down"): Promise<string> =>
    inNode(spec, ["sv", what, join(pathsOf(spec).services, "kubelet")]);
const lostNode: Story = {
    alerts: ["OrcheoNodeLost"],
    within: 240,
    cause: () => kubelet("down").then(() => undefined),
    async remedy() {
        await kubelet("up");
        await kube("wait", "--for=condition=Ready", `node/${NODE_NAME}`, "--timeout=120s");
        for (const role of [API, CANVAS, WORKER, BEAT, "postgres", "valkey"]) await expectReady(role);
    },
};

const backUp = (name: string): Promise<string> => kube("create", "job", "--from=cronjob/backup", name);
const backups: Story = {
    alerts: ["OrcheoBackupFailed", "OrcheoBackupLate"],
    // Two missed backups at one a minute, and a minute and a half.
    within: 420,
    // Its page: look, correct the cause, and then take one by hand.
    after: { OrcheoBackupLate: 1 },
    async cause() {
        await suspendBackups(true);
        await kube("delete", "job", "backup-good", "backup-bad", "backup-by-hand", "--ignore-not-found");
        await backUp("backup-good");
        await kube("wait", "job/backup-good", "--for=condition=complete", "--timeout=240s");
        // The rule counts a failure that began after the last success, in whole seconds.
        await noBackupRuns();
        await sleep(2000);
        await endpoint({ app: "nobody" });
        await backUp("backup-bad");
    },
    async remedy() {
        await endpoint(storeLabels);
        await suspendBackups(false);
    },
};

const noObjects: Story = {
    alerts: ["OrcheoNoKubernetesMetrics"],
    within: 300,
    cause: stopObjectStates,
    remedy: startObjectStates,
};

/** First: they need the whole node. */
export const first: readonly Story[] = [
    { alerts: ["OrcheoApiDown", "OrcheoCanvasDown", "OrcheoWorkersDown"], ...noRoomFor(API, CANVAS, WORKER) },
    { alerts: ["OrcheoPostgresDown", "OrcheoServersAway"], within: 240, ...noRoomFor("postgres") },
    { alerts: ["OrcheoValkeyDown"], ...noRoomFor("valkey") },
    noEntrance,
    noDns,
];

/** One after the other. */
export const stories: readonly Story[] = [killed, tooMany(), stuck(), fullQueue, connections];

/** Beside those, which they do not disturb: each of these lists one after the other. */
export const beside: readonly (readonly Story[])[] = [
    [backups],
    [shortCertificate()],
    [noImage, slowCanvas, fullDisk],
    [manyThreads],
    [throttled, nearLimit, littleMemory()],
];

/** Alone: every request waits, or the node is busy. */
export const last: readonly Story[] = [locked(), busy(), lostNode, noObjects];

/** It fires all the time, and is resolved without vmalert. */
export async function watchdog({ receiver, vmalert }: Monitors): Promise<{ toFire: number; toResolve: number }> {
    const firing = (): boolean => receiver.firing("OrcheoWatchdog", "none").length > 0;
    await receiver.until(60, "OrcheoWatchdog fires", firing);
    const stopped = Date.now();
    vmalert.kill("SIGSTOP");
    try {
        await receiver.until(300, "OrcheoWatchdog is resolved without vmalert", () => !firing());
    } finally {
        vmalert.kill("SIGCONT");
    }
    const resumed = Date.now();
    await receiver.until(60, "OrcheoWatchdog fires again", firing);
    return { toFire: (Date.now() - resumed) / 1000, toResolve: (resumed - stopped) / 1000 };
}
