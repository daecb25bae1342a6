import { effectiveCel, podSecurityBaseline, type ContainerRule } from "../rule.ts";
import { effective } from "../workloads.ts";

export const noHostProcess: ContainerRule = {
    name: "no-host-process",
    level: "mandatory",
    scope: "container",
    containers: "all",
    description: "A Windows HostProcess container is a process of the node with all its rights.",
    remedy: "Remove securityContext.windowsOptions.hostProcess.",
    reference: podSecurityBaseline,
    found: (container, pod) =>
        effective(container, pod, "windowsOptions", "hostProcess") === true
            ? "windowsOptions.hostProcess is true"
            : undefined,
    cel: {
        broken: `${effectiveCel("windowsOptions.hostProcess")}.orValue(false)`,
        found: `"windowsOptions.hostProcess is true"`,
    },
};
