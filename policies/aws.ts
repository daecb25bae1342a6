/** What the AWS rules share. They go by type token and plain inputs: loading the AWS SDK would take seconds. */
import { oneOrMore, statements } from "./iam-document.ts";
import { called } from "./stack.ts";
import { at, fields, shown, text, UNKNOWN } from "./values.ts";
import type { Described, Resource } from "./rule.ts";

export { called, oneOrMore, statements };

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

/**
 * The complaint about a setting that is not as it must be; none while it is unknown.
 *
 * @param path  where the setting stands; the message names its last part
 */
export function unless(
    resource: Resource,
    path: readonly [string, ...string[]],
    fine: (value: unknown) => boolean,
    more = "",
): readonly string[] {
    const value = at(resource.props, ...path);
    if (value === UNKNOWN || fine(value)) return [];
    return [`${called(resource)}: ${shown(path.at(-1) ?? "", value)}${more}`];
}

/** For a setting that must be switched on. */
export function isTrue(value: unknown): boolean {
    return value === true;
}

/** For controls that Security Hub has, but not in the best practices. */
export const nist = "NIST SP 800-53";

export const databases = ["aws:rds/instance:Instance", "aws:rds/cluster:Cluster"] as const;
export const buckets = ["aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2"] as const;

/** Whether the database is a copy of another instance: AWS forbids it a final snapshot, and it inherits the encryption. */
export function isReadReplica({ type, props }: Resource): boolean {
    return (
        type === "aws:rds/instance:Instance" && ![undefined, ""].some((none) => at(props, "replicateSourceDb") === none)
    );
}

/** Whether a cache takes its encryption and users from the replication group, or the global one, that it is a part of. */
export function inheritsGroup({ type, props }: Resource): boolean {
    // The replicationGroupId of a group is its own name.
    const group = at(props, type.endsWith(":Cluster") ? "replicationGroupId" : "globalReplicationGroupId");
    return group !== undefined && group !== "";
}

/**
 * What stands beside a resource and names it (an `aws:s3/bucketVersioning:BucketVersioning` its bucket) among all.
 *
 * @param key  the property of both in which the name stands
 */
export function satellites(
    owner: Resource,
    type: RegExp,
    resources: readonly Resource[],
    key = "bucket",
): readonly Resource[] {
    const own = at(owner.props, key);
    return resources.filter((each) => {
        if (!type.test(each.type)) return false;
        // At preview the name is unknown: the dependency of the property tells whose it is.
        const from = each.sources?.[key] ?? [];
        if (from.includes(owner.urn)) return true;
        const named = at(each.props, key);
        if (named === UNKNOWN) return from.length === 0;
        return own === UNKNOWN || (own !== undefined && named === own);
    });
}

/**
 * The keys of the resource's tags, its own and the default ones of its provider; UNKNOWN when either is. An export without
 * the provider has both together in `tagsAll`.
 */
export function tagsOf({ props, provider }: Resource): readonly string[] | typeof UNKNOWN {
    const inherited = provider === undefined ? at(props, "tagsAll") : defaultTags(at(provider, "defaultTags"));
    const found = [at(props, "tags"), inherited];
    return found.includes(UNKNOWN) ? UNKNOWN : found.flatMap((tags) => Object.keys(fields(tags)));
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
