import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Stack } from "../config/schema";
import { planPullSecret } from "../kubernetes/pull-secret.plan";
import { planStorageClass } from "../kubernetes/storage-class.plan";
import { planLimitRange, planNamespace, planQuota, type QuotaSettings } from "./cluster.plan";

export interface ClusterArgs {
    readonly stack: QuotaSettings & Pick<Stack, "aws" | "entrance" | "images" | "makesStorageClass" | "registry">;
    /** Of a cluster that the cloud makes; default the configured file. */
    readonly kubeconfig?: pulumi.Output<string>;
    /** The password that pods pull with, where the stack makes their pull secret. */
    readonly registryPassword?: pulumi.Output<string>;
}

/**
 * The cluster's API, and the namespace with its quota and pull secret. The namespace holds the data: protected, and kept on delete.
 *
 * @see https://kubernetes.io/docs/concepts/security/pod-security-admission/
 */
export class Cluster extends pulumi.ComponentResource {
    readonly provider: k8s.Provider;
    readonly namespace: pulumi.Output<string>;

    constructor(name: string, args: ClusterArgs, opts?: pulumi.ComponentResourceOptions) {
        super("orcheo:index:Cluster", name, {}, opts);
        const { stack } = args;
        const { context } = stack.kubernetes;
        const kubeconfig = args.kubeconfig ?? stack.kubernetes.kubeconfig;
        this.provider = new k8s.Provider(
            name,
            { context, ...(kubeconfig !== undefined && { kubeconfig }) },
            { parent: this },
        );
        const inCluster = { parent: this, provider: this.provider };
        if (stack.kubernetes.namespaceKind === "existing") {
            // Read, so that the preview reports a missing one and the policy pack evaluates its labels.
            const found = k8s.core.v1.Namespace.get(`${name}-namespace`, stack.kubernetes.namespace, inCluster);
            this.namespace = found.metadata.name;
        } else {
            const namespace = new k8s.core.v1.Namespace(`${name}-namespace`, planNamespace(stack), {
                ...inCluster,
                protect: true,
                retainOnDelete: true,
            });
            this.namespace = namespace.metadata.name;
            const limits = new k8s.core.v1.LimitRange(`${name}-limits`, planLimitRange(this.namespace), inCluster);
            // After the defaults: a pod without them would be refused by a quota that counts more than before.
            new k8s.core.v1.ResourceQuota(`${name}-quota`, planQuota(stack, this.namespace), {
                ...inCluster,
                dependsOn: [limits],
            });
        }
        if (stack.makesStorageClass)
            new k8s.storage.v1.StorageClass(`${name}-storage`, planStorageClass(stack), inCluster);
        const { pull } = stack.registry;
        if (pull.kind === "credentials" && args.registryPassword !== undefined)
            new k8s.core.v1.Secret(
                `${name}-pull`,
                planPullSecret(stack, pull, args.registryPassword, this.namespace),
                inCluster,
            );
        this.registerOutputs({ namespace: this.namespace });
    }
}
