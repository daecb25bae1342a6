/** What follows from settings alone, resolved once after parsing. */
import { connectionsAtPeak, connectionsFor, memoryForConnections, type ConnectionSettings } from "./connections";
import { behindLoadBalancer, ownCluster } from "./kinds";
import { unlessRefused } from "./partial";
import type { Aws } from "./schema.aws";
import { s3, type S3 } from "./schema.backup";
import { leastMemoryMiB, type Cache, type Database, type DatabaseSettings } from "./schema.data";
import type { Entrance } from "./schema.entrance";
import type { Kubernetes } from "./schema.kubernetes";
import type { Outbound } from "./schema.surroundings";

/** Dumps of the database, with every default that depends on other sections. */
export interface Backup extends S3 {
    readonly prefix: string;
    readonly region: string;
    /** Ports on the way to the store: its own, and the proxy's. */
    readonly storePorts: readonly number[];
}

export interface Derived {
    /** `https://host[:port]`: where browsers find the stack. */
    readonly publicUrl: string;
    /** `kubectl` for the stack's namespace. */
    readonly kubectl: string;
    /** Its own PostgreSQL has a size. */
    readonly database: Database;
    /** Undefined when the stack makes no dumps. */
    readonly backup: Backup | undefined;
    /** Seconds in which a stopping pod still serves: a load balancer learns of it later than proxies in the cluster. */
    readonly leaveSeconds: number;
    /** StorageClass of volumes whose settings name none; undefined leaves the choice to the cluster. */
    readonly storageClass: string | undefined;
    /** Some volume needs the StorageClass that the stack makes. */
    readonly makesStorageClass: boolean;
}

interface Sections extends ConnectionSettings {
    readonly kubernetes: Kubernetes;
    readonly host: string;
    readonly entrance: Entrance;
    readonly database: DatabaseSettings;
    readonly cache: Cache;
    readonly aws?: Aws | undefined;
    readonly backup?: S3 | { readonly kind: "none" } | undefined;
    readonly outbound: Outbound;
}

const derivations: { readonly [K in keyof Derived]: (sections: Sections) => Derived[K] } = {
    publicUrl: ({ entrance, host }) => (entrance.port === 443 ? `https://${host}` : `https://${host}:${entrance.port}`),
    kubectl: ({ kubernetes }) => kubectl(kubernetes),
    database,
    backup,
    leaveSeconds: ({ entrance }) => (behindLoadBalancer(entrance.controller) ? 20 : 5),
    storageClass,
    makesStorageClass,
};

/** Each is evaluated when it is called. */
export const derivationsOf = (sections: Sections): Readonly<Record<keyof Derived, () => unknown>> =>
    Object.fromEntries(Object.entries(derivations).map(([key, of]) => [key, () => of(sections)])) as never;

export const derivedFrom = (sections: Sections): Derived =>
    Object.fromEntries(Object.entries(derivationsOf(sections)).map(([key, of]) => [key, of()])) as never;

/** Steps of the connections: PostgreSQL restarts when they change. */
const [leastConnections, step] = [256, 64];

function database(sections: Sections): Database {
    const { database } = sections;
    if (database.kind !== "statefulset") return database;
    const need = unlessRefused(() => connectionsAtPeak(sections).total, 0);
    const sized = Math.max(leastConnections, Math.ceil(need / step) * step);
    const { memoryMiB, maxConnections } = database;
    return {
        ...database,
        memoryMiB:
            memoryMiB ?? Math.max(leastMemoryMiB, maxConnections === undefined ? memoryForConnections(sized) : 0),
        maxConnections:
            maxConnections ??
            (memoryMiB === undefined ? sized : Math.max(need, Math.min(sized, connectionsFor(memoryMiB)))),
    };
}

function storageClass({ aws }: Pick<Sections, "aws">): string | undefined {
    return ownCluster(aws) === undefined ? undefined : ownStorageClass;
}

function makesStorageClass({ aws, database, cache }: Sections): boolean {
    const volumes = [
        ...(database.kind === "statefulset" ? [database] : []),
        ...(cache.kind === "valkey" ? [cache] : []),
    ];
    return volumes.some((each) => (each.storageClass ?? storageClass({ aws })) === ownStorageClass);
}

/** StorageClass for encrypted EBS volumes in the stack's own cluster, which has no default one. */
export const ownStorageClass = "orcheo-gp3";

function kubectl({ context, namespace, kubeconfig }: Kubernetes): string {
    const file = kubeconfig === undefined ? "" : ` --kubeconfig ${kubeconfig}`;
    return `kubectl${file} --context ${context} --namespace ${namespace}`;
}

function backup({ backup, aws, kubernetes, outbound }: Sections): Backup | undefined {
    const settings = backup ?? (aws === undefined ? { kind: "none" } : s3.parse({ kind: "s3" }));
    if (settings.kind === "none") return undefined;
    return {
        ...settings,
        prefix: settings.prefix ?? `backups/${kubernetes.namespace}/`,
        region: settings.region ?? aws?.region ?? "us-east-1",
        storePorts: storePorts(settings, outbound),
    };
}

function storePorts({ endpoint, port, plainHttp }: S3, { proxy }: Outbound): readonly number[] {
    const portOf = (url: string) => Number(new URL(url).port || (url.startsWith("https:") ? 443 : 80));
    const proxyUrl = plainHttp ? proxy?.httpUrl : proxy?.httpsUrl;
    const own = port ?? (endpoint === undefined ? 443 : portOf(endpoint));
    return [...new Set([own, ...(proxyUrl === undefined ? [] : [portOf(proxyUrl)])])];
}

/** Where an issuer describes itself; a slash at its end is part of its name in tokens, and not of this URL twice. */
export const discoveryUrl = (issuer: string): string =>
    `${issuer.replace(/\/+$/, "")}/.well-known/openid-configuration`;
