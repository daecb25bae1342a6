import type { ContainerRule } from "../rule.ts";
import { at, list } from "../values.ts";

const probes = ["livenessProbe", "readinessProbe"] as const;
const missing = probes.map((probe) => `(has(c.${probe}) ? [] : ["${probe}"])`).join(" + ");

export const probesOnWhatServes: ContainerRule = {
    name: "probes-on-what-serves",
    level: "mandatory",
    scope: "container",
    containers: "running",
    description: "Without probes a hung server keeps getting traffic and is never restarted.",
    remedy: "Give each container or sidecar that stays up and declares ports a readinessProbe and a livenessProbe.",
    reference: {
        title: "Kubernetes: liveness, readiness and startup probes",
        url: "https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/",
    },
    found(container, pod) {
        const restart = at(pod.spec, "restartPolicy") ?? "Always";
        if (restart !== "Always" || list(at(container.spec, "ports")).length === 0) return undefined;
        const absent = probes.filter((probe) => at(container.spec, probe) === undefined);
        return absent.length > 0 ? `serves without ${absent.join(" and ")}` : undefined;
    },
    cel: {
        broken:
            `variables.pod.?restartPolicy.orValue("Always") == "Always" && ` +
            `c.?ports.orValue([]).size() > 0 && (${missing}).size() > 0`,
        found: `"serves without " + (${missing}).join(" and ")`,
    },
};
