/**
 * One cluster with 1, 10 and 50 stacks: how long a preview of one takes, and what the control plane needs. The other stacks
 * are copies of the first one's objects in namespaces of their own. Their pods exist and are never scheduled: everything
 * of the control plane is real, and nothing of the copies runs.
 */
import { inNode } from "../../local/cluster/node.ts";
import type { ClusterSpec } from "../../local/cluster/spec.ts";
import type { Report } from "../../local/report.ts";
import { median } from "../local/percentile.ts";

const SIZES = [1, 10, 50];
const PREVIEWS = 3;
/** Objects of some stacks at once: kubectl sends 50 requests a second. */
const COPIES_AT_ONCE = 5;
const SERVERS = ["kube-apiserver", "etcd", "kube-controller-manager", "kube-scheduler"];

export interface KubernetesObject {
    readonly apiVersion?: string;
    readonly kind: string;
    readonly metadata: { readonly name?: string; readonly namespace?: string };
}

export interface Growth {
    readonly spec: ClusterSpec;
    readonly report: Report;
    readonly namespace: string;
    readonly objects: readonly KubernetesObject[];
    readonly kubectl: (args: readonly string[], input?: string) => Promise<string>;
    /** Seconds of one preview. */
    readonly preview: () => Promise<number>;
}

/** @returns lines of a table. The copies stay: the cluster is deleted after this part. */
export async function measureGrowth(growth: Growth): Promise<readonly string[]> {
    const { spec, report, kubectl, preview, namespace, objects } = growth;
    const lines = [
        "",
        "## Stacks on one cluster (copies whose pods are never scheduled; median of three previews)",
        "",
        `| stacks | objects in etcd | preview s | ${SERVERS.map((name) => `${name} MiB`).join(" | ")} |`,
        `| --- | --- | --- | ${SERVERS.map(() => "---").join(" | ")} |`,
    ];
    let present = 1;
    for (const size of SIZES) {
        while (present < size) {
            const copies = Array.from({ length: Math.min(COPIES_AT_ONCE, size - present) }, (_, index) =>
                copyOf(objects, namespace, present + index),
            ).flat();
            present += copies.filter(({ kind }) => kind === "Namespace").length;
            await report.step(`stacks up to ${present}`, undefined, () => applyAll(kubectl, copies));
        }
        const seconds: number[] = [];
        for (let n = 0; n < PREVIEWS; n++)
            seconds.push(await report.step(`preview among ${size} stacks`, undefined, preview));
        const stored = objectsIn(await kubectl(["get", "--raw", "/metrics"]));
        const memory = await Promise.all(SERVERS.map((name) => residentMiB(spec, name)));
        lines.push(`| ${[size, stored, median(seconds).toFixed(1), ...memory].join(" | ")} |`);
    }
    return lines;
}

/** The objects of a stack as those of another one, in its own namespace and for its own host. */
export function copyOf(objects: readonly KubernetesObject[], namespace: string, number: number): KubernetesObject[] {
    const name = `${namespace}-${number}`;
    const within = namespace.replaceAll("-", "\\-");
    return objects.map((object) => {
        const text = JSON.stringify(object)
            .replace(new RegExp(`"(namespace|kubernetes\\.io/metadata\\.name)":"${within}"`, "g"), `"$1":"${name}"`)
            .replace(new RegExp(`"values":\\["${within}"\\]`, "g"), `"values":["${name}"]`)
            // Hosts, Services of the namespace, and the names of cluster-wide objects.
            .replace(new RegExp(`\\b${within}\\.localhost`, "g"), `${name}.localhost`)
            .replace(new RegExp(`\\.${within}\\.svc`, "g"), `.${name}.svc`)
            .replace(new RegExp(`"(name|policyName)":"${within}\\.`, "g"), `"$1":"${name}.`);
        const copy = JSON.parse(text) as KubernetesObject;
        return unscheduled(copy.kind === "Namespace" ? { ...copy, metadata: { ...copy.metadata, name } } : copy);
    });
}

/** With a scheduler that does not exist in every template of pods. */
function unscheduled(object: KubernetesObject): KubernetesObject {
    const text = JSON.stringify(object, (key, value: unknown) => {
        const template = key === "template" && typeof value === "object" && value !== null && "spec" in value;
        return template ? { ...value, spec: { ...(value.spec as object), schedulerName: "nobody" } } : value;
    });
    return JSON.parse(text) as KubernetesObject;
}

async function applyAll(kubectl: Growth["kubectl"], copies: readonly KubernetesObject[]): Promise<void> {
    const isNamespace = ({ kind }: KubernetesObject): boolean => kind === "Namespace";
    for (const items of [copies.filter(isNamespace), copies.filter((each) => !isNamespace(each))])
        await kubectl(["apply", "--server-side", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
}

/** The sum over all resources that the API server stores. */
export const objectsIn = (metrics: string): number =>
    [...metrics.matchAll(/^apiserver_(?:resource|storage)_objects\{[^}]*\} (\S+)$/gm)].reduce(
        (sum, [, value]) => sum + Math.max(0, Number(value)),
        0,
    );

async function residentMiB(spec: ClusterSpec, name: string): Promise<number> {
    const text = await inNode(spec, ["sh", "-c", `grep VmRSS /proc/$(pidof ${name})/status`]);
    return Math.round(Number(/(\d+) kB/.exec(text)?.[1]) / 1024);
}
