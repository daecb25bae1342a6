/** Who a pod is to AWS: one role for one purpose, taken by named service accounts of one namespace. */
import type * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Aws } from "../config/schema.aws";
import type { ServiceAccounts } from "../config/schema.pods";

export type Identity = "backend" | "backup";

/** Beat needs no vault. The backup Job's service account is its own. */
export const serviceAccountsOf: Readonly<Record<Identity, readonly (keyof ServiceAccounts)[]>> = {
    backend: ["api", "init", "worker"],
    backup: ["backup"],
};

export interface TrustInputs {
    readonly settings: Pick<Aws, "accountId" | "identities" | "region">;
    readonly clusterName: pulumi.Input<string>;
    readonly namespace: string;
    readonly serviceAccount: string | readonly string[];
}

/**
 * The role's trust policy.
 *
 * @see https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html
 * @see https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html
 */
export function planTrust(inputs: TrustInputs): aws.iam.PolicyStatement {
    const { identities } = inputs.settings;
    switch (identities.kind) {
        case "podIdentity":
            return planPodTrust(inputs);
        case "irsa": {
            const { namespace, serviceAccount } = inputs;
            const issuer = identities.oidcProviderArn.slice(identities.oidcProviderArn.indexOf("/") + 1);
            return {
                Effect: "Allow",
                Principal: { Federated: identities.oidcProviderArn },
                Action: "sts:AssumeRoleWithWebIdentity",
                Condition: {
                    StringEquals: {
                        [`${issuer}:aud`]: "sts.amazonaws.com",
                        [`${issuer}:sub`]: [serviceAccount]
                            .flat()
                            .map((account) => `system:serviceaccount:${namespace}:${account}`),
                    },
                },
            };
        }
    }
}

/** Pods of the cluster that run as one of the accounts may take the role, by EKS Pod Identity. */
export function planPodTrust({
    settings: { accountId, region },
    clusterName,
    namespace,
    serviceAccount,
}: TrustInputs): aws.iam.PolicyStatement {
    const accounts = typeof serviceAccount === "string" ? serviceAccount : [...serviceAccount];
    return {
        Effect: "Allow",
        Principal: { Service: "pods.eks.amazonaws.com" },
        Action: ["sts:AssumeRole", "sts:TagSession"],
        Condition: {
            StringEquals: {
                "aws:RequestTag/eks-cluster-arn": pulumi.interpolate`arn:aws:eks:${region}:${accountId}:cluster/${clusterName}`,
                "aws:RequestTag/kubernetes-namespace": namespace,
                "aws:RequestTag/kubernetes-service-account": accounts,
            },
        },
    };
}
