import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Authority } from "../certificates";
import type { CacheOf, Stack } from "../config/schema";
import type { ServerUrl, Trust } from "../connection";
import { storageClassOf } from "../cluster.plan";
import { planClaim, planService, planServiceAccount } from "../objects.plan";
import { secretOf } from "../secrets";
import { caFile } from "../volumes";
import type { Cache } from "./cache";
import { planValkey, port } from "./valkey.plan";

export interface ValkeyArgs {
    readonly stack: Stack;
    readonly settings: CacheOf<"valkey">;
    readonly namespace: pulumi.Input<string>;
    readonly image: pulumi.Input<string>;
    readonly password: pulumi.Output<string>;
    readonly authority: Authority;
}

/** Valkey in the namespace: append-only file on a volume, password, TLS only. Runs that wait in it are data too. */
export class Valkey extends pulumi.ComponentResource implements Cache {
    readonly url: ServerUrl;
    readonly trust: Trust = { kind: "stack" };
    readonly resources: readonly pulumi.Resource[];

    constructor(name: string, args: ValkeyArgs, opts?: pulumi.ComponentResourceOptions) {
        super("orcheo:index:Valkey", name, {}, opts);
        const { stack, settings, namespace, image, password, authority } = args;
        const { version } = stack;
        const child = { parent: this };
        const place = { role: "valkey" as const, namespace, version };
        const certificateSecret = authority.serverCertificate("valkey", child);
        const storageClass = storageClassOf(stack, settings.storageClass);
        const claim = new k8s.core.v1.PersistentVolumeClaim(
            `${name}-data`,
            planClaim({ ...place, storageGiB: settings.storageGiB, storageClass }),
            { ...child, protect: true, retainOnDelete: true },
        );
        const secret = secretOf(`${name}-secret`, { "valkey-password": password }, { namespace, version }, child);
        const account = new k8s.core.v1.ServiceAccount(
            `${name}-account`,
            planServiceAccount("valkey", namespace, version),
            child,
        );
        const service = new k8s.core.v1.Service(
            `${name}-service`,
            planService({ ...place, port: { name: "valkey", number: port } }),
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
            pulumi.interpolate`rediss://:${password}@${service.metadata.name}:${port}/0?ssl_cert_reqs=required&ssl_ca_certs=${caFile}`,
        );
        this.url = { kind: "value", value };
        this.resources = [server, service];
        this.registerOutputs({});
    }
}
