import type * as pulumi from "@pulumi/pulumi";
import { accountOf, type Cloud } from "../aws/aws";
import { External } from "../servers/servers";
import type { Server } from "../servers/servers.plan";
import { Elasticache } from "./elasticache";
import { Valkey, type ValkeyArgs } from "./valkey";
import type { Stack } from "../config/schema";

/** A broker that Celery can use, wherever it runs: `rediss://…?ssl_cert_reqs=required…`. */
export type Cache = Server;

export interface CacheArgs extends Omit<ValkeyArgs, "settings" | "stack"> {
    readonly stack: ValkeyArgs["stack"] & Pick<Stack, "cache">;
    readonly cloud: Cloud;
}

/** The cache of the configured kind. */
export function createCache(name: string, args: CacheArgs, opts: pulumi.ComponentResourceOptions): Cache {
    const settings = args.stack.cache;
    switch (settings.kind) {
        case "valkey":
            return new Valkey(name, { ...args, settings }, opts);
        case "external":
            return new External(name, { ...args, settings, server: "cache" }, opts);
        case "elasticache":
            return new Elasticache(name, { ...args, settings, account: accountOf(args.cloud) }, opts);
    }
}
