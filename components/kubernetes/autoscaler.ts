import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Stack } from "../config/schema";
import { planAutoscaler } from "./autoscaler.plan";

export interface AutoscalerArgs {
    /** Name of the Deployment; its `replicas` must be left out. */
    readonly deployment: string;
    readonly namespace: pulumi.Input<string>;
    readonly labels: Readonly<Record<string, string>>;
    readonly scaling: Stack["api"]["scaling"];
}

/**
 * Scales one Deployment on CPU and memory, as percent of its requests.
 *
 * @see https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/
 */
export class Autoscaler extends pulumi.ComponentResource {
    constructor(name: string, args: AutoscalerArgs, opts?: pulumi.ComponentResourceOptions) {
        super("orcheo:index:Autoscaler", name, {}, opts);
        const { deployment, namespace, labels, scaling } = args;
        new k8s.autoscaling.v2.HorizontalPodAutoscaler(
            name,
            {
                // The first measurements take a while: readiness of the autoscaler is none of the stack's.
                metadata: { name: deployment, namespace, labels, annotations: { "pulumi.com/skipAwait": "true" } },
                spec: planAutoscaler(deployment, scaling),
            },
            { parent: this },
        );
        this.registerOutputs({});
    }
}
