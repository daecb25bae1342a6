import { builtIn } from "../kinds.ts";
import type { ResourceRule } from "../rule.ts";
import { called } from "../stack.ts";
import { at, shown, strings, UNKNOWN } from "../values.ts";

export const serviceType: ResourceRule = {
    name: "service-type",
    level: "mandatory",
    scope: "resource",
    types: builtIn("Service"),
    description: "NodePort, LoadBalancer and external IPs open a way in beside the Ingress; ExternalName leads it out.",
    remedy: "Use type ClusterIP behind the Ingress, without externalIPs.",
    reference: {
        title: "CVE-2020-8554: man in the middle by LoadBalancer or ExternalIPs",
        url: "https://github.com/kubernetes/kubernetes/issues/97076",
    },
    settings: {
        types: {
            type: "array",
            items: { type: "string" },
            description: "Allowed Service types.",
            default: ["ClusterIP"],
        },
    },
    notInCel: "only pod rules are deployed to the cluster",
    found(resource, settings) {
        const type = at(resource.props, "spec", "type") ?? "ClusterIP";
        const external = strings(at(resource.props, "spec", "externalIPs"));
        const allowed = type === UNKNOWN || strings(settings["types"]).some((each) => each === type);
        return [
            ...(allowed ? [] : [`${called(resource)}: ${shown("type", type)}`]),
            ...(external.length > 0 ? [`${called(resource)} has externalIPs ${external.join(", ")}`] : []),
        ];
    },
};
