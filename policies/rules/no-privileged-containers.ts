import { podSecurityBaseline, type ContainerRule } from "../rule.ts";
import { at } from "../values.ts";

export const noPrivilegedContainers: ContainerRule = {
    name: "no-privileged-containers",
    level: "mandatory",
    scope: "container",
    containers: "all",
    description: "A privileged container has every device and right of its node.",
    remedy: "Remove securityContext.privileged.",
    reference: podSecurityBaseline,
    found: (container) =>
        at(container.spec, "securityContext", "privileged") === true ? "privileged is true" : undefined,
    cel: { broken: "c.?securityContext.?privileged.orValue(false) == true", found: `"privileged is true"` },
};
