/** Settings of the database and the cache. */
import { z } from "zod";
import { cidr } from "./addresses";
import { connectionsFor } from "./connections";
import { dataKey, kind, labelKey, labelValue, name, oneOf, path, whole, words } from "./fields";
import { elasticache, rds } from "./schema.aws.data";
import { audit } from "./schema.audit";
import { pooler } from "./schema.pooler";

export const authority = oneOf([
    z.strictObject({ kind: kind("system") }),
    z.strictObject({
        kind: kind("secret"),
        name: name().describe("Secret in the namespace."),
        key: dataKey().default("ca.crt").describe("Key of the PEM text."),
    }),
    z.strictObject({
        kind: kind("configMap"),
        name: name().describe("ConfigMap in the namespace."),
        key: dataKey().default("ca.crt").describe("Key of the PEM text."),
    }),
    z.strictObject({ kind: kind("file"), path: path().describe("PEM file, which becomes a ConfigMap.") }),
])
    .prefault({ kind: "system" })
    .describe("The CA that signed the server's certificate; `system`: the public CAs.");
export type Authority = z.output<typeof authority>;

export const reach = oneOf([
    z.strictObject({
        kind: kind("addresses"),
        cidrs: z.array(cidr()).default([]).describe("Private addresses of the server; public ones are open anyway."),
    }),
    z.strictObject({
        kind: kind("pods"),
        namespace: name().describe("Namespace of the server's pods."),
        podLabels: z.record(labelKey(), labelValue()).describe("Labels of the server's pods."),
    }),
])
    .prefault({ kind: "addresses" })
    .describe("Destinations that the NetworkPolicy allows.");

/** A server that the stack uses and does not own. */
const external = <More extends z.ZodRawShape>(port: number, example: string, more: More) =>
    z.strictObject({
        kind: kind("external"),
        url: oneOf([
            z.strictObject({
                kind: kind("secret"),
                name: name().describe("Secret in the namespace. Only the backend's pods read it."),
                key: dataKey().default("url").describe("Key of the URL."),
            }),
            z.strictObject({
                kind: kind("value"),
                value: words(`a URL such as ${example}`).describe(
                    `The URL, such as ${example}; only as a secret: \`pulumi config set --secret --path …\`.`,
                ),
            }),
        ]).describe("Where the URL is. TLS with verification is added to it; one that says otherwise is refused."),
        authority,
        port: whole(1, 65_535)
            .optional()
            .describe(
                `Port that the NetworkPolicy opens; default that of url.value, else ${port}. The URL of a Secret must name the same.`,
            ),
        reach,
        ...more,
    });

/** Memory of the stack's own PostgreSQL by default, MiB. */
export const leastMemoryMiB = 512;

export const database = oneOf([
    z.strictObject({
        kind: kind("statefulset"),
        storageGiB: whole(1, 65_536).default(8).describe("Volume, GiB. It can grow and never shrinks."),
        storageClass: name().optional().describe("StorageClass; default the cluster's."),
        memoryMiB: whole(256, 524_288)
            .optional()
            .describe(
                "Memory request and limit, MiB; PostgreSQL's buffers are computed from it. Default 512, or what the default of maxConnections needs.",
            ),
        cpuRequestMillis: whole(10, 64_000).default(100).describe("CPU set aside, thousandths of a core."),
        cpuLimitMillis: whole(10, 64_000).default(2000).describe("CPU at most, thousandths of a core."),
        maxConnections: whole(20, 5000)
            .optional()
            .describe(
                "Connections at most; PostgreSQL restarts when the number changes. Default: what all pods need at their peak, in steps of 64 from 256 on. Fewer than they need are refused.",
            ),
        audit: audit(),
        terminationGraceSeconds: whole(30, 3600).default(120).describe("Time for a clean shutdown."),
        pooler: pooler(),
    }),
    external(5432, "postgresql://orcheo:…@db.example.com:5432/orcheo", {
        maxConnections: whole(1, 1_000_000)
            .optional()
            .describe(
                "Connections that the server grants this stack. Settings whose pods need more at their peak are refused; default: not checked.",
            ),
        pooler: pooler(),
    }),
    rds,
])
    .prefault({ kind: "statefulset" })
    .superRefine((value, context) => {
        if (value.kind !== "statefulset") return;
        if (value.cpuRequestMillis > value.cpuLimitMillis)
            context.addIssue({
                code: "custom",
                path: ["cpuRequestMillis"],
                message: `at most cpuLimitMillis, which is ${value.cpuLimitMillis}`,
            });
        const { maxConnections, memoryMiB = leastMemoryMiB } = value;
        const most = connectionsFor(memoryMiB);
        if (maxConnections !== undefined && maxConnections > most)
            context.addIssue({
                code: "custom",
                path: ["maxConnections"],
                message: `at most ${most} with memoryMiB ${memoryMiB} (1.5 MiB a connection beside the shared buffers)`,
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
    external(6379, "rediss://:…@cache.example.com:6379/0", {}),
    elasticache,
])
    .prefault({ kind: "valkey" })
    .superRefine((value, context) => {
        if (value.kind !== "valkey") return;
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

/** As it was written. */
export type DatabaseSettings = z.output<typeof database>;
type Own = Extract<DatabaseSettings, { kind: "statefulset" }>;
/** With the size of the stack's own PostgreSQL. */
export type Database =
    Exclude<DatabaseSettings, Own> | (Own & { readonly memoryMiB: number; readonly maxConnections: number });
export type Cache = z.output<typeof cache>;
