import { called, control, nist, notInCel } from "../aws.ts";
import type { ResourceRule } from "../rule.ts";
import { at, shown, UNKNOWN } from "../values.ts";

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
        const spec = at(resource.props, "customerMasterKeySpec") ?? "SYMMETRIC_DEFAULT";
        const value = at(resource.props, "enableKeyRotation");
        return spec !== "SYMMETRIC_DEFAULT" || value === true || value === UNKNOWN
            ? []
            : [`${called(resource)}: ${shown("enableKeyRotation", value)}`];
    },
};
