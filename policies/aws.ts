/** What the AWS rules share. They go by type token and plain inputs: loading the AWS SDK would take seconds. */
import { at, list, strings, text, UNKNOWN } from "./values.ts";
import type { Described, Resource } from "./rule.ts";

export const notInCel = "it is no Kubernetes object";

/**
 * A control of AWS Security Hub, such as `RDS.3`: of the AWS Foundational Security Best Practices, or else of the standard
 * named.
 */
export function control(id: string, standard = "AWS Foundational Security Best Practices"): Described["reference"] {
    const [service = "", number = ""] = id.split(".");
    const page = service.toLowerCase();
    return {
        title: `${standard}: Security Hub ${id}`,
        url: `https://docs.aws.amazon.com/securityhub/latest/userguide/${page}-controls.html#${page}-${number}`,
    };
}

/** `aws:rds/instance:Instance` as `Instance "orcheo"`. */
export function called(resource: Resource): string {
    return `${resource.type.slice(resource.type.lastIndexOf(":") + 1)} "${resource.name}"`;
}

/** For controls that Security Hub has, but not in the best practices. */
export const nist = "NIST SP 800-53";

export const databases = ["aws:rds/instance:Instance", "aws:rds/cluster:Cluster"] as const;
export const buckets = ["aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2"] as const;

/** The satellites of a bucket (`aws:s3/bucketVersioning:BucketVersioning` and the like) among the resources. */
export function satellites(bucket: Resource, type: RegExp, resources: readonly Resource[]): readonly Resource[] {
    const own = at(bucket.props, "bucket");
    return resources.filter((each) => {
        if (!type.test(each.type)) return false;
        // At preview the bucket's name is unknown: the dependency of the property tells whose it is.
        const from = each.sources?.["bucket"] ?? [];
        if (from.includes(bucket.urn)) return true;
        const named = at(each.props, "bucket");
        if (named === UNKNOWN) return from.length === 0;
        return own === UNKNOWN || (own !== undefined && named === own);
    });
}

/** The statements of a policy document given as JSON text or as an object. Unknown or unreadable: none. */
export function statements(document: unknown): readonly unknown[] {
    let policy: unknown = document;
    const json = text(document);
    if (json !== undefined) {
        try {
            policy = JSON.parse(json);
        } catch {
            return [];
        }
    }
    const found = at(policy, "Statement");
    return Array.isArray(found) ? list(found) : found === undefined ? [] : [found];
}

/** One string or a list of them, as policy documents allow. */
export function oneOrMore(value: unknown): readonly string[] {
    const one = text(value);
    return one === undefined ? strings(value) : [one];
}

/** Tags of the resource and the provider's default tags. */
export function tagsOf(resource: Resource): readonly string[] {
    const given = at(resource.props, "tags");
    const defaults = defaultTags(resource.provider?.["defaultTags"]);
    return [given, defaults].flatMap((tags) => (typeof tags === "object" && tags !== null ? Object.keys(tags) : []));
}

function defaultTags(value: unknown): unknown {
    // A provider's nested inputs arrive as JSON text.
    const json = text(value);
    if (json === undefined) return at(value, "tags");
    try {
        return at(JSON.parse(json), "tags");
    } catch {
        return undefined;
    }
}
