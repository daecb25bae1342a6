import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { publicUrl } from "./canvas.plan";
import { certificate } from "./certificates";
import type { Stack } from "./config/schema";
import { planIngresses, planTraefik } from "./entrance.plan";

export interface EntranceArgs {
    readonly stack: Stack;
    readonly namespace: pulumi.Input<string>;
    /** What serves, each with the Secret whose ca.crt signs it. */
    readonly backend: { readonly authoritySecret: pulumi.Output<string> };
    readonly canvas: { readonly authoritySecret: pulumi.Output<string> };
}

/** The way in: certificate, routes, https up to the pods. */
export class Entrance extends pulumi.ComponentResource {
    readonly url: string;

    constructor(name: string, args: EntranceArgs, opts?: pulumi.ComponentResourceOptions) {
        super("orcheo:index:Entrance", name, {}, opts);
        const { stack, namespace, backend, canvas } = args;
        const { tls } = stack.entrance;
        const child = { parent: this };
        if (tls.kind !== "secret") {
            const issuer = {
                kind: tls.kind === "issuer" ? ("Issuer" as const) : ("ClusterIssuer" as const),
                name: tls.name,
            };
            certificate(`${name}-tls`, { name: "entrance", namespace, issuer, host: stack.host }, child);
        }
        const authorities = { api: backend.authoritySecret, canvas: canvas.authoritySecret };
        const rules = Object.entries(planTraefik(stack, namespace, authorities)).map(
            ([part, plan]) => new k8s.apiextensions.CustomResource(`${name}-${part}`, plan, child),
        );
        for (const [part, plan] of Object.entries(planIngresses(stack, namespace)))
            new k8s.networking.v1.Ingress(`${name}-${part}`, plan, { ...child, dependsOn: rules });
        this.url = publicUrl(stack);
        this.registerOutputs({ url: this.url });
    }
}
