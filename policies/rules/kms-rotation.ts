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
        // Keys of other kinds, and those in a key store of one's own, cannot rotate.
        if (["customKeyStoreId", "xksKeyId"].some((key) => at(resource.props, key) !== undefined)) return [];
        const spec = at(resource.props, "customerMasterKeySpec") ?? "SYMMETRIC_DEFAULT";
        return spec === "SYMMETRIC_DEFAULT" ? unless(resource, ["enableKeyRotation"], isTrue) : [];
    },
};
