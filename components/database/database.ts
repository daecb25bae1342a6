import type * as pulumi from "@pulumi/pulumi";

/** A PostgreSQL that Orcheo can use, wherever it runs. */
export interface Database {
    /** `postgresql://…?sslmode=verify-full…`, secret. */
    readonly dsn: pulumi.Output<string>;
    /** Secret whose ca.crt signs the server. */
    readonly authoritySecret: pulumi.Output<string>;
    /** Ready when these are. */
    readonly resources: readonly pulumi.Resource[];
}
