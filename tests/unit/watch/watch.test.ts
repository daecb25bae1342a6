import { describe, expect, it } from "vitest";
import type { KubernetesObject } from "../../../components/kubernetes/cluster-api";
import { engineProcess, type ProcessInfo } from "../../../components/watch/engine-process";
import { lastLines } from "../../../components/watch/log-lines.plan";
import { watcher, type Watched } from "../../../components/watch/watch";
import { baselineOf, findingsOf, type Snapshot } from "../../../components/watch/watch.plan";
import { fakeCluster, type FakeObject } from "../../fake-cluster";

type Fields = Record<string, unknown>;

/** A pod as the API server reports it (recorded, shortened). */
function pod(name: string, status: Fields, more: { owner?: object; labels?: Fields; metadata?: Fields } = {}) {
    const { owner = { kind: "ReplicaSet", name: "api-7d9", uid: "rs-new" }, labels, metadata } = more;
    return {
        apiVersion: "v1",
        kind: "Pod",
        metadata: {
            name,
            namespace: "orcheo",
            uid: `uid-${name}`,
            labels: {
                "app.kubernetes.io/part-of": "orcheo",
                "app.kubernetes.io/component": "api",
                ...labels,
            } as Record<string, string>,
            ownerReferences: [owner],
            ...metadata,
        },
        spec: { nodeName: "node-1" },
        status,
    };
}

const containers = (name: string, state: Fields, more: Fields = {}) => ({
    phase: "Running",
    containerStatuses: [{ name, restartCount: 0, ready: false, state, ...more }],
});
const ended = (exitCode: number, more: Fields = {}) => ({ terminated: { exitCode, reason: "Error", ...more } });
const backOff = { waiting: { reason: "CrashLoopBackOff", message: "back-off 40s restarting failed container" } };
const crashed = (exitCode: number, restartCount: number, more: Fields = {}) =>
    containers("api", backOff, { restartCount, lastState: ended(exitCode, more) });

const event = (reason: string, about: Fields, more: Fields = {}) => ({
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: `${reason}.1`, namespace: "orcheo", uid: `event-${reason}` },
    type: "Warning",
    count: 1,
    reason,
    message: `the message of ${reason}`,
    involvedObject: about,
    ...more,
});
const node = (conditions: readonly Fields[]) => ({
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: "node-1" },
    status: { conditions },
});

const snapshot = (now: Partial<Snapshot>): Snapshot => ({ pods: [], events: [], nodes: [], servers: [], ...now });
const nothing = baselineOf(snapshot({}));
const texts = (now: Partial<Snapshot>, before = nothing) => findingsOf(before, snapshot(now)).map(({ text }) => text);
const fatal = (each: KubernetesObject, before = nothing) =>
    findingsOf(before, snapshot({ pods: [each] })).filter((finding) => finding.fatal === true);

describe("a container that fails at its start", () => {
    it("with exit code 78 ends the update at once, in any workload", () => {
        for (const [where, status] of Object.entries({
            "a Job's pod": containers("init", ended(78)),
            "one that was restarted meanwhile": containers("api", { running: {} }, { lastState: ended(78) }),
            "one that waits for its restart": crashed(78, 1),
            "an init container": {
                phase: "Pending",
                initContainerStatuses: [{ name: "prepare", restartCount: 0, state: ended(78) }],
                containerStatuses: [
                    { name: "canvas", restartCount: 0, state: { waiting: { reason: "PodInitializing" } } },
                ],
            },
        }))
            expect(fatal(pod("a", status)), where).toHaveLength(1);
    });

    it("is named with its pod, its exit code and what that means", () => {
        expect(texts({ pods: [pod("backend-init-x-1", containers("init", ended(78)))] })).toEqual([
            'The container "init" of the pod orcheo/backend-init-x-1 ended at its start: exit code 78 (its settings or its data are refused, and would be again).',
        ]);
        expect(texts({ pods: [pod("api-1", crashed(137, 3, { reason: "OOMKilled" }))] })).toEqual([
            'The container "api" of the pod orcheo/api-1 ended at its start: exit code 137 (out of memory: its limit is too low), 3 restarts.',
        ]);
        const notStarted = { reason: "StartError", message: "exec: no such file" };
        expect(texts({ pods: [pod("api-1", containers("api", ended(128, notStarted)))] })).toEqual([
            'The container "api" of the pod orcheo/api-1 ended at its start: exit code 128 (StartError: exec: no such file).',
        ]);
    });

    it("otherwise may be restarted twice: its database may be late", () => {
        for (const restarts of [0, 1, 2]) expect(fatal(pod("a", crashed(3, restarts)))).toEqual([]);
        expect(fatal(pod("a", crashed(3, 3)))).toHaveLength(1);
        expect(fatal(pod("a", containers("api", { running: {} }, { restartCount: 3, lastState: ended(3) })))).toEqual(
            [],
        );
        // It ends well, and should not end.
        expect(fatal(pod("a", crashed(0, 3)))).toHaveLength(1);
        expect(texts({ pods: [pod("a", containers("prepare", ended(0)))] })).toEqual([]);
    });

    it("does not end an update that did not create it", () => {
        const old = pod("api-old", crashed(78, 9), { owner: { kind: "ReplicaSet", name: "api-1", uid: "rs-old" } });
        const before = baselineOf(snapshot({ pods: [old] }));
        // The old ReplicaSet may make another pod meanwhile.
        const another = { ...old, metadata: { ...old.metadata, name: "api-old-2", uid: "uid-2" } };
        expect(texts({ pods: [old, another] }, before)).toEqual([]);
        const next = pod("api-new", crashed(78, 1));
        expect(findingsOf(before, snapshot({ pods: [old, next] })).map(({ log }) => log?.pod)).toEqual(["api-new"]);
    });

    it("of a StatefulSet is one of the update when its revision is another", () => {
        const owner = { kind: "StatefulSet", name: "postgres", uid: "sts" };
        const revision = (hash: string) =>
            pod("postgres-0", crashed(78, 1), { owner, labels: { "controller-revision-hash": hash } });
        const before = baselineOf(snapshot({ pods: [revision("postgres-1")] }));
        expect(fatal(revision("postgres-1"), before)).toEqual([]);
        expect(fatal(revision("postgres-2"), before)).toHaveLength(1);
    });

    it("of a server that was broken before is named with its log, and does not end it", () => {
        const owner = { kind: "StatefulSet", name: "valkey", uid: "sts" };
        const metadata = { name: "valkey", namespace: "orcheo", uid: "sts" };
        const server = (updateRevision: string): FakeObject => ({
            apiVersion: "apps/v1",
            kind: "StatefulSet",
            metadata,
            status: { updateRevision },
        });
        const labels = { "controller-revision-hash": "valkey-1", "app.kubernetes.io/component": "valkey" };
        const valkey = (status: Fields) => pod("valkey-0", status, { owner, labels });
        const broken = valkey(crashed(1, 4));
        const before = baselineOf(snapshot({ pods: [valkey(containers("api", { running: {} }))] }));
        const found = (each: KubernetesObject, revision = "valkey-1") =>
            findingsOf(before, snapshot({ pods: [each], servers: [server(revision)] }));
        expect(found(broken)).toEqual([
            {
                key: "crashing uid-valkey-0 api",
                text: 'The container "api" of the pod orcheo/valkey-0 has crashed again and again since before this update (exit code 1, 4 restarts). What needs it does not become ready.',
                afterSeconds: 10,
                log: { pod: "valkey-0", container: "api", previous: true },
            },
        ]);
        expect(found(broken, "valkey-2")[0]?.key).toBe("stuck uid-valkey-0");
        // Once restarted, and serving.
        expect(found(valkey(containers("api", { running: {} }, { restartCount: 1, lastState: ended(1) })))).toEqual([]);
    });

    it("is left alone if it is being deleted, belongs to a backup, or has another owner", () => {
        const state = containers("a", ended(78));
        expect(texts({ pods: [pod("a", state, { metadata: { deletionTimestamp: "2026-11-27T12:00:00Z" } })] })).toEqual(
            [],
        );
        expect(texts({ pods: [pod("a", state, { labels: { "app.kubernetes.io/component": "backup" } })] })).toEqual([]);
        expect(texts({ pods: [pod("a", state, { labels: { "app.kubernetes.io/part-of": "debug" } })] })).toEqual([]);
    });
});

describe("causes of a delayed update", () => {
    const pending = (conditions: readonly Fields[]) => ({ phase: "Pending", conditions });

    it("no node, with the scheduler's reason", () => {
        const message = "0/1 nodes are available: 1 Insufficient cpu.";
        const condition = { type: "PodScheduled", status: "False", reason: "Unschedulable", message };
        const [found, ...more] = findingsOf(nothing, snapshot({ pods: [pod("api-1", pending([condition]))] }));
        expect(found).toMatchObject({ text: `The pod orcheo/api-1 finds no node: ${message}`, afterSeconds: 5 });
        expect(more).toEqual([]);
        expect(texts({ pods: [pod("api-1", pending([{ ...condition, reason: "SchedulingGated" }]))] })).toEqual([]);
        expect(texts({ pods: [pod("api-1", pending([{ ...condition, status: "True" }]))] })).toEqual([]);
    });

    it("no image, no Secret: with the kubelet's reason", () => {
        const message = 'failed to pull and unpack image "r/api@sha256:0": not found';
        for (const reason of ["ErrImagePull", "ImagePullBackOff", "InvalidImageName"])
            expect(texts({ pods: [pod("api-1", containers("api", { waiting: { reason, message } }))] })).toEqual([
                `The image of the container "api" of the pod orcheo/api-1 cannot be pulled: ${message}`,
            ]);
        const missing = { waiting: { reason: "CreateContainerConfigError", message: 'secret "team" not found' } };
        expect(texts({ pods: [pod("api-1", containers("api", missing))] })).toEqual([
            'The container "api" of the pod orcheo/api-1 cannot be started (CreateContainerConfigError): secret "team" not found',
        ]);
        for (const reason of ["ContainerCreating", "PodInitializing"])
            expect(texts({ pods: [pod("api-1", containers("api", { waiting: { reason } }))] })).toEqual([]);
    });

    it("pods that are evicted, or refused by their node; those that were before are old news", () => {
        const message = "The node was low on resource: ephemeral-storage.";
        const evicted = pod("api-1", { phase: "Failed", reason: "Evicted", message });
        expect(texts({ pods: [evicted] })).toEqual([`The pod orcheo/api-1 was evicted: ${message}`]);
        expect(texts({ pods: [evicted] }, baselineOf(snapshot({ pods: [evicted] })))).toEqual([]);
        const refused = pod("api-2", { phase: "Failed", reason: "OutOfcpu", message: "Node didn't have enough" });
        expect(texts({ pods: [refused] })).toEqual(["The pod orcheo/api-2 failed (OutOfcpu): Node didn't have enough"]);
        // A Job's pod that simply failed is told by its container.
        expect(texts({ pods: [pod("init-1", { phase: "Failed" })] })).toEqual([]);
    });

    it("pods that the API server refuses to make, such as by a quota or an admission policy", () => {
        const about = { kind: "ReplicaSet", name: "api-7d9", uid: "rs-new" };
        const refused = event("FailedCreate", about);
        expect(texts({ events: [refused] })).toEqual([
            "No pod can be made for the ReplicaSet api-7d9: the message of FailedCreate",
        ]);
        const before = baselineOf(snapshot({ events: [refused] }));
        expect(texts({ events: [refused] }, before)).toEqual([]);
        expect(texts({ events: [{ ...refused, count: 2 }] }, before)).toHaveLength(1);
    });

    it("a missing volume, once the pod has waited for a while", () => {
        const waits = pod("api-1", containers("api", { waiting: { reason: "ContainerCreating" } }));
        const late = event("FailedMount", { kind: "Pod", name: "api-1", uid: "uid-api-1" });
        const [found] = findingsOf(nothing, snapshot({ pods: [waits], events: [late] }));
        expect(found).toMatchObject({
            text: "A volume of the Pod api-1 cannot be mounted: the message of FailedMount",
            afterSeconds: 30,
        });
        expect(texts({ pods: [pod("api-1", containers("api", { running: {} }))], events: [late] })).toEqual([]);
        const claim = { kind: "PersistentVolumeClaim", name: "postgres-data", uid: "c" };
        expect(texts({ events: [event("ProvisioningFailed", claim)] })).toEqual([
            "The PersistentVolumeClaim postgres-data gets no volume: the message of ProvisioningFailed",
        ]);
        expect(texts({ events: [event("Unhealthy", { kind: "Pod", name: "api-1", uid: "uid-api-1" })] })).toEqual([]);
    });

    it("a broken pod of a StatefulSet that keeps the corrected one from being made", () => {
        const owner = { kind: "StatefulSet", name: "postgres", uid: "sts" };
        const server = (updateRevision: string) => ({
            metadata: { name: "postgres", uid: "sts" },
            status: { updateRevision },
        });
        const labels = { "controller-revision-hash": "postgres-1" };
        const broken = pod("postgres-0", crashed(78, 4), { owner, labels });
        const before = baselineOf(snapshot({ pods: [broken] }));
        const [text, ...more] = texts({ pods: [broken], servers: [server("postgres-2")] }, before);
        expect(text).toContain("kubectl --namespace orcheo delete pod postgres-0");
        expect(more).toEqual([]);
        const [current] = findingsOf(before, snapshot({ pods: [broken], servers: [server("postgres-1")] }));
        expect(current?.text).toContain("since before this update");
        expect(current).not.toHaveProperty("fatal");
        const serves = pod("postgres-0", containers("postgres", { running: {} }), { owner, labels });
        expect(texts({ pods: [serves], servers: [server("postgres-2")] }, before)).toEqual([]);
    });

    it("a node under any pressure, or not ready", () => {
        const ready = { type: "Ready", status: "True", message: "kubelet is posting ready status" };
        const pressures = ["DiskPressure", "MemoryPressure", "PIDPressure"];
        expect(texts({ nodes: [node([ready, ...pressures.map((type) => ({ type, status: "False" }))])] })).toEqual([]);
        for (const type of pressures) {
            const [text = "", ...more] = texts({
                nodes: [node([ready, { type, status: "True", message: "kubelet has it" }])],
            });
            expect(text).toMatch(new RegExp(`^The node node-1 is under pressure \\(${type}\\): .+: kubelet has it$`));
            expect(more).toEqual([]);
        }
        expect(texts({ nodes: [node([{ ...ready, status: "Unknown", message: "no word" }])] })).toEqual([
            "The node node-1 is not ready: no word",
        ]);
    });
});

describe("the watcher", () => {
    /** What it says of one cluster after another, with the seconds between them. */
    async function watched(
        steps: readonly [readonly FakeObject[], number][],
        more: Partial<Watched> = {},
        later?: readonly FakeObject[],
    ) {
        const said: string[] = [];
        let current = fakeCluster();
        const afterPause = later === undefined ? undefined : fakeCluster(later);
        let seconds = 0;
        const log = "/api/v1/namespaces/orcheo/pods/api-1/log?container=api&tailLines=40&limitBytes=65536";
        const logs = {
            [`${log}&previous=true`]:
                '{"time":"t","level":"ERROR","logger":"l","message":"postgresql://orcheo:hunter2@db is refused"}\n',
            // Started again, and has said nothing yet.
            [log]: "\n",
        };
        const step = watcher({
            cluster: {
                get: (path) => current.get(path),
                metadata: (path) => current.metadata(path),
                list: (path) => current.list(path),
                text: (path) => current.text(path),
            },
            namespace: "orcheo",
            say: {
                warn: (message) => Promise.resolve(void said.push(`warn ${message}`)),
                error: (message) => Promise.resolve(void said.push(`error ${message}`)),
            },
            interrupt: () => () => said.push("interrupt"),
            now: () => seconds * 1000,
            pause: () => Promise.resolve(void (current = afterPause ?? current)),
            ...more,
        });
        let goesOn = true;
        for (const [objects, pause] of steps) {
            current = fakeCluster(objects, logs);
            goesOn = await step();
            seconds += pause;
        }
        return { said, goesOn };
    }
    const unschedulable = pod("api-1", {
        phase: "Pending",
        conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: "no room" }],
    });
    const pressed = node([{ type: "DiskPressure", status: "True", message: "kubelet has disk pressure" }]);

    it("reports each finding once, after it has lasted", async () => {
        const steps = [1, 2, 3, 4].map((): [FakeObject[], number] => [[unschedulable], 3]);
        const { said, goesOn } = await watched([[[], 2], ...steps]);
        expect(said).toEqual(["warn The pod orcheo/api-1 finds no node: no room"]);
        expect(goesOn).toBe(true);
        const flapping = [...steps.slice(0, 1), [[], 3] as [FakeObject[], number], ...steps.slice(0, 2)];
        expect((await watched([[[], 2], ...flapping])).said).toEqual([]);
    });

    it("sees the nodes of the namespace's pods, from the first look on", async () => {
        const { said } = await watched([[[pod("old", containers("api", { running: {} })), pressed], 2]]);
        expect(said).toEqual([
            "warn The node node-1 is under pressure (DiskPressure): its disk is nearly full: pods are evicted, and none is scheduled there: kubelet has disk pressure",
        ]);
    });

    it("ends the update with the container's last lines, without passwords, and what to do", async () => {
        const { said, goesOn } = await watched([
            [[], 2],
            [[pod("api-1", crashed(78, 1))], 2],
        ]);
        expect(said).toEqual([
            [
                'error The container "api" of the pod orcheo/api-1 ended at its start: exit code 78 (its settings or its data are refused, and would be again). Its last lines:',
                "    ERROR postgresql://orcheo:***@db is refused",
                "Waiting cannot help: this update ends now, as with Ctrl-C. What ran before keeps running. Correct the setting, then run the same command again; docs/runbooks/failed-start.md has the next steps.",
            ].join("\n"),
            "interrupt",
        ]);
        expect(goesOn).toBe(false);
    });

    it("reports with its last word the findings that have not lasted yet", async () => {
        const waiting = { ...unschedulable, metadata: { ...unschedulable.metadata, name: "api-2", uid: "api-2" } };
        const { said } = await watched([
            [[], 2],
            [[waiting, pod("api-1", crashed(78, 1))], 2],
        ]);
        expect(said[0]).toContain('"api" of the pod orcheo/api-1 ended at its start: exit code 78');
        expect(said[0]).toContain("The pod orcheo/api-2 finds no node: no room");
    });

    it("looks once more before its last word: what else is wrong may show a moment later", async () => {
        const waiting = { ...unschedulable, metadata: { ...unschedulable.metadata, name: "api-2", uid: "api-2" } };
        const failed = pod("api-1", crashed(78, 1));
        const steps: [FakeObject[], number][] = [
            [[], 2],
            [[failed], 2],
        ];
        const { said } = await watched(steps, {}, [failed, waiting]);
        // Its log is read at once: meanwhile it may begin another.
        expect(said[0]).toMatch(/"api" of the pod orcheo\/api-1 ended at its start: exit code 78.*\n {4}ERROR/);
        expect(said[0]).toContain("The pod orcheo/api-2 finds no node: no room");
        expect(said).toHaveLength(2);
    });

    it("reads the log before where a container has been started again, though its status does not say so yet", async () => {
        const { said } = await watched([
            [[], 2],
            [[pod("api-1", containers("api", ended(78)))], 2],
        ]);
        expect(said[0]).toMatch(/exit code 78.*\n {4}ERROR/);
    });

    it("says how to end it where it cannot do so itself", async () => {
        const { said } = await watched(
            [
                [[], 2],
                [[pod("api-1", crashed(78, 1))], 2],
            ],
            { interrupt: () => undefined },
        );
        expect(said.join()).toContain("end this update with Ctrl-C");
        expect(said).toHaveLength(1);
    });

    it("warns of a container that failed and may yet succeed, with its last lines", async () => {
        const { said, goesOn } = await watched([
            [[], 2],
            [[pod("api-1", crashed(3, 1))], 2],
            [[pod("api-1", crashed(3, 2))], 2],
        ]);
        expect(said).toHaveLength(1);
        expect(said[0]).toMatch(/^warn .*exit code 3\b.*Its last lines:\n {4}ERROR/s);
        expect(goesOn).toBe(true);
    });

    it("continues silently if it is not allowed or unable to read", async () => {
        const forbidden = fakeCluster([pod("api-1", crashed(78, 1)), pressed], {}, ["/api/v1/namespaces/orcheo/pods"]);
        expect(await watched([[[], 2]], { cluster: forbidden })).toEqual({ said: [], goesOn: true });
        // Nodes are often not for whoever deploys into one namespace.
        const noNodes = fakeCluster([unschedulable, pressed], {}, ["/api/v1/nodes"]);
        const { said } = await watched(
            [
                [[], 6],
                [[], 6],
            ],
            { cluster: noNodes },
        );
        expect(said).toEqual(["warn The pod orcheo/api-1 finds no node: no room"]);
    });

    it("ends no update when its message cannot be delivered", async () => {
        const fails = () => Promise.reject(new Error("the engine is gone"));
        const steps: [FakeObject[], number][] = [
            [[], 2],
            [[pod("api-1", crashed(78, 1))], 2],
        ];
        const { said, goesOn } = await watched(steps, { say: { warn: fails, error: fails } });
        expect([said, goesOn]).toEqual([[], true]);
    });
});

describe("the last lines of a log", () => {
    it("are readable, the last fifteen, and without secrets", () => {
        const json = (message: string, more: object = {}) => JSON.stringify({ level: "INFO", message, ...more });
        const log = [
            ...Array.from({ length: 20 }, (_, index) => `line ${index}`),
            "",
            json("x", { exception: "a\nb" }),
        ];
        const lines = lastLines(log.join("\n"));
        expect(lines).toHaveLength(15);
        expect(lines.slice(-4)).toEqual(["line 19", "INFO x", "a", "b"]);
        expect(lines[0]).toBe("line 8");
        expect(lastLines('{"no": "message"}\n{broken')).toEqual(['{"no": "message"}', "{broken"]);
        expect(
            lastLines("postgresql://u:p@ss/w?rd@db/x redis://:secret@c?access_token=abc Authorization: Bearer abc.def"),
        ).toEqual(["postgresql://u:***@db/x redis://:***@c?access_token=*** Authorization: Bearer ***"]);
    });
});

describe("the pulumi command above this program", () => {
    const tree = (chain: readonly string[]) => {
        const infos = new Map<number, ProcessInfo>(
            chain.map((command, index) => [100 - index, { command, parent: 99 - index }]),
        );
        return engineProcess((pid) => infos.get(pid), 100);
    };

    it("is its first parent of that name, and nothing else is", () => {
        expect(tree(["node", "pulumi-language-nodejs", "pulumi", "bash"])).toBe(98);
        expect(tree(["node", "sh", "pulumi-language", "pulumi", "node", "pulumi"])).toBe(97);
        expect(tree(["node", "pulumi-language-nodejs", "bash"])).toBeUndefined();
        expect(tree(["pulumi", "node"])).toBeUndefined();
        expect(tree(["node", "a", "b", "c", "d", "e", "f", "pulumi"])).toBeUndefined();
    });

    it("is not found where there is none, by the real process table", () => {
        expect(engineProcess()).toBeUndefined();
    });
});
