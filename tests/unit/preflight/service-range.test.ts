import { describe, expect, it } from "vitest";
import type { ClusterApi, KubernetesObject } from "../../../components/kubernetes/cluster-api";
import { parseStack } from "../../../components/stack/read";
import { serviceRangeCheck } from "../../../components/preflight/service-range";
import { clusterChecks } from "../../../components/preflight/cluster-checks";
import { settingsOf } from "../../harness";

const object = (name: string, spec: object): KubernetesObject => ({ metadata: { name }, spec });

/** A cluster that holds these objects. */
function clusterWith(objects: Readonly<Record<string, readonly KubernetesObject[]>>): ClusterApi {
    const get = (path: string) => Promise.resolve(objects[path]?.[0]);
    return {
        get,
        metadata: get,
        list: (path) => Promise.resolve(objects[path] ?? []),
        text: () => Promise.resolve(""),
    };
}
const ranges = {
    "/apis/networking.k8s.io/v1/servicecidrs": [object("kubernetes", { cidrs: ["10.96.0.0/16", "fd00:96::/112"] })],
};
const older = {
    "/api/v1/namespaces/default/services/kubernetes": [
        object("kubernetes", { clusterIPs: ["10.43.0.1", "fd00:43::1"] }),
    ],
};

async function found(cluster: ClusterApi, ...privateCidrs: string[]): Promise<string[]> {
    const json = JSON.stringify({ ...settingsOf("dev"), network: { privateCidrs } });
    const { sections } = parseStack({ stack: "dev", keys: [], json, secret: false });
    return (await serviceRangeCheck.run(sections, cluster)).map(({ at, found }) => `${at}: ${found}`);
}

describe("a private range that overlaps the cluster's Services", () => {
    it("is refused, as it would open nothing", async () => {
        expect(await found(clusterWith(ranges), "10.96.12.7/32", "fd00:96::7/128", "10.96.0.0/16")).toEqual([
            expect.stringMatching(
                /^orcheo:stack\.network\.privateCidrs\[0\]: found "10\.96\.12\.7\/32", which lies in 10\.96\.0\.0\/16/,
            ),
            expect.stringContaining('"fd00:96::7/128", which lies in fd00:96::/112'),
            expect.stringContaining('"10.96.0.0/16", which lies in 10.96.0.0/16'),
        ]);
    });

    it("is distinguished from other ranges, and from one that contains pods or machines", async () => {
        expect(await found(clusterWith(ranges), "10.0.0.0/8", "10.97.0.1/32", "192.168.0.0/16", "fd00::/8")).toEqual(
            [],
        );
        expect(await found(clusterWith({}), "10.96.12.7/32")).toEqual([]);
        expect(await found(clusterWith(ranges))).toEqual([]);
    });

    it("on clusters without ServiceCIDRs is known by the API server's address alone", async () => {
        expect(await found(clusterWith(older), "10.43.0.1/32", "fd00:43::1/128", "10.43.0.2/32")).toHaveLength(2);
    });

    it("is one of the preflight's checks", () => {
        expect(clusterChecks).toContain(serviceRangeCheck);
    });
});
