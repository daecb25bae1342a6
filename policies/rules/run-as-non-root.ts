import { effectiveCel, podSecurity, shownCel, type ContainerRule } from "../rule.ts";
import { shown, UNKNOWN } from "../values.ts";
import { effective } from "../workloads.ts";

const field = "runAsNonRoot";

export const runAsNonRoot: ContainerRule = {
    name: "run-as-non-root",
    level: "mandatory",
    scope: "container",
    containers: "all",
    description: "A container that may run as root owns the node once it breaks out.",
    remedy: "Set securityContext.runAsNonRoot: true on the pod or the container.",
    reference: podSecurity,
    found(container, pod) {
        const value = effective(container, pod, field);
        return value === true || value === UNKNOWN ? undefined : shown(field, value);
    },
    cel: {
        broken: `${effectiveCel(field)}.orValue(false) != true`,
        found: shownCel(field, effectiveCel(field)),
    },
};
