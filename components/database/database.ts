import type * as pulumi from "@pulumi/pulumi";
import { accountOf, type Cloud } from "../aws/aws";
import { External } from "../servers/servers";
import type { Server } from "../servers/servers.plan";
import { Postgres, type PostgresArgs } from "./postgres";
import { Rds } from "./rds";
import type { Stack } from "../config/schema";
export { createPooler } from "./pgbouncer";

/** A PostgreSQL that Orcheo can use, wherever it runs: `postgresql://…?sslmode=verify-full…`. */
export type Database = Server;

export interface DatabaseArgs extends Omit<PostgresArgs, "settings" | "stack"> {
    readonly stack: PostgresArgs["stack"] & Pick<Stack, "database">;
    readonly cloud: Cloud;
}

/** The database of the configured kind. */
export function createDatabase(name: string, args: DatabaseArgs, opts: pulumi.ComponentResourceOptions): Database {
    const settings = args.stack.database;
    switch (settings.kind) {
        case "statefulset":
            return new Postgres(name, { ...args, settings }, opts);
        case "external":
            return new External(name, { ...args, settings, server: "database" }, opts);
        case "rds":
            return new Rds(name, { ...args, settings, account: accountOf(args.cloud) }, opts);
    }
}
