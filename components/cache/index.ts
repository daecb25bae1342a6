import type * as pulumi from "@pulumi/pulumi";
import type { Cache } from "./cache";
import { Valkey, type ValkeyArgs } from "./valkey";

export type { Cache };

/** The cache of the configured kind. */
export function createCache(name: string, args: ValkeyArgs, opts: pulumi.ComponentResourceOptions): Cache {
    const create = { valkey: Valkey }[args.stack.cache.kind];
    return new create(name, args, opts);
}
