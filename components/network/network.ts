import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { objectLabels } from "../kubernetes/labels";
import { planServiceAccount } from "../kubernetes/service-account.plan";
import { planEnforcement, planNetworkPolicies, type NetworkSettings } from "./network.plan";
import { planProbe, probeName, type ProbeSettings } from "./probe.plan";

export interface NetworkPoliciesArgs {
    readonly stack: NetworkSettings & ProbeSettings;
    readonly namespace: pulumi.Input<string>;
    /** For the probe: any with bash, and better a small one, which everything else waits for. */
    readonly image: pulumi.Input<string>;
}

/** @see https://kubernetes.io/docs/concepts/services-networking/network-policies/ */
export class NetworkPolicies extends pulumi.ComponentResource {
    constructor(
        name: string,
        { stack, namespace, image }: NetworkPoliciesArgs,
        opts?: pulumi.ComponentResourceOptions,
    ) {
        super("orcheo:index:NetworkPolicies", name, {}, opts);
        const labels = objectLabels();
        const child = { parent: this };
        const policies = planNetworkPolicies(stack);
        const made: pulumi.Resource[] = Object.entries(policies).map(
            ([policy, spec]) =>
                new k8s.networking.v1.NetworkPolicy(
                    `${name}-${policy}`,
                    { metadata: { name: policy, namespace, labels }, spec },
                    child,
                ),
        );
        const enforcement = planEnforcement(stack);
        if (enforcement !== undefined) made.push(new k8s.core.v1.ConfigMap(`${name}-enforcement`, enforcement, child));
        // Whatever waits for the policies waits for this Job as well.
        if (stack.network.enforcement === "probed") {
            const account = planServiceAccount(probeName, namespace);
            const { metadata } = new k8s.core.v1.ServiceAccount(`${name}-probe-account`, account, child);
            const inputs = { namespace, image, serviceAccountName: metadata.name };
            const options = { ...child, dependsOn: made, customTimeouts: { create: "5m" } };
            new k8s.batch.v1.Job(probeName, planProbe(stack, policies, inputs), options);
        }
        this.registerOutputs({});
    }
}
