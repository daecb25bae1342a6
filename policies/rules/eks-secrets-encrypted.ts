import { called, control, notInCel, oneOrMore } from "../aws.ts";
import type { ResourceRule } from "../rule.ts";
import { at, holdsUnknown } from "../values.ts";

export const eksSecretsEncrypted: ResourceRule = {
    name: "eks-secrets-encrypted",
    level: "mandatory",
    scope: "resource",
    types: ["aws:eks/cluster:Cluster"],
    description: "Only a key of one's own says who may read the cluster's Secrets, and can be taken away.",
    remedy: `Set encryptionConfig with the key's provider.keyArn and resources: ["secrets"].`,
    reference: control("EKS.3"),
    notInCel,
    found(resource) {
        const config = at(resource.props, "encryptionConfig");
        if (holdsUnknown(at(config, "resources")) || holdsUnknown(config)) return [];
        const key = at(config, "provider", "keyArn");
        const secrets = oneOrMore(at(config, "resources")).includes("secrets");
        if (secrets && key !== undefined && key !== "") return [];
        return [`${called(resource)} does not encrypt Secrets with its own key`];
    },
};
