/** Upgrades of the stack's own EKS cluster, from what the stack's state records. */
import { describe, expect, it } from "vitest";
import { recordedOf, type RecordedEks } from "../../../components/kubernetes/recorded.plan";
import { upgradeProblems } from "../../../components/preflight/eks-upgrade.plan";
import { parseStack } from "../../../components/stack/read";
import { everythingNew } from "../../aws-programs";
import { goodProbes, run } from "../../harness";

const given = everythingNew as { aws: { cluster: { nodes: object } } };

function settings(version: string, nodes: object = {}): object {
    const { aws } = given;
    return {
        ...given,
        aws: { ...aws, cluster: { ...aws.cluster, version, nodes: { ...aws.cluster.nodes, ...nodes } } },
    };
}

function problemsOf(deployed: RecordedEks, version: string, nodes?: object): string[] {
    const json = JSON.stringify(settings(version, nodes));
    const { sections, problems } = parseStack({ stack: "prod", keys: [], json, secret: false });
    expect(problems).toEqual([]);
    return upgradeProblems(sections, deployed).map(({ at, found, remedy }) => `${at}: ${found}; ${remedy}`);
}

const cluster = "orcheo:stack.aws.cluster.version";
const nodes = "orcheo:stack.aws.cluster.nodes.version";

describe("an upgrade of EKS", () => {
    it.each<[string, RecordedEks, string, object?]>([
        ["a new cluster", {}, "1.37"],
        ["no upgrade", { controlPlane: "1.37", nodes: "1.37" }, "1.37"],
        ["the next minor", { controlPlane: "1.36", nodes: "1.36" }, "1.37"],
        ["the control plane alone", { controlPlane: "1.36", nodes: "1.36" }, "1.37", { version: "1.36" }],
        ["then the nodes", { controlPlane: "1.37", nodes: "1.36" }, "1.37"],
        ["nodes three behind", { controlPlane: "1.36", nodes: "1.34" }, "1.37"],
        ["nodes three behind that stay", { controlPlane: "1.37", nodes: "1.34" }, "1.37", { version: "1.34" }],
        ["nodes four behind that follow", { controlPlane: "1.37", nodes: "1.33" }, "1.37"],
        ["Auto Mode, whose nodes follow by themselves", { controlPlane: "1.36" }, "1.37"],
    ])("%s is accepted", (_, deployed, version, more) => {
        expect(problemsOf(deployed, version, more)).toEqual([]);
    });

    it.each<[string, RecordedEks, string, object | undefined, string]>([
        [
            "two minors at once",
            { controlPlane: "1.35", nodes: "1.35" },
            "1.37",
            undefined,
            `${cluster}: found "1.37", and the cluster runs 1.35; accepted: "1.36", as EKS upgrades by one minor version at a time; then the next`,
        ],
        [
            "a step back",
            { controlPlane: "1.37", nodes: "1.36" },
            "1.36",
            undefined,
            `${cluster}: found "1.36", and the cluster runs 1.37; accepted: "1.37" or "1.38"`,
        ],
        [
            "nodes newer than the control plane",
            {},
            "1.36",
            { version: "1.37" },
            `${nodes}: found "1.37" with cluster.version "1.36"; accepted: from "1.33" to "1.36"`,
        ],
        [
            "nodes four behind",
            {},
            "1.37",
            { version: "1.33" },
            `${nodes}: found "1.33" with cluster.version "1.37"; accepted: from "1.34" to "1.37"`,
        ],
        [
            "a control plane four ahead of the nodes as they are",
            { controlPlane: "1.36", nodes: "1.33" },
            "1.37",
            undefined,
            `${cluster}: found "1.37", and the nodes run 1.33; accepted: "1.36" with nodes.version "1.36" first: nodes are at most 3 minor versions behind`,
        ],
        [
            "nodes that would go back",
            { controlPlane: "1.37", nodes: "1.37" },
            "1.37",
            { version: "1.36" },
            `${nodes}: found "1.36", and the nodes run 1.37; accepted: "1.37" or newer, up to cluster.version: a node group does not go back`,
        ],
    ])("%s is refused", (_, deployed, version, more, problem) => {
        expect(problemsOf(deployed, version, more)).toEqual([problem]);
    });

    it("the state tells which versions run", () => {
        const resource = (type: string, version: string) => ({ type, outputs: { version } });
        const state = {
            a: resource("aws:eks/cluster:Cluster", "1.36"),
            b: resource("aws:eks/nodeGroup:NodeGroup", "1.35"),
        };
        expect(recordedOf(state).eks).toEqual({ controlPlane: "1.36", nodes: "1.35", nodeGroup: { version: "1.35" } });
        expect(recordedOf({}).eks).toBeUndefined();
    });

    it("is refused in the preview, before anything is registered", async () => {
        const recorded = () => Promise.resolve({ id: undefined, objects: [], eks: { controlPlane: "1.35" } });
        const program = { stack: "prod", settings: settings("1.37"), probes: { ...goodProbes, recorded } } as const;
        const { error, resources } = await run(program, true);
        expect(error).toContain(`${cluster}: found "1.37", and the cluster runs 1.35`);
        expect(resources.filter(({ type }) => type.startsWith("aws:"))).toEqual([]);
    });
});
