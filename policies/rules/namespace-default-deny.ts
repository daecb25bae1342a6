import { hardeningGuide, type StackRule } from "../rule.ts";
import { called, inNamespace, ofKind } from "../stack.ts";
import { at, fields, holdsUnknown, list, strings, UNKNOWN } from "../values.ts";

const directions = [
    ["Ingress", "ingress"],
    ["Egress", "egress"],
] as const;

export const namespaceDefaultDeny: StackRule = {
    name: "namespace-default-deny",
    level: "mandatory",
    scope: "stack",
    description: "What no NetworkPolicy speaks of is open to the whole cluster and to the outside.",
    remedy: "Add a NetworkPolicy with podSelector {} and policyTypes [Ingress, Egress] that allows nothing.",
    reference: hardeningGuide("Network separation and hardening"),
    notInCel: "it needs other objects than the one at hand",
    found: (resources) =>
        ofKind(resources, "Namespace").flatMap((resource) => {
            const policies = ofKind(resources, "NetworkPolicy").filter((policy) => inNamespace(policy, resource));
            const open = directions.filter(
                ([type, rules]) =>
                    !policies.some((policy) => {
                        const spec = at(policy.props, "spec");
                        const selector = fields(at(spec, "podSelector"));
                        const all =
                            Object.keys(fields(selector["matchLabels"])).length === 0 &&
                            list(selector["matchExpressions"]).length === 0;
                        const types = at(spec, "policyTypes");
                        return (
                            spec === UNKNOWN ||
                            (all &&
                                (holdsUnknown(types) || strings(types).includes(type)) &&
                                list(at(spec, rules)).length === 0)
                        );
                    }),
            );
            const names = open.map(([type]) => type.toLowerCase()).join(" and ");
            return open.length > 0 ? [{ resource, found: `${called(resource)} denies no ${names} by default` }] : [];
        }),
};
