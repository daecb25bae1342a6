import { podSecurity, type ContainerRule } from "../rule.ts";
import { at, strings } from "../values.ts";

const tooMuch = `c.?securityContext.?capabilities.?add.orValue([]).filter(a, a != "NET_BIND_SERVICE")`;

export const noAddedCapabilities: ContainerRule = {
    name: "no-added-capabilities",
    level: "mandatory",
    scope: "container",
    containers: "all",
    description: "An added capability gives back a part of root; only NET_BIND_SERVICE is harmless.",
    remedy: "Remove it from securityContext.capabilities.add.",
    reference: podSecurity,
    found(container) {
        const added = strings(at(container.spec, "securityContext", "capabilities", "add"));
        const excess = added.filter((capability) => capability !== "NET_BIND_SERVICE");
        return excess.length > 0 ? `capabilities.add has ${excess.join(", ")}` : undefined;
    },
    cel: { broken: `${tooMuch}.size() > 0`, found: `"capabilities.add has " + ${tooMuch}.join(", ")` },
};
