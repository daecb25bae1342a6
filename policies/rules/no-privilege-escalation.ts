import { podSecurity, shownCel, type ContainerRule } from "../rule.ts";
import { at, fields, shown, UNKNOWN } from "../values.ts";

const field = "allowPrivilegeEscalation";
const optional = `c.?securityContext.?${field}`;

export const noPrivilegeEscalation: ContainerRule = {
    name: "no-privilege-escalation",
    level: "mandatory",
    scope: "container",
    containers: "all",
    linuxOnly: true,
    description: "A setuid program can give the process more rights than the container was granted.",
    remedy: "Set securityContext.allowPrivilegeEscalation: false on the container.",
    reference: podSecurity,
    found(container) {
        const value = at(container.spec, "securityContext", field);
        return value === false || value === UNKNOWN ? undefined : shown(field, value);
    },
    cel: { broken: `${optional}.orValue(true) != false`, found: shownCel(field, optional) },
    remediate(container) {
        container["securityContext"] = { ...fields(container["securityContext"]), [field]: false };
    },
};
