import { buckets, called, control, notInCel, oneOrMore, satellites } from "../aws.ts";
import { readDocument, testsOf } from "../iam-document.ts";
import { coversBucket, wildActions } from "../iam-patterns.ts";
import type { Resource, StackRule } from "../rule.ts";
import { at, text, UNKNOWN } from "../values.ts";

/** Whether a statement refuses everybody every action without TLS, and nothing narrows that. */
function refusesPlainHttp(statement: unknown): boolean {
    const principal = at(statement, "Principal");
    const tests = testsOf(statement);
    if (tests === UNKNOWN) return true;
    return (
        at(statement, "Effect") === "Deny" &&
        (principal === "*" || oneOrMore(at(principal, "AWS")).includes("*")) &&
        wildActions(oneOrMore(at(statement, "Action"))).some((action) => /^([s*?]|s3:)/i.test(action)) &&
        tests.length > 0 &&
        tests.every(
            ({ operator, key, values, unknown }) =>
                key === "aws:securetransport" &&
                /^(bool|stringequals(ignorecase)?|stringlike)$/.test(operator) &&
                (unknown || (values.length === 1 && values[0]?.toLowerCase() === "false")),
        )
    );
}

/** What the statements refuse, as patterns of resources; UNKNOWN when any of it is. */
function refused(statements: readonly unknown[]): readonly string[] | typeof UNKNOWN {
    const denies = statements.filter(refusesPlainHttp);
    const given = denies.map((each) => at(each, "Resource"));
    if (given.includes(UNKNOWN)) return UNKNOWN;
    const patterns = given.flatMap(oneOrMore);
    return given.some((each) => Array.isArray(each) && oneOrMore(each).length < each.length) ? UNKNOWN : patterns;
}

/** Whether the bucket and the objects in it are among what is refused. */
function covered(bucket: Resource, patterns: readonly string[]): boolean {
    const own = text(at(bucket.props, "bucket"));
    // A name that AWS is yet to give: the bucket that the policy names is its own.
    const names = patterns.map((each) => /^arn:[^:]*:s3:::([^/*?]+)/.exec(each)?.[1] ?? "a-bucket");
    return own === undefined ? names.some((name) => coversBucket(patterns, name)) : coversBucket(patterns, own);
}

export const s3TlsOnly: StackRule = {
    name: "s3-tls-only",
    level: "mandatory",
    scope: "stack",
    description: "S3 also answers plain HTTP, where data and signatures can be read on the way.",
    remedy:
        `Add an aws.s3.BucketPolicy that denies everybody s3:* on the bucket and on its objects (arn and arn/*) ` +
        `where aws:SecureTransport is "false", with no other condition.`,
    reference: control("S3.5"),
    notInCel,
    found: (resources) =>
        resources
            .filter((each) => buckets.some((type) => type === each.type))
            .filter((bucket) => {
                const satellite = satellites(bucket, /:BucketPolicy$/, resources).map((each) =>
                    at(each.props, "policy"),
                );
                return ![...satellite, at(bucket.props, "policy")].some((policy) => {
                    const read = readDocument(policy);
                    if (read === UNKNOWN) return true;
                    const patterns = read === "unreadable" ? [] : refused(read);
                    return patterns === UNKNOWN || covered(bucket, patterns);
                });
            })
            .map((resource) => ({ resource, found: `${called(resource)} answers without TLS` })),
};
