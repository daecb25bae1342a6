import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Authority } from "../certificates";
import type { Stack } from "../config/schema";
import { objectLabels } from "../labels";
import { planClaim, planService, planServiceAccount } from "../objects.plan";
import { secretOf } from "../secrets";
import { caFile } from "../volumes";
import type { Database } from "./database";
import { planPostgres, planPostgresConf, port } from "./postgres.plan";

export interface PostgresArgs {
    readonly stack: Stack;
    readonly namespace: pulumi.Input<string>;
    readonly image: pulumi.Input<string>;
    readonly password: pulumi.Output<string>;
    readonly authority: Authority;
}

/** PostgreSQL in the namespace: one pod, a protected volume, TLS only. */
export class Postgres extends pulumi.ComponentResource implements Database {
    readonly dsn: pulumi.Output<string>;
    readonly authoritySecret: pulumi.Output<string>;
    readonly resources: readonly pulumi.Resource[];

    constructor(name: string, args: PostgresArgs, opts?: pulumi.ComponentResourceOptions) {
        super("orcheo:index:Postgres", name, {}, opts);
        const { stack, namespace, image, password, authority } = args;
        const { database, version } = stack;
        const child = { parent: this };
        const certificateSecret = authority.serverCertificate("postgres", child);
        const place = { role: "postgres" as const, namespace, version };
        const claim = new k8s.core.v1.PersistentVolumeClaim(`${name}-data`, planClaim({ ...place, ...database }), {
            ...child,
            protect: true,
            retainOnDelete: true,
        });
        const config = new k8s.core.v1.ConfigMap(
            `${name}-config`,
            {
                metadata: { namespace, labels: objectLabels("postgres", version) },
                data: { "postgresql.conf": planPostgresConf(database) },
            },
            child,
        );
        const secret = secretOf(`${name}-secret`, { "postgres-password": password }, { namespace, version }, child);
        const account = new k8s.core.v1.ServiceAccount(
            `${name}-account`,
            planServiceAccount("postgres", namespace, version),
            child,
        );
        const service = new k8s.core.v1.Service(
            `${name}-service`,
            planService({ ...place, port: { name: "postgres", number: port } }),
            child,
        );
        const server = new k8s.apps.v1.StatefulSet(
            name,
            planPostgres(stack, {
                namespace,
                image,
                serviceAccountName: account.metadata.name,
                passwordSecret: secret.metadata.name,
                certificateSecret,
                configMap: config.metadata.name,
                claimName: claim.metadata.name,
            }),
            child,
        );
        this.dsn = pulumi.secret(
            pulumi.interpolate`postgresql://orcheo:${password}@${service.metadata.name}:${port}/orcheo?sslmode=verify-full&sslrootcert=${caFile}`,
        );
        this.authoritySecret = certificateSecret;
        this.resources = [server, service];
        this.registerOutputs({});
    }
}
