/** A database that would run out of connections when the stack is at its peak. */
import { connectionsAtPeak, connectionsFor, memoryForConnections } from "../config/connections";
import type { Problem } from "../config/problems";
import type { Stack } from "../config/schema";
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
                "or fewer of api.scaling.maxReplicas, worker.replicas or worker.concurrency",
        },
    ];
}
