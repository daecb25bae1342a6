/** Network access of pods to the database, the cache and other servers. */
import type { types } from "@pulumi/kubernetes";
import { serverCidrs } from "../aws/aws.plan";
import { usesPooler } from "../config/kinds";
import { ports } from "../config/ports";
import type { DatabaseOf, Stack } from "../config/schema";
import { selector } from "../kubernetes/labels";
import { serverPort, type ServerName } from "../servers/servers.plan";

export interface Reach {
    /** Pods or addresses; none for public servers, which workflows can reach anyway. */
    readonly to: types.input.networking.v1.NetworkPolicyPeer[];
    readonly port: number;
}

/** Where the servers are. */
export type ReachSettings = Pick<Stack, "aws" | "cache" | "database">;

/** Who Orcheo's own pods connect to; `reachOf` is the server itself. */
export function backendReachOf(stack: ReachSettings, server: ServerName): Reach {
    if (server === "database" && usesPooler(stack)) return poolerReach;
    return reachOf(stack, server);
}

export const poolerReach: Reach = {
    to: [{ podSelector: { matchLabels: selector("pgbouncer") } }],
    port: ports.pgbouncer,
};

export function reachOf({ database, cache, aws }: ReachSettings, server: ServerName): Reach {
    const settings = server === "database" ? database : cache;
    const port = server === "database" ? ports.postgres : ports.valkey;
    switch (settings.kind) {
        case "statefulset":
        case "valkey":
            return {
                to: [{ podSelector: { matchLabels: selector(settings.kind === "valkey" ? "valkey" : "postgres") } }],
                port,
            };
        case "rds":
        case "elasticache":
            return { to: addresses(aws === undefined ? [] : serverCidrs(aws.network)), port };
        case "external":
            return { to: peersOf(settings.reach), port: serverPort(server, settings) };
    }
}

/** A server of others. */
export function peersOf(reach: DatabaseOf<"external">["reach"]): Reach["to"] {
    if (reach.kind === "addresses") return addresses(reach.cidrs);
    const namespaceSelector = { matchLabels: { "kubernetes.io/metadata.name": reach.namespace } };
    return [{ namespaceSelector, podSelector: { matchLabels: reach.podLabels } }];
}

const addresses = (cidrs: readonly string[]) => cidrs.map((cidr) => ({ ipBlock: { cidr } }));
