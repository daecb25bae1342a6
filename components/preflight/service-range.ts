/** Private ranges that are those of the cluster's Services: policies see pods' addresses and never a Service's. */
import { within } from "../config/addresses";
import type { Problem } from "../config/problems";
import type { Sections } from "../config/schema";
import type { ClusterApi, KubernetesObject } from "../kubernetes/cluster-api";

function field(object: unknown, key: string): unknown {
    return typeof object === "object" && object !== null ? new Map(Object.entries(object)).get(key) : undefined;
}

const texts = (value: unknown): string[] =>
    Array.isArray(value) ? value.filter((each): each is string => typeof each === "string") : [];

const rangesOf = ({ spec }: KubernetesObject): string[] => texts(field(spec, "cidrs"));

/** Before Kubernetes 1.33 only the addresses of the API server's own Service are known. */
async function serviceRanges(cluster: ClusterApi): Promise<readonly string[]> {
    const listed = (await cluster.list("/apis/networking.k8s.io/v1/servicecidrs")).flatMap(rangesOf);
    if (listed.length > 0) return listed;
    const service = await cluster.get("/api/v1/namespaces/default/services/kubernetes");
    return texts(field(service?.spec, "clusterIPs")).map((address) => `${address}/${address.includes(":") ? 128 : 32}`);
}

export const serviceRangeCheck = {
    finds: "network.privateCidrs that are addresses of Services",
    async run({ network }: Partial<Sections>, cluster: ClusterApi): Promise<readonly Problem[]> {
        if (network === undefined || network.privateCidrs.length === 0) return [];
        const ranges = await serviceRanges(cluster);
        return network.privateCidrs.flatMap((cidr, index) => {
            const range = ranges.find((each) => within(cidr, each));
            if (range === undefined) return [];
            return [
                {
                    at: `orcheo:stack.network.privateCidrs[${index}]`,
                    found: `found "${cidr}", which lies in ${range}, the addresses of the cluster's Services: policies see those of pods, so it would open nothing`,
                    remedy: "accepted: network.peers with the namespace, labels and ports of the pods behind the Service",
                },
            ];
        });
    },
};
