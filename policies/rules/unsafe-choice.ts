import type { ResourceRule } from "../rule.ts";
import { at, text } from "../values.ts";

export const unsafeChoice: ResourceRule = {
    name: "unsafe-choice",
    level: "mandatory",
    scope: "resource",
    description: "A setting that takes a safe default away is somebody's decision, and is to be read as one.",
    remedy: "Set it back, or name it in orcheo:policyExceptions as UnsafeChoice::<setting>, with the reason and an expiry date.",
    reference: {
        title: "This project: components/stack/unsafe.plan.ts",
        url: "https://www.pulumi.com/docs/iac/concepts/config/",
    },
    types: (type) => type.endsWith(":UnsafeChoice"),
    notInCel: "it is about the stack's config",
    found({ name, props }) {
        const found = text(at(props, "found")) ?? "set";
        return [`"${name}" is ${found}: ${text(at(props, "consequence")) ?? "a safe default is taken away"}`];
    },
};
