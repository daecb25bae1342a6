/** Fields of pods, workloads, nodes and events as the API server reports them; all of them may be missing. */
import type { KubernetesObject } from "./cluster-api";

export interface Ended {
    readonly exitCode: number;
    readonly reason?: string;
    readonly message?: string;
}

export interface ContainerStatus {
    readonly name: string;
    readonly restarts: number;
    readonly running: boolean;
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly terminated?: Ended;
    /** The end before its last restart. */
    readonly lastTerminated?: Ended;
}

interface State {
    readonly running?: object;
    readonly waiting?: ContainerStatus["waiting"];
    readonly terminated?: Ended;
}
interface RawContainer {
    readonly name: string;
    readonly restartCount?: number;
    readonly state?: State;
    readonly lastState?: State;
}
interface Status {
    /** Of Deployments and StatefulSets. */
    readonly observedGeneration?: number;
    readonly currentRevision?: string;
    readonly updateRevision?: string;
    readonly readyReplicas?: number;
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly conditions?: readonly Condition[];
    readonly initContainerStatuses?: readonly RawContainer[];
    readonly containerStatuses?: readonly RawContainer[];
}
export interface Condition {
    readonly type: string;
    readonly status: string;
    readonly reason?: string;
    readonly message?: string;
}
interface Reference {
    readonly kind: string;
    readonly name: string;
    readonly uid: string;
}

export const statusOf = (object: KubernetesObject): Status => (object["status"] as Status | undefined) ?? {};
export const conditionsOf = (object: KubernetesObject): readonly Condition[] => statusOf(object).conditions ?? [];
export const ownersOf = ({ metadata }: KubernetesObject): readonly Reference[] =>
    (metadata["ownerReferences"] as readonly Reference[] | undefined) ?? [];
export const nodeOf = (pod: KubernetesObject): string | undefined =>
    (pod["spec"] as { readonly nodeName?: string } | undefined)?.nodeName;

/** Init containers first. */
export function containersOf(pod: KubernetesObject): readonly ContainerStatus[] {
    const { initContainerStatuses = [], containerStatuses = [] } = statusOf(pod);
    return [...initContainerStatuses, ...containerStatuses].map(({ name, restartCount, state, lastState }) => ({
        name,
        restarts: restartCount ?? 0,
        running: state?.running !== undefined,
        waiting: state?.waiting,
        terminated: state?.terminated,
        lastTerminated: lastState?.terminated,
    }));
}

export interface Happened {
    readonly count: number;
    readonly reason: string;
    readonly message?: string;
    readonly about: Reference;
}

export function eventOf(event: KubernetesObject): Happened {
    const { count, series, reason, message, involvedObject } = event as {
        readonly count?: number;
        readonly series?: { readonly count?: number };
        readonly reason?: string;
        readonly message?: string;
        readonly involvedObject?: Partial<Reference>;
    };
    const { kind = "", name = "", uid = "" } = involvedObject ?? {};
    return { count: series?.count ?? count ?? 1, reason: reason ?? "", message, about: { kind, name, uid } };
}
