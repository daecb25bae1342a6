import { podSecurityBaseline, type PodRule } from "../rule.ts";
import { at } from "../values.ts";

const namespaces = ["hostNetwork", "hostPID", "hostIPC"] as const;
const shared = namespaces.map((field) => `(variables.pod.?${field}.orValue(false) ? ["${field}"] : [])`).join(" + ");

export const noHostNamespaces: PodRule = {
    name: "no-host-namespaces",
    level: "mandatory",
    scope: "pod",
    description: "A pod in the node's network, process or IPC namespace sees and reaches what belongs to the node.",
    remedy: "Remove hostNetwork, hostPID and hostIPC.",
    reference: podSecurityBaseline,
    found(pod) {
        const found = namespaces.filter((field) => at(pod.spec, field) === true);
        return found.length > 0 ? `shares the node's namespaces: ${found.join(", ")}` : undefined;
    },
    cel: {
        broken: `(${shared}).size() > 0`,
        found: `"shares the node's namespaces: " + (${shared}).join(", ")`,
    },
};
