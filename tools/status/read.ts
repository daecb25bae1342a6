/** Reads everything that a status needs, side by side, and decides nothing. Each call has a time limit. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ClusterError, isClusterError, leavingOut, type Cluster, type KubernetesObject } from "../cluster.ts";
import { readAlerts, type AlertSource } from "./alerts.ts";
import { ask } from "./answer.ts";
import { endedBadly } from "./pods.plan.ts";
import { at, componentOf, condition, textAt, type Answer, type Inside, type Reading, type Tail } from "./reading.ts";
import { urlOf } from "./status.plan.ts";

export interface ReadOptions {
    readonly namespace: string;
    /** PEM text of further CAs that may have signed the URL's certificate. */
    readonly ca?: string;
    /** Address to connect to in place of the URL's host. */
    readonly address?: string;
    readonly alerts?: AlertSource;
    /** Of the command in a pod, which starts a Python. */
    readonly execTimeoutMs: number;
    readonly requestTimeoutMs: number;
}

/** All that the stack deploys has this label. */
export const ours = `labelSelector=${encodeURIComponent("app.kubernetes.io/name=orcheo")}`;
const tailLines = 40;
const mostTails = 8;
const addresses = ["/api/system/health", "/"];

/** @throws ClusterError when there is no answer to whether a stack is there */
export async function readStack(cluster: Cluster, options: ReadOptions): Promise<Reading> {
    const { api } = cluster;
    const { namespace } = options;
    const notRead: string[] = [];
    const place = `namespaces/${namespace}`;
    const optional = leavingOut(notRead);
    const list = (name: string, path: string): Promise<readonly KubernetesObject[]> =>
        optional(name, api.list(path), []);
    const [version, deployments, statefulSets, pods, jobs, cronJobs, certificates, claims, nodes] = await Promise.all([
        api.text("/version"),
        api.list(`/apis/apps/v1/${place}/deployments?${ours}`),
        api.list(`/apis/apps/v1/${place}/statefulsets?${ours}`),
        api.list(`/api/v1/${place}/pods?${ours}`),
        list("Jobs", `/apis/batch/v1/${place}/jobs`),
        list("CronJobs", `/apis/batch/v1/${place}/cronjobs?${ours}`),
        list("certificates", `/apis/cert-manager.io/v1/${place}/certificates`),
        list("volume claims", `/api/v1/${place}/persistentvolumeclaims`),
        list("nodes", "/api/v1/nodes"),
    ]);
    const workloads = [...deployments, ...statefulSets];
    if (workloads.length === 0)
        throw new ClusterError(
            `the namespace ${JSON.stringify(namespace)} of ${JSON.stringify(cluster.context)} holds no Orcheo: name another with --namespace or --context`,
        );
    const url = urlOf({ workloads });
    const [inside, answers, tails, alerts] = await Promise.all([
        askInside(cluster, pods, options).catch((error: unknown) => {
            if (!isClusterError(error)) throw error;
            notRead.push(`runs: ${error.message}`);
            return undefined;
        }),
        url === undefined ? [] : Promise.all(addresses.map((path) => answerOf(url, path, options))),
        readTails(cluster, namespace, { pods, jobs }),
        options.alerts === undefined
            ? undefined
            : optional(
                  "alerts",
                  readAlerts(options.alerts, { api, ca: options.ca, timeoutMs: options.requestTimeoutMs }),
                  undefined,
              ),
    ]);
    return {
        ...{ now: new Date().toISOString(), context: cluster.context, namespace, version: gitVersion(version) },
        ...{ workloads, pods, jobs, cronJobs, certificates, nodes, answers, tails, notRead },
        // Other claims of a shared namespace are someone else's.
        claims: claims.filter(({ metadata }) => ["postgres-data", "valkey-data"].includes(metadata.name)),
        ...(inside !== undefined && { inside }),
        ...(alerts !== undefined && { alerts }),
    };
}

function answerOf(url: string, path: string, { ca, address, requestTimeoutMs }: ReadOptions): Promise<Answer> {
    return ask(new URL(path, url), { ca, address, timeoutMs: requestTimeoutMs }).then((answer) => ({
        path,
        ...answer,
    }));
}

function gitVersion(text: string): string {
    try {
        return textAt(JSON.parse(text), "gitVersion") ?? "unknown";
    } catch {
        return "unknown";
    }
}

/** Of the pods that run, one that is ready; a worker, which serves nobody, is preferred. */
async function askInside(
    cluster: Cluster,
    pods: readonly KubernetesObject[],
    { namespace, execTimeoutMs }: ReadOptions,
): Promise<Inside> {
    const able = ["worker", "api", "beat"].flatMap((role) =>
        pods.filter((pod) => componentOf(pod) === role && textAt(pod, "status", "phase") === "Running"),
    );
    const pod = able.find((each) => at(condition(each, "Ready"), "status") === "True") ?? able[0];
    if (pod === undefined) throw new ClusterError("no pod of the worker or the API runs");
    const script = readFileSync(join(import.meta.dirname, "runs.py"), "utf8");
    const printed = await cluster.exec({
        ...{ namespace, pod: pod.metadata.name, container: componentOf(pod), timeoutMs: execTimeoutMs },
        words: ["/opt/orcheo/bin/python3", "-c", script],
    });
    const line = printed.trim().split("\n").at(-1) ?? "";
    try {
        return JSON.parse(line) as Inside;
    } catch {
        throw new ClusterError(`pod ${pod.metadata.name} answered something else: ${line.slice(0, 80)}`);
    }
}

async function readTails(
    { api }: Cluster,
    namespace: string,
    { pods, jobs }: Pick<Reading, "pods" | "jobs">,
): Promise<readonly Tail[]> {
    const latest = jobs
        .filter((job) => componentOf(job) === "backup")
        .map(({ metadata }) => metadata.name)
        .sort()
        .at(-1);
    const wanted = [
        ...endedBadly({ pods }),
        ...pods
            .filter(({ metadata }) => latest !== undefined && metadata.labels?.["job-name"] === latest)
            .map(({ metadata }) => ({ pod: metadata.name, container: "backup", previous: false })),
    ];
    const tails = wanted.slice(0, mostTails).map(async ({ pod, container, previous }): Promise<Tail> => {
        const path = `/api/v1/namespaces/${namespace}/pods/${pod}/log?container=${container}&tailLines=${tailLines}&limitBytes=65536`;
        const text = await api.text(previous ? `${path}&previous=true` : path).catch(() => "");
        return { pod, container, lines: text.split("\n").filter((line) => line.trim() !== "") };
    });
    return Promise.all(tails);
}
