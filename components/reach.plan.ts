/** What the network lets the backend reach of its database and cache. */
import type { types } from "@pulumi/kubernetes";
import { serverCidrs } from "./aws/vpc.plan";
import { port as valkeyPort } from "./cache/valkey.plan";
import type { Stack } from "./config/schema";
import type { ServerName } from "./connection.plan";
import { port as postgresPort } from "./database/postgres.plan";
import { selector } from "./labels";

export interface Reach {
    /** Pods or addresses; none for what is public, and open to workflows anyway. */
    readonly to: types.input.networking.v1.NetworkPolicyPeer[];
    readonly port: number;
}

export function reachOf({ database, cache, aws }: Stack, server: ServerName): Reach {
    const settings = server === "database" ? database : cache;
    const port = server === "database" ? postgresPort : valkeyPort;
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
        case "external": {
            const { reach } = settings;
            if (reach.kind === "addresses") return { to: addresses(reach.cidrs), port: settings.port };
            const namespaceSelector = { matchLabels: { "kubernetes.io/metadata.name": reach.namespace } };
            return { to: [{ namespaceSelector, podSelector: { matchLabels: reach.podLabels } }], port: settings.port };
        }
    }
}

const addresses = (cidrs: readonly string[]) => cidrs.map((cidr) => ({ ipBlock: { cidr } }));
