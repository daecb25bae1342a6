import { effectiveCel, podSecurityBaseline, type ContainerRule } from "../rule.ts";
import { text } from "../values.ts";
import { effective } from "../workloads.ts";

const types = ["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];
const option = (field: string): string => `${effectiveCel(`seLinuxOptions.${field}`)}.orValue("")`;

export const selinuxOptions: ContainerRule = {
    name: "selinux-options",
    level: "mandatory",
    scope: "container",
    containers: "all",
    description: "A custom SELinux user, role or type can lift the container's confinement.",
    remedy: "Leave seLinuxOptions user and role out; let type be a container type of the node's own policy.",
    reference: podSecurityBaseline,
    found(container, pod) {
        const own = (field: string): string => text(effective(container, pod, "seLinuxOptions", field)) ?? "";
        if (types.includes(own("type")) && own("user") === "" && own("role") === "") return undefined;
        return `its SELinux context is "${own("user")}:${own("role")}:${own("type")}"`;
    },
    cel: {
        broken: `!(${option("type")} in ${JSON.stringify(types)}) || ${option("user")} != "" || ${option("role")} != ""`,
        found: `"its SELinux context is \\"" + ${option("user")} + ":" + ${option("role")} + ":" + ${option("type")} + "\\""`,
    },
};
