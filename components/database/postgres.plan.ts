import type { types } from "@pulumi/kubernetes";
import type { Input } from "@pulumi/pulumi";
import type { Resources } from "../config/fields";
import { ports } from "../config/ports";
import { auditParameters } from "../config/schema.audit";
import type { DatabaseOf } from "../config/schema";
import { objectLabels, selector } from "../kubernetes/labels";
import { planPod, probe, processProbes, type PodSettings } from "../kubernetes/pod.plan";
import { scratchSizes, type ScratchSettings } from "../kubernetes/scratch.plan";
import * as volumes from "../kubernetes/volumes.plan";

type Settings = DatabaseOf<"statefulset">;

const dataDir = "/var/lib/postgresql/data";

export type PostgresSettings = PodSettings & ScratchSettings;

export interface PostgresInputs {
    readonly namespace: Input<string>;
    readonly image: Input<string>;
    readonly serviceAccountName: Input<string>;
    readonly passwordSecret: Input<string>;
    readonly certificateSecret: Input<string>;
    readonly configMap: Input<string>;
    readonly claimName: Input<string>;
}

/**
 * Memory settings from the container's memory: a quarter of it for shared buffers, the rest for connections and the
 * page cache.
 *
 * @see https://www.postgresql.org/docs/17/runtime-config-resource.html
 */
export function planTuning({ memoryMiB, maxConnections, storageGiB }: Settings): Record<string, string> {
    const shared = Math.floor(memoryMiB / 4);
    // Half of the remaining memory, shared by all connections that sort at the same time.
    const work = Math.max(64, Math.floor(((memoryMiB - shared) * 1024) / 2 / maxConnections));
    const wal = Math.min(4096, Math.floor((storageGiB * 1024) / 8));
    return {
        max_connections: String(maxConnections),
        shared_buffers: `${shared}MB`,
        effective_cache_size: `${Math.floor(memoryMiB / 2)}MB`,
        work_mem: `${Math.min(work, 65_536)}kB`,
        maintenance_work_mem: `${Math.min(1024, Math.max(16, Math.floor(memoryMiB / 16)))}MB`,
        autovacuum_max_workers: "2",
        max_wal_size: `${wal}MB`,
        min_wal_size: `${Math.min(80, Math.floor(wal / 2))}MB`,
        checkpoint_completion_target: "0.9",
        random_page_cost: "1.1",
    };
}

export function planPostgresConf(database: Settings): string {
    const audited = database.audit.length > 0 && { shared_preload_libraries: "pgaudit" };
    return Object.entries({ ...planTuning(database), ...audited, ...auditParameters(database.audit) })
        .map(([key, value]) => `${key} = '${value}'\n`)
        .join("");
}

export function planPostgres(
    stack: PostgresSettings,
    database: Settings,
    inputs: PostgresInputs,
): types.input.apps.v1.StatefulSet {
    const exec = (verdict: string) => ({ exec: { command: ["postgres-probe", verdict] } });
    return {
        metadata: { name: "postgres", namespace: inputs.namespace, labels: objectLabels("postgres") },
        spec: {
            serviceName: "postgres",
            replicas: 1,
            selector: { matchLabels: selector("postgres") },
            template: planPod({
                role: "postgres",
                serviceAccountName: inputs.serviceAccountName,
                stack,
                terminationGraceSeconds: database.terminationGraceSeconds,
                containers: [
                    {
                        name: "postgres",
                        image: inputs.image,
                        port: { name: "postgres", number: ports.postgres },
                        resources: databaseResources(database),
                        mounts: [
                            volumes.claim("data", inputs.claimName, dataDir),
                            volumes.configFiles("config", inputs.configMap, "/etc/orcheo/postgres"),
                            volumes.secretFiles([{ secretName: inputs.passwordSecret, keys: ["postgres-password"] }]),
                            volumes.serverCertificate(inputs.certificateSecret),
                            volumes.scratch("tmp", "/tmp", scratchSizes(stack).postgres.tmp),
                            volumes.scratch("shm", "/dev/shm", 128, "Memory"),
                        ],
                        probes: {
                            // Recovery after a crash replays up to max_wal_size.
                            startup: probe(exec("ready"), { everySeconds: 5, failures: 120, timeoutSeconds: 5 }),
                            ...processProbes(exec("ready"), exec("live")),
                        },
                    },
                ],
            }),
        },
    };
}

export function databaseResources(database: DatabaseOf<"statefulset">): Resources {
    const { cpuRequestMillis, cpuLimitMillis, memoryMiB } = database;
    return {
        cpuRequestMillis,
        cpuLimitMillis,
        memoryRequestMiB: memoryMiB,
        memoryLimitMiB: memoryMiB,
        ephemeralRequestMiB: 32,
    };
}
