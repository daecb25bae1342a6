import type * as pulumi from "@pulumi/pulumi";
import type { Database } from "./database";
import { Postgres, type PostgresArgs } from "./postgres";

export type { Database };

/** The database of the configured kind. */
export function createDatabase(name: string, args: PostgresArgs, opts: pulumi.ComponentResourceOptions): Database {
    const create = { statefulset: Postgres }[args.stack.database.kind];
    return new create(name, args, opts);
}
