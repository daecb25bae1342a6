import { hardeningGuide, type ContainerRule } from "../rule.ts";
import { at } from "../values.ts";

export const ephemeralStorageLimits: ContainerRule = {
    name: "ephemeral-storage-limits",
    // A LimitRange may give the limit as well, which only the API server sees.
    level: "advisory",
    scope: "container",
    containers: "lasting",
    description:
        "Logs and files of a container without a limit fill the node's disk, and the node evicts its neighbours.",
    remedy: "Set resources.limits.ephemeral-storage.",
    reference: hardeningGuide("Resource policies"),
    found: (container) =>
        at(container.spec, "resources", "limits", "ephemeral-storage") === undefined
            ? "has no ephemeral-storage limit"
            : undefined,
    cel: {
        broken: `!c.?resources.?limits[?"ephemeral-storage"].hasValue()`,
        found: `"has no ephemeral-storage limit"`,
    },
};
