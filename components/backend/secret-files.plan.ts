/** The secrets that a pod reads as files, from wherever they are. */
import type { Input } from "@pulumi/pulumi";
import { usesPooler } from "../config/kinds";
import type { SecretFiles } from "../kubernetes/volumes.plan";
import { backendReachOf, type ReachSettings } from "../network/network.plan";
import type { ApplicationKey } from "../secrets/secrets.plan";
import { urlDemands, type ServerName, type Server } from "../servers/servers.plan";
import { applicationKeysOf, keysOf, type BackendRole, type SecretKey } from "./contract";

export interface SecretSources {
    /** Secret of the stack's own, and the one of Orcheo's own secrets when they live elsewhere. */
    readonly secretName: Input<string>;
    readonly applicationSecret?: {
        readonly secretName: Input<string>;
        /** The key of each file. */
        readonly keys: Readonly<Record<ApplicationKey, string>>;
    };
    readonly servers: Readonly<Record<ServerName, Pick<Server, "url" | "trust">>>;
}

export const serverNames: readonly ServerName[] = ["database", "cache"];
const urlFile: Readonly<Record<ServerName, SecretKey>> = { database: "postgres-dsn", cache: "redis-url" };

/** The role's files: from the backend's own Secret, and what only Secrets of others hold. */
export function planSecretFiles(
    role: BackendRole,
    { secretName, applicationSecret, servers }: SecretSources,
): SecretFiles[] {
    const urls = serverNames.flatMap((server) => {
        const { url } = servers[server];
        if (url.kind !== "secret") return [];
        return [{ secretName: url.secretName, keys: [{ key: url.key, path: urlFile[server] }] }];
    });
    const application = applicationSecret && {
        secretName: applicationSecret.secretName,
        keys: applicationKeysOf(role).map((path) => ({ key: applicationSecret.keys[path], path })),
    };
    const elsewhere = [...urls, ...(application ? [application] : [])];
    const files: readonly string[] = elsewhere.flatMap(({ keys }) => keys.map(({ path }) => path));
    const own = { secretName, keys: keysOf[role].filter((key) => !files.includes(key)) };
    // A Secret without items would be mounted whole.
    return [own, ...elsewhere].filter(({ keys }) => keys.length > 0);
}

/** So long a pool keeps a connection to a pooler, whose replicas wait for that when they stop (images/pgbouncer/entrypoint.sh). */
const pooledSeconds = 30;

/** What the image checks the URLs by, and completes those that the program cannot read with. */
export function planDemands(stack: ReachSettings, { servers }: SecretSources): Record<string, string> {
    const demands = Object.fromEntries(
        serverNames.flatMap((server) =>
            Object.entries(urlDemands(server, { ...servers[server], port: backendReachOf(stack, server).port })),
        ),
    );
    return { ...demands, ...(usesPooler(stack) && { POSTGRES_CONNECTION_SECONDS: String(pooledSeconds) }) };
}
