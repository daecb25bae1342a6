import { builtIn } from "../kinds.ts";
import type { ResourceRule } from "../rule.ts";
import { fileHoldsSecret, isFormatted, isNamedSecret } from "../secrets.ts";
import { called } from "../stack.ts";
import { at, fields, text } from "../values.ts";

/** Texts of a user interface: what stands beside `password` in them is a word of some language. */
const translations = /(^|[._-])(messages?|labels|i18n|l10n|locales?|translations?|strings)([._-]|$)/i;

export const noSecretsInConfigMaps: ResourceRule = {
    name: "no-secrets-in-config-maps",
    level: "mandatory",
    scope: "resource",
    types: builtIn("ConfigMap"),
    description: "Anyone with read access to the namespace can read a ConfigMap, and etcd does not encrypt it.",
    remedy: "Keep it in a Secret and mount that as a file.",
    reference: {
        title: "Kubernetes: ConfigMaps",
        url: "https://kubernetes.io/docs/concepts/configuration/configmap/",
    },
    notInCel: "only pod rules are deployed to the cluster",
    found(resource) {
        const entries = Object.entries(fields(at(resource.props, "data")));
        const secret = entries.filter(([key, value]) => {
            const found = text(value) ?? "";
            if (found.includes("\n") && translations.test(key)) return isFormatted(found);
            // A file's name is not the name of a value.
            return fileHoldsSecret(found, key) || (!found.includes("\n") && isNamedSecret(key, found));
        });
        if (secret.length === 0) return [];
        return [`${called(resource)} holds what looks like a secret in ${secret.map(([key]) => key).join(", ")}`];
    },
};
