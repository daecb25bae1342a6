import { control, notInCel, unless } from "../aws.ts";
import type { ResourceRule } from "../rule.ts";

export const ecrImmutableTags: ResourceRule = {
    name: "ecr-immutable-tags",
    level: "mandatory",
    scope: "resource",
    types: ["aws:ecr/repository:Repository"],
    description: "A tag that can be moved makes a release another one.",
    remedy: "Set imageTagMutability: IMMUTABLE.",
    reference: control("ECR.2"),
    notInCel,
    found: (resource) => unless(resource, ["imageTagMutability"], (value) => value === "IMMUTABLE"),
};
