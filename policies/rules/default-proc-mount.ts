import { podSecurityBaseline, type ContainerRule } from "../rule.ts";
import { at } from "../values.ts";

export const defaultProcMount: ContainerRule = {
    name: "default-proc-mount",
    level: "mandatory",
    scope: "container",
    containers: "all",
    description: "An unmasked /proc shows the container what belongs to the node.",
    remedy: "Remove securityContext.procMount.",
    reference: podSecurityBaseline,
    found: (container) =>
        at(container.spec, "securityContext", "procMount") === "Unmasked" ? "procMount is Unmasked" : undefined,
    cel: {
        broken: `c.?securityContext.?procMount.orValue("Default") == "Unmasked"`,
        found: `"procMount is Unmasked"`,
    },
};
