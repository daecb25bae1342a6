import { builtIn } from "../kinds.ts";
import type { ResourceRule } from "../rule.ts";
import { called } from "../stack.ts";
import { at, shown, strings, UNKNOWN } from "../values.ts";

export const ingressClass: ResourceRule = {
    name: "ingress-class",
    level: "mandatory",
    scope: "resource",
    types: builtIn("Ingress"),
    description: "An Ingress without a known class is served by whichever controller takes it, or by none.",
    remedy: "Set spec.ingressClassName to a class of the rule's setting.",
    reference: {
        title: "Kubernetes: Ingress class",
        url: "https://kubernetes.io/docs/concepts/services-networking/ingress/#ingress-class",
    },
    settings: {
        classes: {
            type: "array",
            items: { type: "string" },
            description: "Allowed ingress classes.",
            default: ["traefik", "nginx", "alb"],
        },
    },
    notInCel: "only pod rules are deployed to the cluster",
    found(resource, settings) {
        const value = at(resource.props, "spec", "ingressClassName");
        if (value === UNKNOWN || strings(settings["classes"]).some((known) => known === value)) return [];
        return [`${called(resource)}: ${shown("ingressClassName", value)}`];
    },
};
