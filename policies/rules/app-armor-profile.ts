import { effectiveCel, podSecurityBaseline, type ContainerRule } from "../rule.ts";
import { at } from "../values.ts";
import { effective } from "../workloads.ts";

const annotation = "container.apparmor.security.beta.kubernetes.io/";

export const appArmorProfile: ContainerRule = {
    name: "app-armor-profile",
    level: "mandatory",
    scope: "container",
    containers: "all",
    description: "A container may leave AppArmor to its node, but not switch it off.",
    remedy: "Remove the Unconfined AppArmor profile, or name RuntimeDefault.",
    reference: podSecurityBaseline,
    found(container, pod) {
        const unconfined =
            effective(container, pod, "appArmorProfile", "type") === "Unconfined" ||
            at(pod.metadata, "annotations", annotation + container.name) === "unconfined";
        return unconfined ? "its AppArmor profile is Unconfined" : undefined;
    },
    cel: {
        broken:
            `${effectiveCel("appArmorProfile.type")}.orValue("") == "Unconfined" || ` +
            `variables.meta.?annotations[?("${annotation}" + c.name)].orValue("") == "unconfined"`,
        found: `"its AppArmor profile is Unconfined"`,
    },
};
