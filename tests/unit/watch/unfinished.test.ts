import { describe, expect, it } from "vitest";
import { planUnfinished, unready } from "../../../components/watch/unfinished.plan";

type Fields = Record<string, unknown>;
const deployment = (name: string, reason: string, more: Fields = {}, status: Fields = {}) => ({
    kind: "Deployment",
    metadata: { name, generation: 3, ...more },
    spec: { replicas: 2 },
    status: {
        observedGeneration: 3,
        readyReplicas: 2,
        conditions: [{ type: "Progressing", status: "True", reason }],
        ...status,
    },
});
const statefulSet = (status: Fields) => ({
    kind: "StatefulSet",
    metadata: { name: "postgres", generation: 3 },
    spec: { replicas: 1 },
    status: { observedGeneration: 3, currentRevision: "postgres-1", updateRevision: "postgres-1", ...status },
});

describe("an update that was interrupted", () => {
    it("is applied again: its workloads get an annotation that the state does not have", () => {
        for (const reason of ["ReplicaSetUpdated", "NewReplicaSetCreated", "ProgressDeadlineExceeded"])
            expect([...planUnfinished([deployment("api", reason)])]).toEqual([["Deployment api", "3"]]);
        // The controller has not even seen it.
        const unseen = deployment("api", "NewReplicaSetAvailable", {}, { observedGeneration: 2 });
        expect([...planUnfinished([unseen])]).toEqual([["Deployment api", "3"]]);
        const set = statefulSet({ updateRevision: "postgres-2" });
        expect([...planUnfinished([set])]).toEqual([["StatefulSet postgres", "3"]]);
    });

    it("is over once its pods were ready; pods that are lost later are no unfinished update", () => {
        const lost = deployment("api", "NewReplicaSetAvailable", {}, { readyReplicas: 0, unavailableReplicas: 2 });
        expect([...planUnfinished([lost, statefulSet({ readyReplicas: 0 })])]).toEqual([]);
    });

    it("leaves its annotation, whose removal would be one more change", () => {
        const annotations = { "orcheo/unfinished-generation": "2" };
        const over = deployment("api", "NewReplicaSetAvailable", { annotations });
        expect([...planUnfinished([over])]).toEqual([["Deployment api", "2"]]);
        const again = deployment("api", "ReplicaSetUpdated", { annotations });
        expect([...planUnfinished([again])]).toEqual([["Deployment api", "3"]]);
    });
});

it("a server serves once the update has replaced its pods, and they are ready", () => {
    expect(unready([statefulSet({ readyReplicas: 1 })])).toEqual([]);
    for (const late of [
        { readyReplicas: 0 },
        {},
        { readyReplicas: 1, updateRevision: "postgres-2" },
        { readyReplicas: 1, observedGeneration: 2 },
    ])
        expect(unready([statefulSet(late)])).toEqual(["StatefulSet postgres"]);
});
