import type * as pulumi from "@pulumi/pulumi";

/** A broker that Celery can use, wherever it runs. */
export interface Cache {
    /** `rediss://…`, secret. */
    readonly url: pulumi.Output<string>;
    readonly resources: readonly pulumi.Resource[];
}
