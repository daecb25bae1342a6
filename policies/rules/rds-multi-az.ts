import { called, control, notInCel } from "../aws.ts";
import type { ResourceRule } from "../rule.ts";
import { at, shown, UNKNOWN } from "../values.ts";

export const rdsMultiAz: ResourceRule = {
    name: "rds-multi-az",
    level: "mandatory",
    scope: "resource",
    types: ["aws:rds/instance:Instance"],
    description: "With one zone a failure of that zone is an outage of hours.",
    remedy: "Set multiAz: true.",
    reference: control("RDS.5"),
    notInCel,
    found(resource) {
        const value = at(resource.props, "multiAz");
        return value === true || value === UNKNOWN ? [] : [`${called(resource)}: ${shown("multiAz", value)}`];
    },
};
