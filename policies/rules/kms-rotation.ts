import { control, isTrue, nist, notInCel, unless } from "../aws.ts";
import type { ResourceRule } from "../rule.ts";
import { at } from "../values.ts";

export const kmsRotation: ResourceRule = {
    name: "kms-rotation",
    level: "mandatory",
    scope: "resource",
    types: ["aws:kms/key:Key"],
    description: "A key that never changes protects everything ever written with it, or nothing.",
    remedy: "Set enableKeyRotation: true.",
    reference: control("KMS.4", nist),
    notInCel,
    found(resource) {
        // Keys of other kinds cannot rotate.
        const spec = at(resource.props, "customerMasterKeySpec") ?? "SYMMETRIC_DEFAULT";
        return spec === "SYMMETRIC_DEFAULT" ? unless(resource, ["enableKeyRotation"], isTrue) : [];
    },
};
