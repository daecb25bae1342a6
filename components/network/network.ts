import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { objectLabels } from "../kubernetes/labels";
import { planEnforcement, planNetworkPolicies, type NetworkSettings } from "./network.plan";

export interface NetworkPoliciesArgs {
    readonly stack: NetworkSettings;
    readonly namespace: pulumi.Input<string>;
}

/** @see https://kubernetes.io/docs/concepts/services-networking/network-policies/ */
export class NetworkPolicies extends pulumi.ComponentResource {
    constructor(name: string, { stack, namespace }: NetworkPoliciesArgs, opts?: pulumi.ComponentResourceOptions) {
        super("orcheo:index:NetworkPolicies", name, {}, opts);
        const labels = objectLabels();
        for (const [policy, spec] of Object.entries(planNetworkPolicies(stack)))
            new k8s.networking.v1.NetworkPolicy(
                `${name}-${policy}`,
                { metadata: { name: policy, namespace, labels }, spec },
                { parent: this },
            );
        const enforcement = planEnforcement(stack);
        if (enforcement !== undefined) new k8s.core.v1.ConfigMap(`${name}-enforcement`, enforcement, { parent: this });
        this.registerOutputs({});
    }
}
