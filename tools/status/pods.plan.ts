/** Workloads and their pods: how many are wanted and ready, which wait, which restart and why. */
import { lastLines } from "../../components/watch/log-lines.plan.ts";
import type { KubernetesObject } from "../cluster.ts";
import { at, componentOf, condition, listAt, numberAt, secondsSince, textAt, type Reading } from "./reading.ts";

export interface Workload {
    readonly name: string;
    readonly wanted: number;
    readonly ready: number;
    /** An update is replacing its pods. */
    readonly updating: boolean;
    readonly image: string;
}

export interface Restart {
    readonly pod: string;
    readonly container: string;
    readonly count: number;
    /** Whether it waits now instead of running. */
    readonly waiting?: string;
    /** Whether its last end was an error. */
    readonly failed: boolean;
    /** Reason and exit code of its last end. */
    readonly last: string;
    /** ISO date and time of its last end. */
    readonly at?: string;
    readonly lines: readonly string[];
}

/** A restart so recent is reported as a warning even when everything runs again. */
const recentSeconds = 3600;
/** A new pod needs some time: only one that waits longer is a problem. */
const startSeconds = 300;
const shownLines = 3;

export function workloadsOf(reading: Reading): readonly Workload[] {
    return reading.workloads
        .map((object): Workload => {
            const wanted = numberAt(object, "spec", "replicas") ?? 1;
            const updated = numberAt(object, "status", "updatedReplicas") ?? 0;
            const generation = numberAt(object, "metadata", "generation");
            const observed = numberAt(object, "status", "observedGeneration");
            return {
                name: object.metadata.name,
                wanted,
                ready: numberAt(object, "status", "readyReplicas") ?? 0,
                updating: observed !== generation || updated < wanted,
                image: imageOf(textAt(object, "spec", "template", "spec", "containers", 0, "image") ?? ""),
            };
        })
        .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Registry, repository and tag, with the beginning of the digest. */
const imageOf = (image: string): string => image.replace(/@sha256:([0-9a-f]{12})[0-9a-f]*$/, "@$1");

interface Container {
    readonly name: string;
    readonly restarts: number;
    readonly state: unknown;
    readonly last: unknown;
}

function containersOf(pod: KubernetesObject): readonly Container[] {
    // An init container that has done its work is started again with its pod's node: no restart of interest.
    const inits = listAt(pod, "status", "initContainerStatuses").filter(
        (status) => numberAt(status, "state", "terminated", "exitCode") !== 0,
    );
    const statuses = [...inits, ...listAt(pod, "status", "containerStatuses")];
    return statuses.map((status) => ({
        name: textAt(status, "name") ?? "",
        restarts: numberAt(status, "restartCount") ?? 0,
        state: at(status, "state"),
        last: at(status, "lastState", "terminated"),
    }));
}

/** A container whose last end is to be explained. */
export interface Ended {
    readonly pod: string;
    readonly container: string;
    /** Whether its last words are in the log before the last start. */
    readonly previous: boolean;
}

/** Containers whose last end was an error. */
export function endedBadly({ pods }: Pick<Reading, "pods">): readonly Ended[] {
    return pods.flatMap((pod) =>
        containersOf(pod).flatMap(({ name, state, last }): Ended[] => {
            const failed = (numberAt(state, "terminated", "exitCode") ?? 0) !== 0;
            if (!failed && (numberAt(last, "exitCode") ?? 0) === 0) return [];
            return [{ pod: pod.metadata.name, container: name, previous: !failed }];
        }),
    );
}

/** Most restarts first. */
export function restartsOf(reading: Reading): readonly Restart[] {
    const all = reading.pods.flatMap((pod) =>
        containersOf(pod).flatMap(({ name, restarts, state, last }): Restart[] => {
            const failed = at(state, "terminated");
            const end = last ?? ((numberAt(failed, "exitCode") ?? 0) === 0 ? undefined : failed);
            if (restarts === 0 && end === undefined) return [];
            const lines = reading.tails.find(
                (tail) => tail.pod === pod.metadata.name && tail.container === name,
            )?.lines;
            return [
                {
                    pod: pod.metadata.name,
                    container: name,
                    count: restarts,
                    waiting: textAt(state, "waiting", "reason"),
                    failed: (numberAt(end, "exitCode") ?? 1) !== 0,
                    last: endOf(end),
                    at: textAt(end, "finishedAt"),
                    lines: lastLines((lines ?? []).join("\n")).slice(-shownLines),
                },
            ];
        }),
    );
    return all.sort((a, b) => b.count - a.count || (a.pod < b.pod ? -1 : 1));
}

/** Reason and exit code in words: "OOMKilled (exit code 137: it needed more memory than its limit)". */
function endOf(terminated: unknown): string {
    if (terminated === undefined) return "no reason is known";
    const code = numberAt(terminated, "exitCode") ?? 0;
    const reason = textAt(terminated, "reason") ?? "Error";
    const message = textAt(terminated, "message");
    const meaning =
        reason === "OOMKilled"
            ? ": it needed more memory than its limit"
            : code === 78
              ? ": its settings were refused, see its log"
              : code === 255 && reason === "Unknown"
                ? ": its node was restarted"
                : code > 128 && code < 160
                  ? `: ended by signal ${code - 128}`
                  : "";
    return `${reason} (exit code ${code}${meaning})${message === undefined ? "" : ` ${firstLine(message)}`}`;
}

const firstLine = (text: string): string => (text.trim().split("\n")[0] ?? "").slice(0, 200);

/** What the last pod of a Job said when it ended (images/backend/orcheo_runtime/last_words.py). */
function lastWordsOf({ pods }: Pick<Reading, "pods">, job: string): string | undefined {
    const ends = pods
        .filter(({ metadata }) => metadata.labels?.["job-name"] === job)
        .flatMap((pod) => listAt(pod, "status", "containerStatuses").map((each) => at(each, "state", "terminated")))
        .map((end) => ({ text: textAt(end, "message"), at: textAt(end, "finishedAt") ?? "" }))
        .filter(({ text }) => text !== undefined && text.trim() !== "")
        .sort((a, b) => (a.at < b.at ? -1 : 1));
    return ends.at(-1)?.text;
}

/** What the initialization did: of the newest Job that succeeded. */
export function initialized(reading: Pick<Reading, "jobs" | "pods">): string | undefined {
    const done = reading.jobs
        .filter((job) => componentOf(job) === "init" && at(condition(job, "Complete"), "status") === "True")
        .sort((a, b) =>
            (textAt(a, "metadata", "creationTimestamp") ?? "") < (textAt(b, "metadata", "creationTimestamp") ?? "")
                ? -1
                : 1,
        );
    return done.map(({ metadata }) => lastWordsOf(reading, metadata.name)).findLast((text) => text !== undefined);
}

/** Reasons of a waiting container that do not pass by themselves. */
const stuck = /BackOff|ErrImage|ImagePull|InvalidImage|CreateContainer|RunContainerError|ImageInspect|NeverPull/;

export interface Findings {
    readonly problems: readonly string[];
    readonly warnings: readonly string[];
}

export function podFindings(reading: Reading): Findings {
    const problems: string[] = [];
    const warnings: string[] = [];
    for (const { name, wanted, ready, updating } of workloadsOf(reading)) {
        if (wanted === 0) warnings.push(`${name} is scaled to 0 replicas`);
        else if (ready < wanted)
            problems.push(
                `${name}: ${ready} of ${wanted} replicas are ready${updating ? " (an update is under way)" : ""}`,
            );
        else if (updating) warnings.push(`${name}: an update is replacing its pods`);
    }
    for (const pod of reading.pods) {
        const { name } = pod.metadata;
        const age = secondsSince(textAt(pod, "metadata", "creationTimestamp"), reading.now) ?? 0;
        const unscheduled = condition(pod, "PodScheduled");
        if (at(unscheduled, "status") === "False")
            problems.push(`pod ${name} is pending: ${textAt(unscheduled, "message") ?? "no node takes it"}`);
        for (const { name: container, state } of containersOf(pod)) {
            const reason = textAt(state, "waiting", "reason");
            if (reason === undefined) continue;
            const message = textAt(state, "waiting", "message");
            const text = `container ${container} of pod ${name} waits: ${reason}${message === undefined ? "" : `, ${firstLine(message)}`}`;
            if (stuck.test(reason) || age > startSeconds) problems.push(text);
        }
        if (textAt(pod, "status", "reason") === "Evicted")
            warnings.push(`pod ${name} was evicted: ${textAt(pod, "status", "message") ?? "no reason is known"}`);
    }
    const recent = restartsOf(reading).filter(
        ({ count, at: time }) => count > 0 && (secondsSince(time, reading.now) ?? recentSeconds) < recentSeconds,
    );
    for (const { pod, container, last, failed } of recent)
        if (failed) warnings.push(`${container} in pod ${pod} was restarted in the last hour: ${last}`);
    const clean = recent.filter(({ failed }) => !failed).length;
    if (clean > 0)
        warnings.push(
            `${clean} container${clean > 1 ? "s were" : " was"} restarted in the last hour after a clean end, as by a restart of the node`,
        );
    for (const job of reading.jobs) {
        if (componentOf(job) !== "init") continue;
        const failed = condition(job, "Failed");
        if (at(failed, "status") !== "True") continue;
        const why = lastWordsOf(reading, job.metadata.name) ?? textAt(failed, "message") ?? "";
        problems.push(`the initialization Job ${job.metadata.name} failed: ${firstLine(why)}`);
    }
    for (const claim of reading.claims) {
        const phase = textAt(claim, "status", "phase") ?? "Pending";
        if (phase !== "Bound") problems.push(`the volume claim ${claim.metadata.name} is ${phase}`);
    }
    return { problems, warnings: [...warnings, ...nodeWarnings(reading)] };
}

function nodeWarnings({ nodes, pods }: Reading): readonly string[] {
    const used = new Set(pods.map((pod) => textAt(pod, "spec", "nodeName")));
    return nodes
        .filter(({ metadata }) => used.has(metadata.name))
        .flatMap((node) =>
            listAt(node, "status", "conditions").flatMap((each) => {
                const [type = "", status] = [textAt(each, "type"), textAt(each, "status")];
                const wrong = type === "Ready" ? status !== "True" : type.endsWith("Pressure") && status === "True";
                if (!wrong) return [];
                const name = type === "Ready" ? "not Ready" : type;
                return [`node ${node.metadata.name}: ${name} (${textAt(each, "message") ?? ""})`];
            }),
        );
}
