import { podSecurity, type ContainerRule } from "../rule.ts";
import { at, fields, holdsUnknown, strings } from "../values.ts";

const dropped = "c.?securityContext.?capabilities.?drop.orValue([])";

export const dropAllCapabilities: ContainerRule = {
    name: "drop-all-capabilities",
    level: "mandatory",
    scope: "container",
    containers: "all",
    linuxOnly: true,
    description: "The container runtime's default capabilities are more than a service needs.",
    remedy: `Set securityContext.capabilities.drop: ["ALL"] on the container.`,
    reference: podSecurity,
    found(container) {
        const value = at(container.spec, "securityContext", "capabilities", "drop");
        if (holdsUnknown(value) || (Array.isArray(value) && value.includes("ALL"))) return undefined;
        return `capabilities.drop is [${strings(value).join(", ")}]`;
    },
    cel: { broken: `!("ALL" in ${dropped})`, found: `"capabilities.drop is [" + ${dropped}.join(", ") + "]"` },
    remediate(container) {
        const context = fields(container["securityContext"]);
        container["securityContext"] = {
            ...context,
            capabilities: { ...fields(context["capabilities"]), drop: ["ALL"] },
        };
    },
};
