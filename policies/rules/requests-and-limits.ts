import { hardeningGuide, type ContainerRule } from "../rule.ts";
import { at } from "../values.ts";

// A limit stands for a missing request: Kubernetes fills it in the same way. What the pod has as a whole, its containers share.
const demands = [
    ["CPU request", ["requests", "cpu"], ["limits", "cpu"]],
    ["memory request", ["requests", "memory"], ["limits", "memory"]],
    ["memory limit", ["limits", "memory"], ["limits", "memory"]],
] as const;

const missing = demands
    .map(([name, ...paths]) => {
        const set = paths.flatMap(([group, unit]) =>
            ["c", "variables.pod"].map((of) => `${of}.?resources.?${group}.?${unit}.hasValue()`),
        );
        return `(${set.join(" || ")} ? [] : ["${name}"])`;
    })
    .join(" + ");

export const requestsAndLimits: ContainerRule = {
    name: "requests-and-limits",
    level: "mandatory",
    scope: "container",
    containers: "lasting",
    description: "Without requests the scheduler guesses, and without a memory limit one leak takes the node down.",
    remedy: "Set resources.requests.cpu, resources.requests.memory and resources.limits.memory, on the container or on the pod.",
    reference: hardeningGuide("Resource policies"),
    found(container, pod) {
        const absent = demands.filter(([, ...paths]) =>
            paths.every(([group, unit]) =>
                [container.spec, pod.spec].every((of) => at(of, "resources", group, unit) === undefined),
            ),
        );
        return absent.length > 0 ? `has no ${absent.map(([name]) => name).join(", no ")}` : undefined;
    },
    cel: { broken: `(${missing}).size() > 0`, found: `"has no " + (${missing}).join(", no ")` },
};
