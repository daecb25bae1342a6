import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { ports } from "../config/ports";
import type { DatabaseOf, Stack } from "../config/schema";
import type { Authority } from "../kubernetes/certificates";
import { planClaim } from "../kubernetes/claim.plan";
import { objectLabels } from "../kubernetes/labels";
import { secretOf } from "../kubernetes/secret";
import { planServiceAccount } from "../kubernetes/service-account.plan";
import { planService } from "../kubernetes/service.plan";
import { caFile, type Trust } from "../kubernetes/volumes.plan";
import type { Server, ServerUrl } from "../servers/servers.plan";
import { planPostgres, planPostgresConf, type PostgresSettings } from "./postgres.plan";

export interface PostgresArgs {
    readonly stack: PostgresSettings & Pick<Stack, "storageClass">;
    readonly settings: DatabaseOf<"statefulset">;
    readonly namespace: pulumi.Input<string>;
    readonly image: pulumi.Input<string>;
    readonly password: pulumi.Output<string>;
    readonly authority: Authority;
}

/** PostgreSQL in the namespace: one pod, a protected volume, TLS only. */
export class Postgres extends pulumi.ComponentResource implements Server {
    readonly url: ServerUrl;
    readonly trust: Trust = { kind: "stack" };
    readonly resources: readonly pulumi.Resource[];

    constructor(name: string, args: PostgresArgs, opts?: pulumi.ComponentResourceOptions) {
        super("orcheo:index:Postgres", name, {}, opts);
        const { stack, settings, namespace, image, password, authority } = args;
        const child = { parent: this };
        const certificateSecret = authority.serverCertificate("postgres", child);
        const place = { role: "postgres" as const, namespace };
        const storageClass = settings.storageClass ?? stack.storageClass;
        const claim = new k8s.core.v1.PersistentVolumeClaim(
            `${name}-data`,
            planClaim({ ...place, storageGiB: settings.storageGiB, storageClass }),
            { ...child, protect: true, retainOnDelete: true },
        );
        const config = new k8s.core.v1.ConfigMap(
            `${name}-config`,
            {
                metadata: { namespace, labels: objectLabels("postgres") },
                data: { "postgresql.conf": planPostgresConf(settings) },
            },
            child,
        );
        const secret = secretOf(`${name}-secret`, { "postgres-password": password }, namespace, child);
        const account = new k8s.core.v1.ServiceAccount(
            `${name}-account`,
            planServiceAccount("postgres", namespace),
            child,
        );
        const service = new k8s.core.v1.Service(
            `${name}-service`,
            planService({ ...place, port: { name: "postgres", number: ports.postgres } }),
            child,
        );
        const server = new k8s.apps.v1.StatefulSet(
            name,
            planPostgres(stack, settings, {
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
        const value = pulumi.secret(
            pulumi.interpolate`postgresql://orcheo:${password}@${service.metadata.name}:${ports.postgres}/orcheo?sslmode=verify-full&sslrootcert=${caFile}`,
        );
        this.url = { kind: "value", value };
        this.resources = [server, service];
        this.registerOutputs({});
    }
}
