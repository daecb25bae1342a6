/** The objects of the cluster that the stack's state records. */
import { isRecord } from "../config/values";

/** An object that the stack's state has. */
export interface RecordedObject {
    readonly urn: string;
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly fieldManager?: string;
    /** The fields that the stack last set. */
    readonly inputs: Readonly<Record<string, unknown>>;
}

/** Kubernetes versions of the stack's own EKS cluster, and its node group as the provider describes it. */
export interface RecordedEks {
    readonly controlPlane?: string | undefined;
    readonly nodes?: string | undefined;
    readonly nodeGroup?: Readonly<Record<string, unknown>>;
}

/** The state when this run began. */
export interface Recorded {
    readonly id: string | undefined;
    readonly objects: readonly RecordedObject[];
    readonly eks?: RecordedEks;
}

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/** @param outputs  by URN, as the engine's `pulumi:pulumi:readStackResourceOutputs` answers */
export function recordedOf(outputs: Readonly<Record<string, unknown>>): Recorded {
    let id: string | undefined;
    const objects: RecordedObject[] = [];
    const eks: { -readonly [Part in keyof RecordedEks]: RecordedEks[Part] } = {};
    for (const [urn, resource] of Object.entries(outputs)) {
        if (!isRecord(resource) || !isRecord(resource["outputs"])) continue;
        const { type, outputs: state } = resource;
        if (type === "random:index/randomUuid:RandomUuid" && urn.includes("orcheo:index:Ownership$"))
            id = textOf(state["result"]);
        if (type === "aws:eks/cluster:Cluster") eks.controlPlane = textOf(state["version"]);
        if (type === "aws:eks/nodeGroup:NodeGroup") {
            eks.nodes = textOf(state["version"]);
            eks.nodeGroup = state;
        }
        const metadata = isRecord(state["metadata"]) ? state["metadata"] : {};
        const [apiVersion, kind, name] = [state["apiVersion"], state["kind"], metadata["name"]].map(textOf);
        if (!textOf(type)?.startsWith("kubernetes:") || !apiVersion || !kind || !name) continue;
        objects.push({
            ...{ urn, apiVersion, kind, name },
            namespace: textOf(metadata["namespace"]),
            uid: textOf(metadata["uid"]),
            fieldManager: textOf(state["__fieldManager"]),
            inputs: isRecord(state["__inputs"]) ? state["__inputs"] : {},
        });
    }
    return { id, objects, ...(Object.keys(eks).length > 0 && { eks }) };
}
