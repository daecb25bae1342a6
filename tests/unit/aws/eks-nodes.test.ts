/** How many nodes the managed node group is asked for: an autoscaler owns their number. */
import { describe, expect, it } from "vitest";
import { planNodeCount, resizedGroup, type OwnCluster } from "../../../components/aws/eks.plan";
import { recordedOf } from "../../../components/kubernetes/recorded.plan";
import { everythingNew } from "../../aws-programs";
import { goodProbes, run } from "../../harness";

type Managed = Extract<OwnCluster["nodes"], { kind: "managed" }>;

const settings: Managed = {
    kind: "managed",
    architecture: "arm64",
    instanceTypes: ["m7g.large", "m6g.large"],
    minNodes: 3,
    maxNodes: 6,
    diskGiB: 100,
    autoscaler: "none",
};
const names = { clusterName: "orcheo-prod", nodeGroupName: "aws-eks-nodes-0123456" };
const deployed = {
    ...names,
    amiType: "AL2023_ARM_64_STANDARD",
    instanceTypes: ["m7g.large", "m6g.large"],
    scalingConfig: { minSize: 3, maxSize: 6, desiredSize: 5 },
    version: "1.37",
};

describe("the number of nodes is sent", () => {
    it.each<[string, Partial<Managed>]>([
        ["another minimum", { minNodes: 4 }],
        ["another maximum", { maxNodes: 8 }],
        ["a new group of other instances", { instanceTypes: ["m7g.xlarge"] }],
        ["a new group of another architecture", { architecture: "amd64" }],
    ])("with %s", (_, change) => {
        expect(resizedGroup({ ...settings, ...change }, deployed)).toEqual(names);
    });

    it.each<[string, Partial<Managed>, object | undefined]>([
        ["nothing", {}, deployed],
        ["another disk", { diskGiB: 200 }, deployed],
        ["another version", { version: "1.36" }, deployed],
        ["the first group", { minNodes: 4 }, undefined],
    ])("not with %s", (_, change, state) => {
        expect(resizedGroup({ ...settings, ...change }, state as Readonly<Record<string, unknown>> | undefined)).toBe(
            undefined,
        );
    });

    it.each([
        ["as it is", 5, 5],
        ["at least the minimum, which EKS asks for", 2, 3],
        ["at most the maximum", 9, 6],
        ["the minimum, of a new group", undefined, 3],
    ])("%s", (_, running, wanted) => {
        expect(planNodeCount(settings, running)).toBe(wanted);
    });
});

it("in the program, a change of the limits sends what AWS has now, and not the state's number", async () => {
    const { aws } = everythingNew as { aws: { cluster: { nodes: { instanceTypes: string[] } } } };
    const { instanceTypes } = aws.cluster.nodes;
    const state = { node: { type: "aws:eks/nodeGroup:NodeGroup", outputs: { ...deployed, instanceTypes } } };
    const recorded = () => Promise.resolve(recordedOf(state));
    const nodes = { ...aws.cluster.nodes, minNodes: 4, maxNodes: 9 };
    const settings = { ...everythingNew, aws: { ...aws, cluster: { ...aws.cluster, nodes } } };
    const { error, resources } = await run({ stack: "prod", settings, probes: { ...goodProbes, recorded } }, true);
    expect(error).toBeUndefined();
    const group = resources.find(({ type }) => type.endsWith(":NodeGroup"));
    // tests/aws-mocks.ts: an autoscaler has raised it to 7.
    expect(group?.inputs["scalingConfig"]).toEqual({ minSize: 4, maxSize: 9, desiredSize: 7 });
    expect(group?.options.ignored).toEqual([]);
}, 180_000);
