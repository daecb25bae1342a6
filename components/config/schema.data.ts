/** Settings of what holds data. */
import { z } from "zod";
import { kind, name, oneOf, whole } from "./fields";

/** Prepared for `cloudnativepg`, `rds` and `external`: another option of the same union. */
export const database = oneOf([
    z.strictObject({
        kind: kind("statefulset"),
        storageGiB: whole(1, 65_536).default(8).describe("Volume, GiB. It can grow and never shrinks."),
        storageClass: name().optional().describe("StorageClass; default the cluster's."),
        memoryMiB: whole(256, 524_288)
            .default(512)
            .describe("Memory request and limit, MiB; PostgreSQL's buffers are computed from it."),
        cpuRequestMillis: whole(10, 64_000).default(100).describe("CPU set aside, thousandths of a core."),
        cpuLimitMillis: whole(10, 64_000).default(2000).describe("CPU at most, thousandths of a core."),
        maxConnections: whole(20, 5000)
            .default(200)
            .describe("Connections at most. Orcheo opens up to ten for each of its stores in every process."),
        terminationGraceSeconds: whole(30, 3600).default(120).describe("Time for a clean shutdown."),
    }),
])
    .prefault({ kind: "statefulset" })
    .superRefine((value, context) => {
        if (value.cpuRequestMillis > value.cpuLimitMillis)
            context.addIssue({
                code: "custom",
                path: ["cpuRequestMillis"],
                message: `at most cpuLimitMillis, which is ${value.cpuLimitMillis}`,
            });
        // A quarter of the memory is shared buffers; each connection needs about 2 MiB of what is left.
        const most = Math.floor((value.memoryMiB * 0.75) / 1.5);
        if (value.maxConnections > most)
            context.addIssue({
                code: "custom",
                path: ["maxConnections"],
                message: `at most ${most} with memoryMiB ${value.memoryMiB} (1.5 MiB a connection beside the shared buffers)`,
            });
    })
    .describe("PostgreSQL.");

export const cache = oneOf([
    z.strictObject({
        kind: kind("valkey"),
        storageGiB: whole(1, 1024)
            .default(1)
            .describe("Volume of the append-only file, GiB; at least four times memoryMiB."),
        storageClass: name().optional().describe("StorageClass; default the cluster's."),
        memoryMiB: whole(32, 65_536)
            .default(128)
            .describe("Data at most (maxmemory), MiB; the container may use twice as much while it rewrites its file."),
        cpuRequestMillis: whole(10, 64_000).default(50).describe("CPU set aside, thousandths of a core."),
        cpuLimitMillis: whole(10, 64_000).default(500).describe("CPU at most, thousandths of a core."),
    }),
])
    .prefault({ kind: "valkey" })
    .superRefine((value, context) => {
        if (value.cpuRequestMillis > value.cpuLimitMillis)
            context.addIssue({
                code: "custom",
                path: ["cpuRequestMillis"],
                message: `at most cpuLimitMillis, which is ${value.cpuLimitMillis}`,
            });
        const least = Math.ceil((value.memoryMiB * 4) / 1024);
        if (value.storageGiB < least)
            context.addIssue({
                code: "custom",
                path: ["storageGiB"],
                message: `at least ${least} with memoryMiB ${value.memoryMiB} (the append-only file and its rewrite)`,
            });
    })
    .describe("Broker and cache.");
