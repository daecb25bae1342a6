import { hardeningGuide, type StackRule } from "../rule.ts";
import { called, inNamespace, ofKind } from "../stack.ts";

export const namespaceQuotaAndLimits: StackRule = {
    name: "namespace-quota-and-limits",
    level: "mandatory",
    scope: "stack",
    description: "A namespace without bounds can take the whole cluster's memory, CPU and disks.",
    remedy: "Give each namespace a ResourceQuota and a LimitRange.",
    reference: hardeningGuide("Resource policies"),
    notInCel: "it needs other objects than the one at hand",
    found: (resources) =>
        ofKind(resources, "Namespace").flatMap((resource) => {
            const absent = ["ResourceQuota", "LimitRange"].filter(
                (kind) => !ofKind(resources, kind).some((each) => inNamespace(each, resource)),
            );
            return absent.length > 0
                ? [{ resource, found: `${called(resource)} has no ${absent.join(" and no ")}` }]
                : [];
        }),
};
