/**
 * The policies of those who run Pulumi, from the permissions that the provider asked for in a whole life of the stack: what
 * tests/aws/authorization.py wrote down, with names as patterns and grouped into documents that IAM takes.
 */

/** A line of that file. */
export interface Asked {
    /** ARN of the role. */
    readonly caller: string;
    readonly action: string;
    readonly resource: string;
    /** What the request says beside: whom a role is passed to, and the like. */
    readonly context: Readonly<Record<string, string>>;
    readonly allowed: boolean;
}

interface Statement {
    readonly Effect: "Allow";
    readonly Action: readonly string[];
    readonly Resource: readonly string[];
    readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

export interface Document {
    readonly Version: "2012-10-17";
    readonly Statement: readonly Statement[];
}

/** The services of each document. IAM takes 6144 characters in each, and ten for a role. */
const documents: Readonly<Record<string, readonly string[]>> = {
    network: ["ec2"],
    cluster: ["ecr", "eks", "iam"],
    data: ["backup", "backup-storage", "kms", "s3", "secretsmanager"],
    servers: ["elasticache", "rds"],
    monitoring: ["aps", "budgets", "ce", "cloudwatch", "logs", "route53", "sns"],
};
const sizeLimit = 6144;

const operators: Readonly<Record<string, string>> = {
    "iam:PassedToService": "StringEquals",
    "iam:AWSServiceName": "StringEquals",
    "iam:PolicyARN": "ArnEquals",
    "kms:ViaService": "StringEquals",
    "kms:GrantIsForAWSResource": "Bool",
    "kms:RequestAlias": "StringEquals",
};

/**
 * The resource with what is not known beforehand as `*`: what follows the stack's name, numbers that AWS gives, the suffix of names that
 * Pulumi gives.
 *
 * @param name  `aws.name`
 */
export function patternOf(resource: string, name: string): string {
    const [, , service = "", , , ...rest] = resource.split(":");
    if (service === "ec2") return resource.replace(/\/.*$/, "/*");
    if (service === "aps") resource = resource.replace(/\/ws-[0-9a-f-]{36}/, "/*");
    // Pulumi's own files.
    if (service === "s3" && resource.includes("/")) return resource.replace(/\/.*$/, "/*");
    const start = resource.indexOf(name, resource.indexOf(rest.join(":")));
    if (start >= 0) {
        const end = start + name.length;
        return end === resource.length ? resource : `${resource.slice(0, end + 1)}*`;
    }
    return resource.replace(/-[0-9a-f]{7}$/, "-*").replace(/([:/])(?:[0-9a-f]{8}-[0-9a-f-]{27}|[A-Z0-9]{12,})$/, "$1*");
}

const sorted = (values: Iterable<string>): readonly string[] => [...new Set(values)].sort();

function groupedBy<Each>(all: readonly Each[], keyOf: (each: Each) => string): ReadonlyMap<string, readonly Each[]> {
    const groups = new Map<string, Each[]>();
    for (const each of all) groups.set(keyOf(each), [...(groups.get(keyOf(each)) ?? []), each]);
    return groups;
}

const keysOf = ({ context }: Asked): readonly string[] => Object.keys(operators).filter((key) => key in context);

/** The conditions that requests with the same keys fulfil. */
function conditionsOf(asked: readonly Asked[]): Statement["Condition"] {
    const keys = asked[0] === undefined ? [] : keysOf(asked[0]);
    const conditions: Record<string, Record<string, readonly string[]>> = {};
    for (const key of keys) {
        const operator = operators[key] ?? "";
        conditions[operator] = {
            ...conditions[operator],
            [key]: sorted(asked.map(({ context }) => context[key] ?? "")),
        };
    }
    return keys.length === 0 ? undefined : conditions;
}

/** One statement for all actions with the same resources and conditions. */
function statementsOf(asked: readonly Asked[], name: string): readonly Statement[] {
    const byAction = groupedBy(asked, (each) => [each.action, ...keysOf(each)].join(" "));
    const rows = [...byAction.values()].map((of) => {
        const action = of[0]?.action ?? "";
        const Resource = sorted(of.map(({ resource }) => patternOf(resource, name)));
        const Condition = conditionsOf(of);
        return { action, rest: { Resource, ...(Condition !== undefined && { Condition }) } };
    });
    const grouped = groupedBy(rows, ({ rest }) => JSON.stringify(rest));
    return [...grouped.values()]
        .map((same) => ({
            Effect: "Allow" as const,
            Action: sorted(same.map(({ action }) => action)),
            Resource: same[0]?.rest.Resource ?? [],
            ...same[0]?.rest,
        }))
        .sort((a, b) => ((a.Action[0] ?? "") < (b.Action[0] ?? "") ? -1 : 1));
}

/** The policies, by the name of their file. @throws where one is larger than IAM takes, or a service has no document */
export function policiesOf(asked: readonly Asked[], name: string): Readonly<Record<string, Document>> {
    const service = ({ action }: Asked): string => action.split(":")[0] ?? "";
    const known = Object.values(documents).flat();
    const strange = asked.map(service).filter((each) => !known.includes(each) && each !== "sts");
    if (strange.length > 0) throw new Error(`no document is for ${sorted(strange).join(", ")}`);
    const made = Object.entries(documents).map(([file, services]): [string, Document] => {
        const of = asked.filter((each) => services.includes(service(each)));
        return [file, { Version: "2012-10-17", Statement: statementsOf(of, name) }];
    });
    for (const [file, document] of made) {
        const size = JSON.stringify(document).length;
        if (size > sizeLimit) throw new Error(`${file}: ${size} characters; IAM takes ${sizeLimit}`);
    }
    return Object.fromEntries(made.filter(([, { Statement }]) => Statement.length > 0));
}
