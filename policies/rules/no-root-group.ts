import { hardeningGuide, type PodRule } from "../rule.ts";
import { at, list, number } from "../values.ts";

const context = "variables.pod.?securityContext";
const containers = ["containers", "initContainers", "ephemeralContainers"];
const own = ["runAsGroup", "fsGroup"] as const;
const found =
    "(" +
    [
        ...own.map((field) => `(${context}.?${field}.orValue(1) == 0 ? ["${field}"] : [])`),
        `(${context}.?supplementalGroups.orValue([]).exists(g, g == 0) ? ["supplementalGroups"] : [])`,
        ...containers.map(
            (key) =>
                `variables.pod.?${key}.orValue([]).filter(c, c.?securityContext.?runAsGroup.orValue(1) == 0)` +
                `.map(c, "runAsGroup of container \\"" + c.name + "\\"")`,
        ),
    ].join(" + ") +
    ")";

export const noRootGroup: PodRule = {
    name: "no-root-group",
    level: "mandatory",
    scope: "pod",
    description:
        "Group 0 is root's: it may read, and at times write, what belongs to root in the image and on volumes.",
    remedy: "Set runAsGroup, fsGroup and supplementalGroups to a group of the image's own.",
    reference: hardeningGuide("Non-root containers and rootless container engines"),
    found(pod) {
        const security = at(pod.spec, "securityContext");
        const groups = list(at(security, "supplementalGroups"));
        const all = [
            ...own.filter((field) => number(at(security, field)) === 0),
            ...(groups.some((group) => number(group) === 0) ? ["supplementalGroups"] : []),
            ...pod.containers
                .filter(({ spec }) => number(at(spec, "securityContext", "runAsGroup")) === 0)
                .map(({ name }) => `runAsGroup of container "${name}"`),
        ];
        return all.length > 0 ? `is in group 0 by ${all.join(", ")}` : undefined;
    },
    cel: { broken: `${found}.size() > 0`, found: `"is in group 0 by " + ${found}.join(", ")` },
};
