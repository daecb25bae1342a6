import type { Server } from "../connection";

/** A PostgreSQL that Orcheo can use, wherever it runs: `postgresql://…?sslmode=verify-full…`. */
export type Database = Server;
