import { builtIn } from "../kinds.ts";
import { podSecurity, type ResourceRule } from "../rule.ts";
import { called } from "../stack.ts";
import { at, shown, UNKNOWN } from "../values.ts";

const label = "pod-security.kubernetes.io/enforce";

export const namespacePodSecurity: ResourceRule = {
    name: "namespace-pod-security",
    level: "mandatory",
    scope: "resource",
    types: builtIn("Namespace"),
    description: "Without the label the cluster's own admission lets any pod into the namespace.",
    remedy: `Label the namespace ${label}: restricted.`,
    reference: podSecurity,
    notInCel: "the policies are bound inside namespaces, not to namespaces",
    found(resource) {
        const value = at(resource.props, "metadata", "labels", label);
        return value === "restricted" || value === UNKNOWN ? [] : [`${called(resource)}: ${shown(label, value)}`];
    },
};
