import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { ports } from "../config/ports";
import type { CacheOf, Stack } from "../config/schema";
import type { Authority } from "../kubernetes/certificates";
import { planClaim } from "../kubernetes/claim.plan";
import { secretOf } from "../kubernetes/secret";
import { planServiceAccount } from "../kubernetes/service-account.plan";
import { planService } from "../kubernetes/service.plan";
import { caFile, type Trust } from "../kubernetes/volumes.plan";
import type { Server, ServerUrl } from "../servers/servers.plan";
import { planValkey, type ValkeySettings } from "./valkey.plan";

export interface ValkeyArgs {
    readonly stack: ValkeySettings & Pick<Stack, "storageClass">;
    readonly settings: CacheOf<"valkey">;
    readonly namespace: pulumi.Input<string>;
    readonly image: pulumi.Input<string>;
    readonly password: pulumi.Output<string>;
    readonly authority: Authority;
}

/** Valkey in the namespace: append-only file on a volume, password, TLS only. Runs that wait in it are data too. */
export class Valkey extends pulumi.ComponentResource implements Server {
    readonly url: ServerUrl;
    readonly trust: Trust = { kind: "stack" };
    readonly resources: readonly pulumi.Resource[];

    constructor(name: string, args: ValkeyArgs, opts?: pulumi.ComponentResourceOptions) {
        super("orcheo:index:Valkey", name, {}, opts);
        const { stack, settings, namespace, image, password, authority } = args;
        const child = { parent: this };
        const place = { role: "valkey" as const, namespace };
        const certificateSecret = authority.serverCertificate("valkey", child);
        const storageClass = settings.storageClass ?? stack.storageClass;
        const claim = new k8s.core.v1.PersistentVolumeClaim(
            `${name}-data`,
            planClaim({ ...place, storageGiB: settings.storageGiB, storageClass }),
            { ...child, protect: true, retainOnDelete: true },
        );
        const secret = secretOf(`${name}-secret`, { "valkey-password": password }, namespace, child);
        const account = new k8s.core.v1.ServiceAccount(
            `${name}-account`,
            planServiceAccount("valkey", namespace),
            child,
        );
        const service = new k8s.core.v1.Service(
            `${name}-service`,
            planService({ ...place, port: { name: "valkey", number: ports.valkey } }),
            child,
        );
        const server = new k8s.apps.v1.StatefulSet(
            name,
            planValkey(stack, settings, {
                namespace,
                image,
                serviceAccountName: account.metadata.name,
                passwordSecret: secret.metadata.name,
                certificateSecret,
                claimName: claim.metadata.name,
            }),
            child,
        );
        const value = pulumi.secret(
            pulumi.interpolate`rediss://:${password}@${service.metadata.name}:${ports.valkey}/0?ssl_cert_reqs=required&ssl_ca_certs=${caFile}`,
        );
        this.url = { kind: "value", value };
        this.resources = [server, service];
        this.registerOutputs({});
    }
}
