/** Interprets pods, events and nodes during an update, for the user who waits for it. */
import type { KubernetesObject } from "../kubernetes/cluster-api";
import {
    conditionsOf,
    containersOf,
    eventOf,
    ownersOf,
    statusOf,
    type ContainerStatus,
    type Ended,
} from "../kubernetes/pod-status";

export interface Snapshot {
    readonly pods: readonly KubernetesObject[];
    /** Warnings of the namespace. */
    readonly events: readonly KubernetesObject[];
    /** Nodes that the pods are on. */
    readonly nodes: readonly KubernetesObject[];
    /** StatefulSets. */
    readonly servers: readonly KubernetesObject[];
}

/** What there was before the update: none of it is the update's doing. */
export interface Baseline {
    readonly generations: ReadonlySet<string>;
    /** Pods that were lost already. */
    readonly lost: ReadonlySet<string>;
    /** How often each event had happened. */
    readonly events: ReadonlyMap<string, number>;
}

export interface Finding {
    /** The same for the same finding in the next snapshot. */
    readonly key: string;
    readonly text: string;
    /** Only worth a word when it lasts. */
    readonly afterSeconds: number;
    /** Container whose last lines belong to it. */
    readonly log?: { readonly pod: string; readonly container: string; readonly previous: boolean };
    /** No waiting will help: the update ends. */
    readonly fatal?: true;
}

/** Images exit with it when settings or data are refused (sysexits.h: EX_CONFIG). */
const refused = 78;
/** Number of consecutive exits of a container that count as a failure. The first ones may be waiting for a server. */
const patience = 3;

export function baselineOf({ pods, events }: Snapshot): Baseline {
    return {
        generations: new Set(pods.map(generationOf)),
        lost: new Set(pods.filter((pod) => lossOf(pod) !== undefined).map(({ metadata }) => metadata.uid ?? "")),
        events: new Map(events.map((event) => [event.metadata.uid ?? "", eventOf(event).count])),
    };
}

/** The ReplicaSet, Job or revision of a StatefulSet that made a pod. A changed template makes another. */
export function generationOf(pod: KubernetesObject): string {
    const { metadata } = pod;
    const [owner] = ownersOf(pod);
    const revision = metadata.labels?.["controller-revision-hash"] ?? "";
    return owner === undefined ? `pod ${metadata.uid ?? metadata.name}` : `${owner.kind} ${owner.uid} ${revision}`;
}

export function findingsOf(before: Baseline, now: Snapshot): readonly Finding[] {
    const pods = now.pods.filter(({ metadata }) => metadata["deletionTimestamp"] === undefined);
    return [
        ...pods.flatMap((pod) => endedContainers(before, pod)),
        ...pods.flatMap((pod) => [...heldUp(pod), ...lost(before, pod)]),
        ...happened(before, now.events, pods),
        ...now.nodes.flatMap(underPressure),
        ...pods.flatMap((pod) => brokenServer(before, pod, now.servers)),
    ];
}

const label = (pod: KubernetesObject, name: string): string | undefined => pod.metadata.labels?.[name];
const nameOf = ({ metadata }: KubernetesObject): string => `${metadata.namespace ?? ""}/${metadata.name}`;
const said = (message: string | undefined): string => (message === undefined || message === "" ? "" : `: ${message}`);

/** Containers of this update that ended instead of serving. */
function endedContainers(before: Baseline, pod: KubernetesObject): Finding[] {
    // Backups run by their own schedule, and no update waits for them.
    const ours = label(pod, "app.kubernetes.io/part-of") === "orcheo";
    if (!ours || label(pod, "app.kubernetes.io/component") === "backup") return [];
    if (before.generations.has(generationOf(pod))) return [];
    return containersOf(pod).flatMap((container) => {
        const { name, waiting, terminated, lastTerminated, restarts } = container;
        const end = terminated ?? lastTerminated;
        const loops = restarts >= patience && waiting?.reason === "CrashLoopBackOff";
        if (end === undefined || (end.exitCode === 0 && !loops)) return [];
        const fatal = end.exitCode === refused || loops;
        const times = restarts > 1 ? `, ${restarts} restarts` : "";
        return [
            {
                key: `${fatal ? "failed" : "ended"} ${pod.metadata.uid ?? ""} ${name}`,
                text: `The container "${name}" of the pod ${nameOf(pod)} ended at its start: exit code ${end.exitCode}${meaningOf(end)}${times}.`,
                afterSeconds: 0,
                log: { pod: pod.metadata.name, container: name, previous: terminated === undefined },
                ...(fatal && { fatal }),
            },
        ];
    });
}

const meanings: Readonly<Record<number, string>> = {
    [refused]: "its settings or its data are refused, and would be again",
    64: "it was started with wrong arguments",
    126: "its program cannot be executed",
    127: "its program does not exist",
    137: "killed: by its liveness or startup probe, or by the node",
    139: "it crashed (segmentation fault)",
    143: "it was told to stop, most likely by its startup probe",
};

function meaningOf({ exitCode, reason, message }: Ended): string {
    if (reason === "OOMKilled") return " (out of memory: its limit is too low)";
    if (reason !== undefined && !["Error", "Completed"].includes(reason)) return ` (${reason}${said(message)})`;
    const meaning = meanings[exitCode];
    return meaning === undefined ? "" : ` (${meaning})`;
}

/** A pod that cannot get to its start: no node, no image, no Secret. */
function heldUp(pod: KubernetesObject): Finding[] {
    const uid = pod.metadata.uid ?? "";
    const unschedulable = conditionsOf(pod)
        .filter(
            ({ type, status, reason }) => type === "PodScheduled" && status === "False" && reason === "Unschedulable",
        )
        .map(({ message }) => ({
            key: `unschedulable ${uid}`,
            text: `The pod ${nameOf(pod)} finds no node${said(message)}`,
            // Claims and an autoscaler's nodes take a moment.
            afterSeconds: 5,
        }));
    const blocked = containersOf(pod).flatMap(({ name, waiting }): Finding[] => {
        const { reason = "", message } = waiting ?? {};
        const where = `the container "${name}" of the pod ${nameOf(pod)}`;
        if (["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"].includes(reason))
            return [
                {
                    key: `image ${uid} ${name}`,
                    text: `The image of ${where} cannot be pulled${said(message)}`,
                    afterSeconds: 0,
                },
            ];
        if (/^(Create|Run|Start)\w*Error$|^PostStartHookError$/.test(reason))
            return [
                {
                    key: `created ${uid} ${name}`,
                    text: `${where[0]?.toUpperCase() ?? ""}${where.slice(1)} cannot be started (${reason})${said(message)}`,
                    afterSeconds: 5,
                },
            ];
        return [];
    });
    return [...unschedulable, ...blocked];
}

/** Why a pod is gone for good: evicted, preempted, or refused by its node. Of a container that ended there is no reason. */
function lossOf(pod: KubernetesObject): string | undefined {
    const { phase, reason, message } = statusOf(pod);
    if (phase !== "Failed" || reason === undefined || reason === "DeadlineExceeded") return undefined;
    return `${reason === "Evicted" ? "was evicted" : `failed (${reason})`}${said(message)}`;
}

function lost(before: Baseline, pod: KubernetesObject): Finding[] {
    const uid = pod.metadata.uid ?? "";
    const loss = lossOf(pod);
    if (loss === undefined || before.lost.has(uid)) return [];
    return [{ key: `lost ${uid}`, text: `The pod ${nameOf(pod)} ${loss}`, afterSeconds: 0 }];
}

/** Warnings that no pod shows: one that the API server refuses to make, a volume that does not come. */
function happened(before: Baseline, events: readonly KubernetesObject[], pods: readonly KubernetesObject[]): Finding[] {
    const begun = ({ running, terminated }: ContainerStatus): boolean => running || terminated !== undefined;
    const waiting = new Set(pods.filter((pod) => !containersOf(pod).some(begun)).map(({ metadata }) => metadata.uid));
    return events.flatMap((event): Finding[] => {
        const { count, reason, message, about } = eventOf(event);
        if (count <= (before.events.get(event.metadata.uid ?? "") ?? 0)) return [];
        const key = `${reason} ${about.uid}`;
        const name = `${about.kind} ${about.name}`;
        if (reason === "FailedCreate")
            return [{ key, text: `No pod can be made for the ${name}${said(message)}`, afterSeconds: 3 }];
        if (reason === "ProvisioningFailed")
            return [{ key, text: `The ${name} gets no volume${said(message)}`, afterSeconds: 10 }];
        // Certificates and Secrets come moments after the pod that mounts them.
        if (["FailedMount", "FailedAttachVolume"].includes(reason) && waiting.has(about.uid))
            return [{ key, text: `A volume of the ${name} cannot be mounted${said(message)}`, afterSeconds: 30 }];
        return [];
    });
}

/** A server that was broken before the update: what needs it does not become ready. */
function brokenServer(before: Baseline, pod: KubernetesObject, servers: readonly KubernetesObject[]): Finding[] {
    const [owner] = ownersOf(pod);
    const server = servers.find(({ metadata }) => metadata.uid !== undefined && metadata.uid === owner?.uid);
    if (server === undefined) return [];
    const { updateRevision } = statusOf(server);
    const outdated = updateRevision !== undefined && label(pod, "controller-revision-hash") !== updateRevision;
    if (outdated) return stuck(pod);
    // A new one is reported as it ends.
    return before.generations.has(generationOf(pod)) ? containersOf(pod).flatMap((each) => crashing(pod, each)) : [];
}

/**
 * A StatefulSet replaces a broken pod by a corrected one only once the broken one is ready, which it never is.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback
 */
function stuck(pod: KubernetesObject): Finding[] {
    if (!containersOf(pod).some(({ waiting }) => /BackOff$|^Err|Error$/.test(waiting?.reason ?? ""))) return [];
    const { name, namespace = "" } = pod.metadata;
    const remedy = `kubectl --namespace ${namespace} delete pod ${name}`;
    return [
        {
            key: `stuck ${pod.metadata.uid ?? ""}`,
            text: `The broken pod ${nameOf(pod)} of an earlier update is in the way of the corrected one. Delete it, and this update goes on: ${remedy}`,
            afterSeconds: 5,
        },
    ];
}

function crashing(pod: KubernetesObject, { name, waiting, lastTerminated, restarts }: ContainerStatus): Finding[] {
    if (waiting?.reason !== "CrashLoopBackOff" || lastTerminated === undefined) return [];
    const ending = `exit code ${lastTerminated.exitCode}${meaningOf(lastTerminated)}, ${restarts} restarts`;
    return [
        {
            key: `crashing ${pod.metadata.uid ?? ""} ${name}`,
            text: `The container "${name}" of the pod ${nameOf(pod)} has crashed again and again since before this update (${ending}). What needs it does not become ready.`,
            afterSeconds: 10,
            log: { pod: pod.metadata.name, container: name, previous: true },
        },
    ];
}

const pressures: Readonly<Record<string, string>> = {
    DiskPressure: "its disk is nearly full: pods are evicted, and none is scheduled there",
    MemoryPressure: "its memory is nearly used up: pods are evicted",
    PIDPressure: "it has nearly no process numbers left: pods are evicted",
};

function underPressure(node: KubernetesObject): Finding[] {
    return conditionsOf(node).flatMap(({ type, status, message }): Finding[] => {
        const { name } = node.metadata;
        const meaning = pressures[type];
        if (meaning !== undefined && status === "True")
            return [
                {
                    key: `${type} ${name}`,
                    text: `The node ${name} is under pressure (${type}): ${meaning}${said(message)}`,
                    afterSeconds: 0,
                },
            ];
        if (type === "Ready" && status !== "True")
            return [{ key: `ready ${name}`, text: `The node ${name} is not ready${said(message)}`, afterSeconds: 5 }];
        return [];
    });
}
