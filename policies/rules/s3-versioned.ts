import { buckets, called, control, nist, notInCel, satellites } from "../aws.ts";
import type { StackRule } from "../rule.ts";
import { at, UNKNOWN } from "../values.ts";

export const s3Versioned: StackRule = {
    name: "s3-versioned",
    level: "mandatory",
    scope: "stack",
    description: "Without versions an overwritten or deleted object is gone.",
    remedy: "Add an aws.s3.BucketVersioning of the bucket with status Enabled.",
    reference: control("S3.14", nist),
    notInCel,
    found: (resources) =>
        resources
            .filter((each) => buckets.some((type) => type === each.type))
            .filter((bucket) => {
                const on = (value: unknown): boolean => value === "Enabled" || value === true || value === UNKNOWN;
                const states = satellites(bucket, /:BucketVersioning(V2)?$/, resources).map((each) =>
                    at(each.props, "versioningConfiguration", "status"),
                );
                return ![...states, at(bucket.props, "versioning", "enabled")].some(on);
            })
            .map((resource) => ({ resource, found: `${called(resource)} keeps no versions` })),
};
