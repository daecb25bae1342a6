import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { acmeOf, usesGateway } from "../config/kinds";
import type { Stack } from "../config/schema";
import { planCertificate } from "../kubernetes/certificates.plan";
import { planEntrance, type EntrancePlan, type EntranceSettings } from "./entrance.plan";
import { AcmeIssuer } from "./issuer";
import { issuerOf } from "./issuer.plan";

export interface EntranceArgs {
    readonly stack: EntranceSettings & Pick<Stack, "network" | "publicUrl">;
    readonly namespace: pulumi.Input<string>;
    /** What serves, each with the Secret whose ca.crt signs it. */
    readonly backend: { readonly authoritySecret: pulumi.Output<string> };
    readonly canvas: { readonly authoritySecret: pulumi.Output<string> };
}

/** Ingress: certificate, routes, https up to the pods. */
export class Entrance extends pulumi.ComponentResource {
    readonly url: string;

    constructor(name: string, args: EntranceArgs, opts?: pulumi.ComponentResourceOptions) {
        super("orcheo:index:Entrance", name, {}, opts);
        const { stack, namespace, backend, canvas } = args;
        const child = { parent: this };
        const authorities = { api: backend.authoritySecret, canvas: canvas.authoritySecret };
        const plan = planEntrance(stack, namespace, authorities);
        const declare = (objects: EntrancePlan["objects"], opts: pulumi.CustomResourceOptions) =>
            Object.entries(objects).map(
                ([part, object]) => new k8s.apiextensions.CustomResource(`${name}-${part}`, object, opts),
            );
        const rules = declare(plan.objects, child);
        for (const [part, ingress] of Object.entries(plan.ingresses))
            new k8s.networking.v1.Ingress(`${name}-${part}`, ingress, { ...child, dependsOn: rules });
        const served = this.certificate(name, args, rules);
        declare(plan.routes, { ...child, dependsOn: [...rules, ...served] });
        this.url = stack.publicUrl;
        this.registerOutputs({ url: this.url });
    }

    /** None when it is there already. A Gateway of the stack's own comes first: ACME's proof goes through it. */
    private certificate(
        name: string,
        { stack, namespace }: EntranceArgs,
        rules: pulumi.Resource[],
    ): k8s.apiextensions.CustomResource[] {
        const { controller } = stack.entrance;
        const acme = acmeOf(stack.entrance);
        const issuer = issuerOf(stack);
        if (issuer === undefined) return [];
        const child = { parent: this };
        const made =
            acme === undefined ? [] : [new AcmeIssuer(`${name}-acme`, { stack, namespace, acme, issuer }, child)];
        const before = usesGateway(controller) ? [...made, ...rules] : made;
        const order = before.length > 0 ? { dependsOn: before } : {};
        const plan = planCertificate({ name: "entrance", namespace, issuer, host: stack.host });
        return [new k8s.apiextensions.CustomResource(`${name}-tls`, plan, { ...child, ...order })];
    }
}
