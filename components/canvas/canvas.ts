import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { ports } from "../config/ports";
import type { Stack } from "../config/schema";
import type { Authority } from "../kubernetes/certificates";
import { planDisruptionBudget } from "../kubernetes/disruption-budget.plan";
import { serviceAccount, type AccountSettings } from "../kubernetes/service-account";
import { planService } from "../kubernetes/service.plan";
import { planPodMonitor } from "../monitoring/monitoring.plan";
import { planCanvas, type CanvasSettings } from "./canvas.plan";

export interface CanvasArgs {
    readonly stack: CanvasSettings & AccountSettings & Pick<Stack, "entrance">;
    readonly namespace: pulumi.Input<string>;
    readonly image: pulumi.Input<string>;
    readonly authority: Authority;
}

/** The front end behind nginx. */
export class Canvas extends pulumi.ComponentResource {
    /** Secret whose ca.crt signs the server. */
    readonly authoritySecret: pulumi.Output<string>;
    readonly deployment: k8s.apps.v1.Deployment;

    constructor(name: string, args: CanvasArgs, opts?: pulumi.ComponentResourceOptions) {
        super("orcheo:index:Canvas", name, {}, opts);
        const { stack, namespace, image, authority } = args;
        const child = { parent: this };
        this.authoritySecret = authority.serverCertificate("canvas", child);
        const serviceAccountName = serviceAccount(`${name}-account`, "canvas", { stack, namespace }, child);
        this.deployment = new k8s.apps.v1.Deployment(
            name,
            planCanvas(stack, {
                namespace,
                image,
                serviceAccountName,
                certificateSecret: this.authoritySecret,
            }),
            child,
        );
        new k8s.core.v1.Service(
            `${name}-service`,
            planService({
                role: "canvas",
                namespace,
                port: { name: "https", number: ports.canvas },
                controller: stack.entrance.controller,
            }),
            child,
        );
        if (stack.monitoring.kind === "prometheusOperator") {
            const plan = planPodMonitor("canvas", stack.monitoring, {
                namespace,
                certificateSecret: this.authoritySecret,
            });
            new k8s.apiextensions.CustomResource(`${name}-metrics`, plan, child);
        }
        new k8s.policy.v1.PodDisruptionBudget(`${name}-disruption`, planDisruptionBudget("canvas", namespace), child);
        this.registerOutputs({});
    }
}
