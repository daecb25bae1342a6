import * as pulumi from "@pulumi/pulumi";
import type { ClusterApi } from "../kubernetes/cluster-api";
import { annotation, kinds, planUnfinished } from "./unfinished.plan";

/** Has every workload applied again whose last update was ended before its pods were ready. */
export async function reapplyUnfinished(cluster: ClusterApi, namespace: string): Promise<void> {
    const place = `/apis/apps/v1/namespaces/${namespace}`;
    const lists = await Promise.all(
        ["deployments", "statefulsets"].map((plural) => cluster.list(`${place}/${plural}`)),
    );
    const marks = planUnfinished(lists.flat());
    if (marks.size === 0) return;
    pulumi.runtime.registerStackTransformation(({ type, props, opts }) => {
        const kind = kinds[type];
        const metadata = (props as { metadata?: { name?: unknown; annotations?: object } }).metadata ?? {};
        const mark = typeof metadata.name === "string" ? marks.get(`${kind ?? ""} ${metadata.name}`) : undefined;
        if (mark === undefined) return undefined;
        const annotations = { ...metadata.annotations, [annotation]: mark };
        return { props: { ...props, metadata: { ...metadata, annotations } }, opts };
    });
}
