import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Authority } from "../certificates";
import type { Stack } from "../config/schema";
import { planClaim, planService, planServiceAccount } from "../objects.plan";
import { secretOf } from "../secrets";
import { caFile } from "../volumes";
import type { Cache } from "./cache";
import { planValkey, port } from "./valkey.plan";

export interface ValkeyArgs {
    readonly stack: Stack;
    readonly namespace: pulumi.Input<string>;
    readonly image: pulumi.Input<string>;
    readonly password: pulumi.Output<string>;
    readonly authority: Authority;
}

/** Valkey in the namespace: append-only file on a volume, password, TLS only. Runs that wait in it are data too. */
export class Valkey extends pulumi.ComponentResource implements Cache {
    readonly url: pulumi.Output<string>;
    readonly resources: readonly pulumi.Resource[];

    constructor(name: string, args: ValkeyArgs, opts?: pulumi.ComponentResourceOptions) {
        super("orcheo:index:Valkey", name, {}, opts);
        const { stack, namespace, image, password, authority } = args;
        const { cache, version } = stack;
        const child = { parent: this };
        const place = { role: "valkey" as const, namespace, version };
        const certificateSecret = authority.serverCertificate("valkey", child);
        const claim = new k8s.core.v1.PersistentVolumeClaim(`${name}-data`, planClaim({ ...place, ...cache }), {
            ...child,
            protect: true,
            retainOnDelete: true,
        });
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
            planValkey(stack, {
                namespace,
                image,
                serviceAccountName: account.metadata.name,
                passwordSecret: secret.metadata.name,
                certificateSecret,
                claimName: claim.metadata.name,
            }),
            child,
        );
        this.url = pulumi.secret(
            pulumi.interpolate`rediss://:${password}@${service.metadata.name}:${port}/0?ssl_cert_reqs=required&ssl_ca_certs=${caFile}`,
        );
        this.resources = [server, service];
        this.registerOutputs({});
    }
}
