import { builtIn } from "../kinds.ts";
import type { ResourceRule } from "../rule.ts";
import { called } from "../stack.ts";
import { at, fields, text } from "../values.ts";
import { looksSecret } from "./no-secret-literals.ts";

export const noSecretsInConfigMaps: ResourceRule = {
    name: "no-secrets-in-config-maps",
    level: "mandatory",
    scope: "resource",
    types: builtIn("ConfigMap"),
    description: "A ConfigMap is read by whoever may look around in the namespace, and is not encrypted in etcd.",
    remedy: "Keep it in a Secret and mount that as a file.",
    reference: {
        title: "Kubernetes: ConfigMaps",
        url: "https://kubernetes.io/docs/concepts/configuration/configmap/",
    },
    notInCel: "only pod rules are deployed to the cluster",
    found(resource) {
        // Of a file only what is a secret by itself: its lines have names in any syntax.
        const entries = Object.entries(fields(at(resource.props, "data")));
        const secret = entries.filter(([key, value]) => {
            const found = text(value) ?? "";
            return looksSecret(found.includes("\n") ? "" : key, found);
        });
        if (secret.length === 0) return [];
        return [`${called(resource)} holds what looks like a secret in ${secret.map(([key]) => key).join(", ")}`];
    },
};
