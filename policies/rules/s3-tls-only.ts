import { buckets, called, control, notInCel, oneOrMore, satellites, statements } from "../aws.ts";
import type { StackRule } from "../rule.ts";
import { at, UNKNOWN } from "../values.ts";

/** Whether a statement refuses everybody every action without TLS. */
function refusesPlainHttp(statement: unknown): boolean {
    const principal = at(statement, "Principal");
    const secure = at(statement, "Condition", "Bool", "aws:SecureTransport");
    return (
        at(statement, "Effect") === "Deny" &&
        (principal === "*" || oneOrMore(at(principal, "AWS")).includes("*")) &&
        oneOrMore(at(statement, "Action")).some((action) => action === "s3:*" || action === "*") &&
        (secure === false || oneOrMore(secure).includes("false"))
    );
}

export const s3TlsOnly: StackRule = {
    name: "s3-tls-only",
    level: "mandatory",
    scope: "stack",
    description: "S3 also answers plain HTTP, where data and signatures can be read on the way.",
    remedy: `Add an aws.s3.BucketPolicy that denies s3:* where aws:SecureTransport is "false".`,
    reference: control("S3.5"),
    notInCel,
    found: (resources) =>
        resources
            .filter((each) => buckets.some((type) => type === each.type))
            .filter((bucket) => {
                const policies = satellites(bucket, /:BucketPolicy$/, resources).map((each) =>
                    at(each.props, "policy"),
                );
                return !policies.some((policy) => policy === UNKNOWN || statements(policy).some(refusesPlainHttp));
            })
            .map((resource) => ({ resource, found: `${called(resource)} answers without TLS` })),
};
