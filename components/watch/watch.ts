/**
 * Watches the namespace while an update waits for its pods: says within seconds why one does not start, and ends the
 * update when waiting cannot help. Pulumi's provider itself would wait for its timeout.
 *
 * An update that is good is never held up or failed by it: whatever it cannot read, it is silent about.
 */
import * as pulumi from "@pulumi/pulumi";
import { madeByAws } from "../config/kinds";
import type { Stack } from "../config/schema";
import type { ClusterApi, KubernetesObject } from "../kubernetes/cluster-api";
import { nodeOf } from "../kubernetes/pod-status";
import { machine, type Probes } from "../machine";
import { engineProcess } from "./engine-process";
import { lastLines } from "./log-lines.plan";
import { reapplyUnfinished } from "./unfinished";
import { unready } from "./unfinished.plan";
import { baselineOf, findingsOf, type Baseline, type Finding, type Snapshot } from "./watch.plan";

const pauseMs = 2000;
/** The baseline is read before the first resource is registered; a slow cluster does not hold the update up. */
const beginMs = 5000;
/** A namespace's pods are on few nodes; a node is a large object. */
const mostNodes = 20;
const serverMs = 600_000;
const runbook = "docs/runbooks/failed-start.md";

export interface Say {
    warn(message: string): Promise<void>;
    error(message: string): Promise<void>;
}

export interface Watch {
    /** The URL, once the servers of the namespace serve: an update is not over before. */
    served(url: string, servers: readonly pulumi.Resource[]): pulumi.Input<string>;
}

type WatchSettings = Pick<Stack, "aws" | "cache" | "database" | "kubernetes">;

/**
 * Starts watching an update and returns. Operations that the last update left unfinished are applied again, which previews show too.
 * Does nothing where the cluster is yet to be made.
 */
export async function watchUpdate(stack: WatchSettings, probes: Pick<Probes, "cluster"> = machine): Promise<Watch> {
    const blind: Watch = { served: (url) => url };
    if (!pulumi.runtime.hasEngine() || madeByAws(stack)) return blind;
    const { namespace } = stack.kubernetes;
    const begin = async (): Promise<Watch> => {
        const cluster = await probes.cluster(stack.kubernetes);
        const reapplied = reapplyUnfinished(cluster, namespace).catch(() => undefined);
        if (pulumi.runtime.isDryRun()) return reapplied.then(() => blind);
        const step = watcher({ cluster, namespace, say: pulumi.log, interrupt });
        await Promise.all([reapplied, step()]);
        repeat(step);
        return {
            served: (url, servers) =>
                pulumi.all(servers.map(({ urn }) => urn)).apply(async () => {
                    await serving(cluster, stack);
                    return url;
                }),
        };
    };
    // What cannot be read is no reason to fail.
    return Promise.race([begin().catch(() => blind), wait(beginMs).then(() => blind)]);
}

/** @throws when a server is still not ready after as long as Pulumi's provider would wait */
async function serving(
    cluster: ClusterApi,
    { kubernetes, database, cache }: Pick<Stack, "kubernetes" | "database" | "cache">,
): Promise<void> {
    const own = new Set([database.kind === "statefulset" && "postgres", cache.kind === "valkey" && "valkey"]);
    const path = `/apis/apps/v1/namespaces/${kubernetes.namespace}/statefulsets`;
    for (const end = Date.now() + serverMs; ;) {
        const servers = await cluster.list(path).catch(() => []);
        const late = unready(servers.filter(({ metadata }) => own.has(metadata.name)));
        if (late.length === 0) return;
        if (Date.now() > end)
            throw new pulumi.RunError(`not ready after 10 minutes: ${late.join(", ")}; see ${runbook}`);
        // Not unref'd: the update is not over before.
        await new Promise((done) => setTimeout(done, pauseMs));
    }
}

/** Neither the timer nor an idle connection keeps the program from its end. */
function repeat(step: () => Promise<boolean>): void {
    setTimeout(() => {
        void step().then((goOn) => {
            if (goOn) repeat(step);
        });
    }, pauseMs).unref();
}

const wait = (milliseconds: number): Promise<void> =>
    new Promise((done) => {
        setTimeout(done, milliseconds).unref();
    });

/** Like Ctrl-C: the engine cancels pending operations, writes the state and exits. @returns the function that does so, if possible */
function interrupt(): (() => void) | undefined {
    const pid = engineProcess();
    return pid === undefined ? undefined : () => process.kill(pid, "SIGINT");
}

export interface Watched {
    readonly cluster: ClusterApi;
    readonly namespace: string;
    readonly say: Say;
    readonly interrupt: () => (() => void) | undefined;
    readonly now?: () => number;
    /** Waits before the second check, whose findings complete the last message. */
    readonly pause?: () => Promise<void>;
}

/** @returns a function that checks the cluster once and returns whether to continue. The first successful check is the baseline. */
export function watcher({
    cluster,
    namespace,
    say,
    interrupt,
    now = Date.now,
    pause = () => wait(pauseMs),
}: Watched): () => Promise<boolean> {
    let before: Baseline | undefined;
    let since = new Map<string, number>();
    const told = new Set<string>();

    /** Problems that have lasted long enough and were not reported yet. */
    const due = (findings: readonly Finding[]): readonly Finding[] => {
        const time = now();
        since = new Map(findings.map(({ key }) => [key, since.get(key) ?? time]));
        const lasting = ({ key, afterSeconds }: Finding) => time - (since.get(key) ?? time) >= afterSeconds * 1000;
        return findings.filter((finding) => !told.has(finding.key) && lasting(finding));
    };
    const withLog = async ({ text, log }: Finding): Promise<string> => {
        const lines = log === undefined ? [] : lastLines(await logOf(cluster, namespace, log));
        return lines.length === 0 ? text : `${text} Its last lines:\n${lines.map((line) => `    ${line}`).join("\n")}`;
    };

    return async () => {
        try {
            const snapshot = await read(cluster, namespace);
            before ??= baselineOf(snapshot);
            const findings = findingsOf(before, snapshot);
            const found = due(findings);
            const fatal = found.some((finding) => finding.fatal === true);
            if (!fatal) {
                for (const finding of found) {
                    told.add(finding.key);
                    await say.warn(await withLog(finding));
                }
                return true;
            }
            // The last word of this update: findings that have not lasted long enough, or show a moment later, would never be reported.
            const unreported = findings.filter(({ key }) => !told.has(key));
            // Reads logs before the pause: a container that restarts during it starts a new log.
            const texts = await Promise.all(unreported.map(withLog));
            await pause();
            const reported = new Set([...told, ...unreported.map(({ key }) => key)]);
            const later = findingsOf(before, await read(cluster, namespace)).filter(({ key }) => !reported.has(key));
            texts.push(...(await Promise.all(later.map(withLog))));
            const end = interrupt();
            const next =
                end === undefined
                    ? "Waiting cannot help: end this update with Ctrl-C."
                    : "Waiting cannot help: this update ends now, as with Ctrl-C.";
            const remedy = `What ran before keeps running. Correct the setting, then run the same command again; ${runbook} has the next steps.`;
            await say.error([...texts, `${next} ${remedy}`].join("\n"));
            end?.();
            return false;
        } catch {
            return true;
        }
    };
}

async function read(cluster: ClusterApi, namespace: string): Promise<Snapshot> {
    const place = `/api/v1/namespaces/${namespace}`;
    const [pods, events, servers] = await Promise.all([
        cluster.list(`${place}/pods`),
        cluster.list(`${place}/events?fieldSelector=type%3DWarning`),
        cluster.list(`/apis/apps/v1/namespaces/${namespace}/statefulsets`),
    ]);
    const names = new Set(pods.flatMap((pod) => nodeOf(pod) ?? []));
    // A role that deploys into one namespace may not be allowed to read nodes.
    const node = (name: string): Promise<KubernetesObject | undefined> =>
        cluster.get(`/api/v1/nodes/${name}`).catch(() => undefined);
    const nodes = await Promise.all([...names].slice(0, mostNodes).map(node));
    return { pods, events, servers, nodes: nodes.filter((each) => each !== undefined) };
}

/** The previous log when the current one is empty: the kubelet may have restarted the container before the status shows it. */
async function logOf(cluster: ClusterApi, namespace: string, log: NonNullable<Finding["log"]>): Promise<string> {
    const path = `/api/v1/namespaces/${namespace}/pods/${log.pod}/log?container=${log.container}&tailLines=40&limitBytes=65536`;
    const text = (address: string): Promise<string> => cluster.text(address).catch(() => "");
    const [first, second] = log.previous ? [`${path}&previous=true`, path] : [path, `${path}&previous=true`];
    const found = await text(first);
    return found.trim() === "" ? text(second) : found;
}
