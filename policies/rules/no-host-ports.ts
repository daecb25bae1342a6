import { podSecurityBaseline, type ContainerRule } from "../rule.ts";
import { at, list, number } from "../values.ts";

const taken = "c.?ports.orValue([]).filter(p, p.?hostPort.orValue(0) != 0)";

export const noHostPorts: ContainerRule = {
    name: "no-host-ports",
    level: "mandatory",
    scope: "container",
    containers: "all",
    description: "A host port goes round Services and NetworkPolicies and ties the pod to one node.",
    remedy: "Remove hostPort and reach the pod through a Service.",
    reference: podSecurityBaseline,
    found(container) {
        const ports = list(at(container.spec, "ports")).map((port) => number(at(port, "hostPort")) ?? 0);
        const host = ports.filter((port) => port !== 0);
        return host.length > 0 ? `takes host port ${host.join(", ")}` : undefined;
    },
    cel: {
        broken: `${taken}.size() > 0`,
        found: `"takes host port " + ${taken}.map(p, string(p.hostPort)).join(", ")`,
    },
};
