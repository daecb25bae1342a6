/** Connections that the stack's processes keep to PostgreSQL at its peak. */
import { poolerOf, type Pooled } from "./kinds";
import type { api, worker } from "./schema.apps";
import type { z } from "zod";

/** Pods of a Deployment at most while it is updated: those that still stop count. */
export const apiPodsAtPeak = ({ scaling }: Pick<z.output<typeof api>, "scaling">): number => scaling.maxReplicas + 2;
/** All of them replaced while the old ones let their clients leave. */
export const poolerPodsAtPeak = ({ replicas }: { readonly replicas: number }): number => replicas * 2;
export const workerPodsAtPeak = ({ replicas }: Pick<z.output<typeof worker>, "replicas">): number => replicas * 2 + 1;

/**
 * Pools of one process, as the releases open them: each keeps one connection from its first use on (`min_size=1`), and
 * grows under load. 0.33 opens two more for each run and closes them with it: four connections of the checkpointer
 * (psycopg_pool's own `min_size=4`, which no setting reaches) and one of LangGraph's store. 0.46 keeps these two pools,
 * with one connection each for one run.
 *
 * Read in orcheo 0.33.1 and orcheo-backend 0.29.2: workflows, history, agentensor checkpoints (app/providers.py), vault
 * (orcheo/vault/postgres.py), ChatKit (app/chatkit/server.py), service tokens (app/authentication/dependencies.py);
 * orcheo/persistence.py for the two of a run; a worker's process uses workflows, history and vault (worker/tasks.py).
 * In orcheo 0.46.1 and orcheo-backend 0.39.0: the same, plugins (app/plugin_installation_store.py), the shared pool of
 * workspaces and identities (orcheo/postgres_pools.py), and four of hosted apps (orcheo/hosted_apps).
 */
const pools = {
    "0.33": { api: 6, workerProcess: 3, run: 4 + 1 },
    "0.46": { api: 6 + 1 + 1 + 4, workerProcess: 3, run: 1 + 1 },
} as const;

/**
 * `ORCHEO_POSTGRES_POOL_MAX_SIZE` where `api.extraEnv` does not set it (orcheo/config/defaults.py, both releases). The pool
 * of service tokens always has this size; every request that carries one uses it.
 */
const leastPoolSize = 10;

/** The lease of the runs that a process executes (images/backend/orcheo_runtime/heartbeat.py). */
const lease = 1;
/** A probe connects anew (orcheo_runtime/dependencies.py). */
const probe = 1;
/** Each worker's reconciler looks for lost runs, or tries to get the lock (orcheo_runtime/reconciler.py). */
const reconciler = 1;
/** The worker that holds the lock: its search, and the process that settles what was found with Orcheo's own stores. */
const settling = 1 + 3;
/** `superuser_reserved_connections`, which PostgreSQL keeps from everybody else. */
const superusers = 3;
/** psql, or a database tool, of the people who run the stack. */
const people = 3;

export interface Connections {
    /** Such as `api 6 x 22`: pods at the peak, old ones that still stop included, and connections of each. */
    readonly parts: readonly string[];
    readonly total: number;
}

export interface ClientSettings {
    readonly release: keyof typeof pools;
    readonly api: Pick<z.output<typeof api>, "extraEnv" | "scaling">;
    readonly worker: Pick<z.output<typeof worker>, "concurrency" | "replicas">;
}
export interface ConnectionSettings extends ClientSettings, Pooled {}

interface Part {
    readonly name: string;
    readonly pods: number;
    readonly each: number;
}

/**
 * The autoscaler at its maximum, in the middle of a rollout. An API process has all of its pools
 * open, one of them at its full size (that of the store which slow requests wait for), and one run; a worker's process
 * has its pools and one run. Measured on 0.33 with 64 callers: 15 of an API's 22, and 16 to 19 of the 20 of a worker with
 * two processes (docs/performance.md).
 */
function clients({ release, ...settings }: ClientSettings): readonly Part[] {
    const { api, workerProcess, run } = pools[release];
    const process = workerProcess + run + lease;
    return [
        {
            name: "api",
            pods: apiPodsAtPeak(settings.api),
            each: api + (poolSize(settings.api.extraEnv) - 1) + run + lease + probe,
        },
        {
            name: "worker",
            pods: workerPodsAtPeak(settings.worker),
            each: process * settings.worker.concurrency + reconciler + probe,
        },
        { name: "beat", pods: 1, each: probe },
        // It holds its lock meanwhile. Only one of them runs.
        { name: "init", pods: 1, each: 1 + api + run },
        { name: "lost runs", pods: 1, each: settling },
    ];
}

/** Those that never pass through a pooler. */
const others: readonly Part[] = [
    // One of each that is scheduled, and one started by hand.
    { name: "backup", pods: 1, each: 2 },
    { name: "superusers", pods: 1, each: superusers },
    { name: "people", pods: 1, each: people },
];

const total = (parts: readonly Part[]): number => parts.reduce((sum, { pods, each }) => sum + pods * each, 0);

/** Connections of Orcheo's own pods at the peak, to PostgreSQL or to a pooler. */
export const clientsAtPeak = (settings: ClientSettings): number => total(clients(settings));

/** Connections to PostgreSQL at the peak: those of Orcheo's own pods, or the pooler's, which are bounded by its settings. */
export function connectionsAtPeak(settings: ConnectionSettings): Connections {
    const pooler = poolerOf(settings);
    // While pods change from one to the other, each counts once: through a pooler it takes at most as many.
    const own =
        pooler?.used === true
            ? [{ name: "pooler", pods: poolerPodsAtPeak(pooler), each: pooler.connectionsPerReplica }]
            : clients(settings);
    const all = [...own, ...others];
    return {
        parts: all.map(({ name, pods, each }) => `${name} ${pods > 1 ? `${pods} x ` : ""}${each}`),
        total: total(all),
    };
}

/** Size of the largest pool. A value that Orcheo refuses is reported elsewhere. */
function poolSize(extraEnv: Readonly<Record<string, string>>): number {
    const size = Number(extraEnv["ORCHEO_POSTGRES_POOL_MAX_SIZE"]);
    return Number.isInteger(size) ? Math.max(size, leastPoolSize) : leastPoolSize;
}

/** MiB that PostgreSQL needs for so many connections: a quarter is shared buffers, each connection takes 1.5 of the rest. */
export const memoryForConnections = (connections: number): number => Math.ceil((connections * 1.5) / 0.75);
/** Its opposite. */
export const connectionsFor = (memoryMiB: number): number => Math.floor((memoryMiB * 0.75) / 1.5);
