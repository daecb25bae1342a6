import { effectiveCel, podSecurity, shownCel, type ContainerRule } from "../rule.ts";
import { fields, shown, UNKNOWN } from "../values.ts";
import { effective } from "../workloads.ts";

const field = "seccompProfile.type";

export const seccompProfile: ContainerRule = {
    name: "seccomp-profile",
    level: "mandatory",
    scope: "container",
    containers: "all",
    linuxOnly: true,
    description: "Without a seccomp profile every system call of the kernel can be tried.",
    remedy: "Set securityContext.seccompProfile.type: RuntimeDefault on the pod.",
    reference: podSecurity,
    found(container, pod) {
        const value = effective(container, pod, "seccompProfile", "type");
        const safe = value === "RuntimeDefault" || value === "Localhost" || value === UNKNOWN;
        return safe ? undefined : shown(field, value);
    },
    cel: {
        broken: `!(${effectiveCel(field)}.orValue("") in ["RuntimeDefault", "Localhost"])`,
        found: shownCel(field, effectiveCel(field)),
    },
    remediate(container) {
        container["securityContext"] = {
            ...fields(container["securityContext"]),
            seccompProfile: { type: "RuntimeDefault" },
        };
    },
};
