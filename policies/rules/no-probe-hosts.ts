import { podSecurityBaseline, type ContainerRule } from "../rule.ts";
import { at, text } from "../values.ts";

const handlers = [
    ...["livenessProbe", "readinessProbe", "startupProbe"].map((probe) => [probe]),
    ...["postStart", "preStop"].map((hook) => ["lifecycle", hook]),
];
const ways = ["httpGet", "tcpSocket"];
const offenders = handlers
    .map((path) => {
        const set = ways.map((way) => `c.${path.map((key) => `?${key}`).join(".")}.?${way}.?host.orValue("") != ""`);
        return `(${set.join(" || ")} ? ["${path.join(".")}"] : [])`;
    })
    .join(" + ");

export const noProbeHosts: ContainerRule = {
    name: "no-probe-hosts",
    level: "mandatory",
    scope: "container",
    containers: "lasting",
    description: "The kubelet probes from the node: with a host it knocks at doors that the pod itself cannot reach.",
    remedy: "Remove host from probes and lifecycle hooks; the pod's own address is the default.",
    reference: podSecurityBaseline,
    found(container) {
        const found = handlers.filter((path) =>
            ways.some((way) => (text(at(container.spec, ...path, way, "host")) ?? "") !== ""),
        );
        return found.length > 0 ? `names a host in ${found.map((path) => path.join(".")).join(", ")}` : undefined;
    },
    cel: { broken: `(${offenders}).size() > 0`, found: `"names a host in " + (${offenders}).join(", ")` },
};
