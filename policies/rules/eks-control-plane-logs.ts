import { called, control, notInCel, oneOrMore } from "../aws.ts";
import type { ResourceRule } from "../rule.ts";
import { at, holdsUnknown, strings } from "../values.ts";

export const eksControlPlaneLogs: ResourceRule = {
    name: "eks-control-plane-logs",
    level: "mandatory",
    scope: "resource",
    types: ["aws:eks/cluster:Cluster"],
    description: "Without the control plane's logs nobody can say afterwards who did what.",
    remedy: "Name them in enabledClusterLogTypes.",
    reference: control("EKS.8"),
    settings: {
        types: {
            type: "array",
            items: { type: "string" },
            description: "Logs that every cluster must write.",
            default: ["api", "audit", "authenticator"],
        },
    },
    notInCel,
    found(resource, settings) {
        const given = at(resource.props, "enabledClusterLogTypes");
        if (holdsUnknown(given)) return [];
        const absent = strings(settings["types"]).filter((type) => !oneOrMore(given).includes(type));
        return absent.length > 0 ? [`${called(resource)} does not write the logs ${absent.join(", ")}`] : [];
    },
};
