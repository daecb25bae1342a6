import { called, control, notInCel } from "../aws.ts";
import type { ResourceRule } from "../rule.ts";
import { at, shown, UNKNOWN } from "../values.ts";

export const ecrImmutableTags: ResourceRule = {
    name: "ecr-immutable-tags",
    level: "mandatory",
    scope: "resource",
    types: ["aws:ecr/repository:Repository"],
    description: "A tag that can be moved makes a release another one.",
    remedy: "Set imageTagMutability: IMMUTABLE.",
    reference: control("ECR.2"),
    notInCel,
    found(resource) {
        const value = at(resource.props, "imageTagMutability");
        return value === "IMMUTABLE" || value === UNKNOWN
            ? []
            : [`${called(resource)}: ${shown("imageTagMutability", value)}`];
    },
};
