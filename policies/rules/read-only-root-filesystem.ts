import { hardeningGuide, shownCel, type ContainerRule } from "../rule.ts";
import { at, shown, UNKNOWN } from "../values.ts";

const field = "readOnlyRootFilesystem";
const optional = `c.?securityContext.?${field}`;

export const readOnlyRootFilesystem: ContainerRule = {
    name: "read-only-root-filesystem",
    level: "mandatory",
    scope: "container",
    containers: "all",
    linuxOnly: true,
    description: "An attacker inside a container with a writable root can replace its programs and stay.",
    remedy: "Set securityContext.readOnlyRootFilesystem: true and mount an emptyDir where the program must write.",
    reference: hardeningGuide("Immutable container file systems"),
    found(container) {
        const value = at(container.spec, "securityContext", field);
        return value === true || value === UNKNOWN ? undefined : shown(field, value);
    },
    cel: { broken: `${optional}.orValue(false) != true`, found: shownCel(field, optional) },
};
