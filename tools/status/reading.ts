/** What was read of a stack: the input of every decision about its state. */
import type { KubernetesObject } from "../cluster.ts";

/** Counts from Orcheo's own database and queue (runs.py). */
export interface Runs {
    readonly waiting: number;
    readonly running: number;
    readonly failedLastHour: number;
    readonly succeededLastHour: number;
    /** Of these, what the reconciler ended, restarted or sent again. */
    readonly settledLastHour?: number;
    readonly oldestWaitingSeconds: number | null;
}

interface Refused {
    /** Type of the exception. */
    readonly error: string;
}

/** What runs.py prints. */
export interface Inside {
    readonly release: string | null;
    readonly packages: Readonly<Record<string, string | null>>;
    /** An empty object before the tables have been made. */
    readonly runs: Runs | Refused | Record<string, never>;
    readonly queued: number | Refused;
}

/** Answer of one address of the entrance. */
export interface Answer {
    readonly path: string;
    /** HTTP status. */
    readonly status?: number;
    /** Why there is no status. */
    readonly error?: string;
    /** Whether a known CA has signed the certificate, which is for this host and has not expired. */
    readonly verified?: boolean;
    /** ISO date and time at which the served certificate expires. */
    readonly certificateEnds?: string;
}

/** Last lines of a container's log. */
export interface Tail {
    readonly pod: string;
    readonly container: string;
    readonly lines: readonly string[];
}

export interface Reading {
    /** ISO date and time. */
    readonly now: string;
    readonly context: string;
    readonly namespace: string;
    /** What the API server says of itself at /version. */
    readonly version: string;
    readonly workloads: readonly KubernetesObject[];
    readonly pods: readonly KubernetesObject[];
    readonly jobs: readonly KubernetesObject[];
    readonly cronJobs: readonly KubernetesObject[];
    readonly certificates: readonly KubernetesObject[];
    readonly claims: readonly KubernetesObject[];
    readonly nodes: readonly KubernetesObject[];
    readonly answers: readonly Answer[];
    /** Undefined when no pod could be asked. */
    readonly inside?: Inside;
    /** Logs of containers that have ended badly, and of the last backup. */
    readonly tails: readonly Tail[];
    /** Answer of the server of alerts; undefined when none was named, or did not answer. */
    readonly alerts?: unknown;
    /** What could not be read, and why. */
    readonly notRead: readonly string[];
}

/** Value at a path of an object whose shape depends on its kind. */
export const at = (value: unknown, ...path: readonly (string | number)[]): unknown =>
    path.reduce<unknown>(
        (here, key) =>
            typeof here === "object" && here !== null ? (here as Record<string | number, unknown>)[key] : undefined,
        value,
    );

export const textAt = (value: unknown, ...path: readonly (string | number)[]): string | undefined => {
    const found = at(value, ...path);
    return typeof found === "string" ? found : undefined;
};

export const numberAt = (value: unknown, ...path: readonly (string | number)[]): number | undefined => {
    const found = at(value, ...path);
    return typeof found === "number" ? found : undefined;
};

export const listAt = (value: unknown, ...path: readonly (string | number)[]): readonly unknown[] => {
    const found = at(value, ...path);
    return Array.isArray(found) ? (found as unknown[]) : [];
};

export const condition = (object: KubernetesObject, type: string): unknown =>
    listAt(object, "status", "conditions").find((each) => at(each, "type") === type);

export const componentOf = ({ metadata }: KubernetesObject): string =>
    metadata.labels?.["app.kubernetes.io/component"] ?? "";

const secondsBetween = (from: string, to: string): number => Math.round((Date.parse(to) - Date.parse(from)) / 1000);

/** Seconds since a time of an object; undefined when it has none. */
export const secondsSince = (time: string | undefined, now: string): number | undefined =>
    time === undefined || Number.isNaN(Date.parse(time)) ? undefined : secondsBetween(time, now);

export function duration(seconds: number): string {
    if (seconds < 120) return `${seconds} s`;
    if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
    return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}
