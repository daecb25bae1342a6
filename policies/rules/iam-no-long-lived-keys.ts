import { called, notInCel } from "../aws.ts";
import type { ResourceRule } from "../rule.ts";

export const iamNoLongLivedKeys: ResourceRule = {
    name: "iam-no-long-lived-keys",
    level: "mandatory",
    scope: "resource",
    types: ["aws:iam/accessKey:AccessKey", "aws:iam/serviceSpecificCredential:ServiceSpecificCredential"],
    description: "An access key works for anyone who finds it, until someone remembers to delete it.",
    remedy: "Use a role: EKS Pod Identity or IRSA in the cluster, OIDC in CI.",
    reference: {
        title: "AWS IAM: security best practices, temporary credentials",
        url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#bp-workloads-use-roles",
    },
    notInCel,
    found: (resource) => [`${called(resource)} is a long-lived key`],
};
