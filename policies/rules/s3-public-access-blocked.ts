import { buckets, called, control, notInCel, satellites } from "../aws.ts";
import type { StackRule } from "../rule.ts";
import { at, UNKNOWN } from "../values.ts";

const all = ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"];

export const s3PublicAccessBlocked: StackRule = {
    name: "s3-public-access-blocked",
    level: "mandatory",
    scope: "stack",
    description: "A bucket that one policy can open to the world will be opened one day.",
    remedy: "Add an aws.s3.BucketPublicAccessBlock of the bucket, or an AccountPublicAccessBlock, with all four settings true.",
    reference: control("S3.8"),
    notInCel,
    found: (resources) =>
        resources
            .filter((each) => buckets.some((type) => type === each.type))
            .flatMap((resource) => {
                const account = resources.filter((each) => each.type.endsWith(":AccountPublicAccessBlock"));
                const blocks = [...satellites(resource, /:BucketPublicAccessBlock$/, resources), ...account];
                if (blocks.length === 0) return [{ resource, found: `${called(resource)} blocks no public access` }];
                const open = all.filter((key) =>
                    blocks.every((block) => ![true, UNKNOWN].some((one) => at(block.props, key) === one)),
                );
                return open.length > 0
                    ? [{ resource, found: `${called(resource)} does not set ${open.join(", ")}` }]
                    : [];
            }),
};
