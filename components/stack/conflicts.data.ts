/** A database that would run out of connections when the stack is at its peak, and what a pooler needs. */
import { poolerOf } from "../config/kinds";
import { connectionsAtPeak, connectionsFor, memoryForConnections } from "../config/connections";
import type { Problem } from "../config/problems";
import type { Stack } from "../config/schema";
import { readServerUrl } from "../config/server-urls";
import { rdsConnections } from "../database/database.plan";

interface Granted {
    /** Key that decides about the connections. */
    readonly key: string;
    readonly found: string;
    readonly connections: number;
    readonly accepted: (need: number) => string;
}

/** Undefined when neither the settings nor the class tell. */
function grantedBy({ database }: Pick<Stack, "database">): Granted | undefined {
    switch (database.kind) {
        case "statefulset": {
            const { memoryMiB, maxConnections: connections } = database;
            const most = connectionsFor(memoryMiB);
            // The default of maxConnections is the need, even where the memory that was written does not hold it.
            if (most < connections)
                return {
                    key: "memoryMiB",
                    found: `${memoryMiB}, which holds ${most} connections`,
                    connections: most,
                    accepted: (need) => `at least ${memoryForConnections(need)} for ${need}`,
                };
            const accepted = (need: number) =>
                `at least ${need}${most < need ? ` with memoryMiB at least ${memoryForConnections(need)}` : ""}`;
            return { key: "maxConnections", found: String(connections), connections, accepted };
        }
        case "external": {
            const { maxConnections: connections } = database;
            if (connections === undefined) return undefined;
            const accepted = (need: number) => `at least ${need}, which the server must grant`;
            return { key: "maxConnections", found: String(connections), connections, accepted };
        }
        case "rds": {
            const connections = rdsConnections(database.instanceClass);
            if (connections === undefined) return undefined;
            const found = `"${database.instanceClass}", which grants about ${connections} connections`;
            return {
                key: "instanceClass",
                found,
                connections,
                accepted: (need) => `a class that grants ${need} or more`,
            };
        }
    }
}

export function tooFewConnections(stack: Stack): Problem[] {
    const server = grantedBy(stack);
    if (server === undefined) return [];
    const { total, parts } = connectionsAtPeak(stack);
    if (server.connections >= total) return [];
    return [
        {
            at: `orcheo:stack.database.${server.key}`,
            found: `found ${server.found}`,
            remedy:
                `accepted: ${server.accepted(total)}, the connections at the peak (${parts.join(", ")}); ` +
                `or fewer of ${reducible(stack)}`,
        },
    ];
}

function reducible(stack: Stack): string {
    const pooler = poolerOf(stack);
    const own = "api.scaling.maxReplicas, worker.replicas or worker.concurrency";
    if (pooler === undefined) return own;
    return pooler.used ? "database.pooler.connectionsPerReplica or database.pooler.replicas" : own;
}

/** What a URL asks of each session is lost in a pooler. images/pgbouncer/entrypoint.sh refuses the same. */
const keptByPooler: Readonly<Record<string, string | undefined>> = {
    channel_binding: "prefer",
    options: undefined,
    sslnegotiation: "postgres",
    target_session_attrs: "any",
};

/** Messages show nothing of the URL but its known keys. */
export function urlForPooler(stack: Pick<Stack, "database">): Problem[] {
    const { database } = stack;
    if (poolerOf(stack) === undefined || database.kind !== "external" || database.url.kind !== "value") return [];
    return readServerUrl("database", database.url.value)
        .query.filter(([key, value]) => Object.hasOwn(keptByPooler, key) && keptByPooler[key] !== value)
        .map(([key]) => ({
            at: "orcheo:stack.database.url.value",
            found: `found ${key} with a value that a pooler cannot keep to`,
            remedy: `accepted: a URL without ${key}${keptByPooler[key] === undefined ? "" : `, or with ${key}=${keptByPooler[key] ?? ""}`}; or set database.pooler.kind to "none"`,
        }));
}
