/** Settings of the connection pooler in front of PostgreSQL. */
import { z } from "zod";
import { flag, kind, oneOf, resources, whole } from "./fields";

const pgbouncer = z.strictObject({
    kind: kind("pgbouncer"),
    used: flag()
        .default(true)
        .describe(
            "`false`: API, worker and beat connect directly again, and the pooler only serves pods that still finish their work: the step before `none`.",
        ),
    replicas: whole(1, 10).default(2).describe("Pods; each has its own connections."),
    connectionsPerReplica: whole(10, 1000)
        .default(20)
        .describe(
            "Connections that each pod opens to PostgreSQL at most, which is how many transactions are under way at once; others wait for up to 10 seconds.",
        ),
    passwordGeneration: whole(1, 9999)
        .default(1)
        .describe(
            "Count it up by one to rotate the password that Orcheo's pods have for the pooler; the old one stays valid until the next.",
        ),
    resources: resources({
        cpuRequestMillis: 50,
        cpuLimitMillis: 1000,
        memoryRequestMiB: 48,
        memoryLimitMiB: 128,
        ephemeralRequestMiB: 16,
    }).describe("CPU, memory and disk of one pod."),
});

export const pooler = () =>
    oneOf([z.strictObject({ kind: kind("none") }), pgbouncer])
        .prefault({ kind: "none" })
        .describe(
            "Connection pooler between Orcheo's pods and PostgreSQL, of any kind: many pods share few connections. docs/performance.md says when it helps.",
        );

export type Pooler = z.output<ReturnType<typeof pooler>>;
export type Pgbouncer = Extract<Pooler, { kind: "pgbouncer" }>;
