import { effectiveCel, podSecurity, type ContainerRule } from "../rule.ts";
import { number } from "../values.ts";
import { effective } from "../workloads.ts";

export const nonZeroUid: ContainerRule = {
    name: "non-zero-uid",
    level: "mandatory",
    scope: "container",
    containers: "all",
    description: "Uid 0 is root, whatever else the pod says.",
    remedy: "Set securityContext.runAsUser to the image's own unprivileged uid, or leave it out.",
    reference: podSecurity,
    found: (container, pod) => (number(effective(container, pod, "runAsUser")) === 0 ? "runAsUser is 0" : undefined),
    cel: { broken: `${effectiveCel("runAsUser")}.orValue(1) == 0`, found: `"runAsUser is 0"` },
};
