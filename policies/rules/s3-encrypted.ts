import { buckets, called, control, nist, notInCel, satellites } from "../aws.ts";
import type { StackRule } from "../rule.ts";
import { at, holdsUnknown, list, text } from "../values.ts";

/** Whether a rule, or one of a list of rules, encrypts with a key of KMS, or may. S3's own key is there without asking. */
function withKms(rules: unknown): boolean {
    if (holdsUnknown(rules)) return true;
    return (Array.isArray(rules) ? list(rules) : [rules]).some((rule) => {
        const algorithm = text(at(rule, "applyServerSideEncryptionByDefault", "sseAlgorithm")) ?? "";
        return algorithm.startsWith("aws:kms");
    });
}

export const s3Encrypted: StackRule = {
    name: "s3-encrypted",
    level: "mandatory",
    scope: "stack",
    description: "Only a key of one's own says who may read what lies in the bucket, and can be taken away.",
    remedy: "Add an aws.s3.BucketServerSideEncryptionConfiguration of the bucket with sseAlgorithm aws:kms.",
    reference: control("S3.17", nist),
    notInCel,
    found: (resources) =>
        resources
            .filter((each) => buckets.some((type) => type === each.type))
            .filter((bucket) => {
                const separate = satellites(bucket, /:BucketServerSideEncryptionConfiguration(V2)?$/, resources);
                const inside = at(bucket.props, "serverSideEncryptionConfiguration", "rule");
                return ![inside, ...separate.map((each) => at(each.props, "rules"))].some(withKms);
            })
            .map((resource) => ({ resource, found: `${called(resource)} is not encrypted with a KMS key` })),
};
