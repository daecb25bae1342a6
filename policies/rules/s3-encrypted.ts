import { buckets, called, control, notInCel, satellites } from "../aws.ts";
import type { StackRule } from "../rule.ts";
import { at } from "../values.ts";

export const s3Encrypted: StackRule = {
    name: "s3-encrypted",
    level: "mandatory",
    scope: "stack",
    description: "Only a key of one's own says who may read what lies in the bucket, and can be taken away.",
    remedy: "Add an aws.s3.BucketServerSideEncryptionConfiguration of the bucket.",
    reference: control("S3.17"),
    notInCel,
    found: (resources) =>
        resources
            .filter((each) => buckets.some((type) => type === each.type))
            .filter(
                (bucket) =>
                    at(bucket.props, "serverSideEncryptionConfiguration") === undefined &&
                    satellites(bucket, /:BucketServerSideEncryptionConfiguration(V2)?$/, resources).length === 0,
            )
            .map((resource) => ({ resource, found: `${called(resource)} has no encryption configuration` })),
};
