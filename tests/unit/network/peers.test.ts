/** Pods of the cluster that workflows may reach. */
import { describe, expect, it } from "vitest";
import { parseStack } from "../../../components/stack/read";
import { planNetworkPolicies } from "../../../components/network/network.plan";
import { settingsOf } from "../../harness";

function parsed(network: object) {
    return parseStack({
        stack: "dev",
        keys: [],
        json: JSON.stringify({ ...settingsOf("dev"), network }),
        secret: false,
    });
}
const llm = { namespace: "models", podLabels: { app: "vllm" }, ports: [8000, 8001] };

describe("network.peers", () => {
    it("lets API and worker reach these pods by these ports, and nobody else", () => {
        const { stack, problems } = parsed({ peers: [llm] });
        expect(problems).toEqual([]);
        if (stack === undefined) throw new Error("no stack");
        const policies = planNetworkPolicies(stack);
        expect(policies["peers-out"]).toEqual({
            podSelector: {
                matchExpressions: [{ key: "app.kubernetes.io/component", operator: "In", values: ["api", "worker"] }],
            },
            policyTypes: ["Egress"],
            egress: [
                {
                    to: [
                        {
                            namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "models" } },
                            podSelector: { matchLabels: { app: "vllm" } },
                        },
                    ],
                    ports: [
                        { port: 8000, protocol: "TCP" },
                        { port: 8001, protocol: "TCP" },
                    ],
                },
            ],
        });
        expect(JSON.stringify({ ...policies, "peers-out": undefined })).not.toContain("models");
    });

    it("makes no policy where there are none", () => {
        const { stack } = parsed({});
        expect(stack && Object.keys(planNetworkPolicies(stack))).not.toContain("peers-out");
    });

    it.each([
        [{ ...llm, podLabels: {} }, "peers[0].podLabels", "at least one label"],
        [{ ...llm, ports: [] }, "peers[0].ports", "at least one port"],
        [{ ...llm, ports: [0] }, "peers[0].ports[0]", "a whole number from 1 to 65535"],
        [{ ...llm, namespace: "Models" }, "peers[0].namespace", "lower-case letters"],
        [{ ...llm, service: "x" }, "peers[0].service", "accepted here: namespace, podLabels, ports"],
    ])("%j is refused", (peer, key, remedy) => {
        const { problems } = parsed({ peers: [peer] });
        expect(problems.map(({ at }) => at)).toEqual([`orcheo:stack.network.${key}`]);
        expect(problems[0]?.remedy).toContain(remedy);
    });
});
