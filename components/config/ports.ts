/** The port of each server, once: of its pods and of its Service. */
export const ports = {
    /** The API and the canvas serve https with the certificate of their Service. */
    api: 8443,
    canvas: 8443,
    /** The stack's own PostgreSQL, and RDS. */
    postgres: 5432,
    /** PgBouncer, in front of any PostgreSQL. */
    pgbouncer: 6432,
    /** The stack's own Valkey, and ElastiCache. */
    valkey: 6379,
    /** Metrics of API, worker and beat. */
    metrics: 9464,
} as const;
