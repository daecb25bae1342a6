import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { Aws } from "../config/schema.aws";
import { planPodTrust } from "./identities.plan";
import { planAutoscalerPolicy, policyDocument } from "./policies.plan";

/** Where its Helm chart puts it with the name that docs/aws.md gives. */
const place = { namespace: "kube-system", serviceAccount: "cluster-autoscaler" };

/** The identity of a cluster autoscaler, which the cluster's operators install: it scales the node groups of this cluster alone. */
export function clusterAutoscaler(
    name: string,
    settings: Aws,
    clusterName: pulumi.Output<string>,
    child: pulumi.CustomResourceOptions,
): void {
    const role = new aws.iam.Role(
        `${name}-role`,
        {
            namePrefix: `${settings.name}-autoscaler-`,
            assumeRolePolicy: policyDocument([planPodTrust({ settings, clusterName, ...place })]),
        },
        child,
    );
    new aws.iam.RolePolicy(
        `${name}-policy`,
        { role: role.name, policy: policyDocument(planAutoscalerPolicy(settings)) },
        child,
    );
    new aws.eks.PodIdentityAssociation(name, { ...place, clusterName, roleArn: role.arn }, child);
}
