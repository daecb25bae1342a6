/** What `pulumi preview --json` would do, resource by resource, and what of it a reviewer has to see first. */
import { propertyChanges, type PropertyChange } from "./property-changes.ts";
import { at, fields, list, strings, text } from "./values.ts";

/** What happens to a resource in the end; a replacement takes Pulumi several steps. */
export type Action = "create" | "update" | "replace" | "delete" | "import" | "forget";

export interface Change {
    readonly action: Action;
    readonly urn: string;
    readonly type: string;
    readonly name: string;
    readonly properties: readonly PropertyChange[];
    /** The properties that make it a replacement. */
    readonly replacedBy: readonly string[];
    /** Data is in it, or what data cannot be read without. */
    readonly holdsData: boolean;
    /** Pulumi refuses to delete it. */
    readonly isProtected: boolean;
    /** Deleted from the state only. */
    readonly isRetained: boolean;
    /** Why running processes restart; undefined where they do not. */
    readonly restart: string | undefined;
}

/** What holds data, or without what data cannot be read, by the end of the type's token. */
const holdsData = new RegExp(
    `(^kubernetes:.*:(${[
        ...[
            "PersistentVolume",
            "PersistentVolumeClaim",
            "StatefulSet",
            "Namespace",
            "Secret",
            "CustomResourceDefinition",
        ],
        ...["VolumeSnapshot", "VolumeSnapshotContent", "Cluster", "Backup", "Database"],
    ].join("|")})` +
        `|^aws:(${[
            ...["rds/instance:Instance", "rds/cluster:Cluster", "rds/clusterInstance:ClusterInstance"],
            ...[
                "rds/snapshot:Snapshot",
                "elasticache/replicationGroup:ReplicationGroup",
                "elasticache/cluster:Cluster",
            ],
            ...["s3/bucket:Bucket", "s3/bucketV2:BucketV2", "ebs/volume:Volume", "efs/fileSystem:FileSystem"],
            ...["kms/key:Key", "secretsmanager/secret:Secret", "backup/vault:Vault", "dynamodb/table:Table"],
            ...["ecr/repository:Repository", "eks/cluster:Cluster", "cloudwatch/logGroup:LogGroup"],
            "amp/workspace:Workspace",
        ].join("|")})` +
        "|^random:index/random(Password|Bytes|String|Id|Uuid):.*|^tls:index/privateKey:PrivateKey)$",
);

/** Properties of AWS' resources that restart what runs on them. */
const restartingInputs: Readonly<Record<string, readonly string[]>> = {
    "aws:rds/instance:Instance": [
        "instanceClass",
        "engineVersion",
        "parameterGroupName",
        "caCertIdentifier",
        "storageType",
    ],
    "aws:rds/cluster:Cluster": ["dbClusterInstanceClass", "engineVersion", "dbClusterParameterGroupName"],
    "aws:rds/clusterInstance:ClusterInstance": ["instanceClass", "engineVersion", "dbParameterGroupName"],
    "aws:elasticache/replicationGroup:ReplicationGroup": ["nodeType", "engineVersion", "engine", "parameterGroupName"],
    "aws:elasticache/cluster:Cluster": ["nodeType", "engineVersion", "parameterGroupName"],
    "aws:eks/nodeGroup:NodeGroup": ["version", "releaseVersion", "launchTemplate"],
};
/** Workloads that make new pods when their template changes. */
const rolling = /^kubernetes:apps\/[^:]+:(Deployment|StatefulSet|DaemonSet)$/;

function restartOf(type: string, properties: readonly PropertyChange[]): string | undefined {
    const paths = properties.map(({ path }) => path);
    if (rolling.test(type) && paths.some((path) => /^spec\.template\b/.test(path)))
        return "its pods restart, one after another";
    const inputs = Object.hasOwn(restartingInputs, type) ? (restartingInputs[type] ?? []) : [];
    const found = inputs.filter((input) => paths.some((path) => path.split(/[.[]/)[0] === input));
    return found.length === 0 ? undefined : `it restarts, by ${found.join(", ")}`;
}

/** The one action of all of a resource's steps. */
function actionOf(ops: readonly string[]): Action | undefined {
    const any = (...wanted: readonly string[]): boolean => ops.some((op) => wanted.includes(op));
    if (any("replace", "create-replacement", "delete-replaced", "import-replacement")) return "replace";
    if (any("delete")) return any("create") ? "replace" : "delete";
    if (any("import")) return "import";
    if (any("create")) return "create";
    if (any("update")) return "update";
    return any("remove-pending-replace", "discard", "discard-replaced") ? "forget" : undefined;
}

function changeOf(urn: string, steps: readonly unknown[]): Change | undefined {
    const action = actionOf(steps.map((step) => text(at(step, "op")) ?? ""));
    if (action === undefined) return undefined;
    const first = (key: string): unknown => steps.map((step) => at(step, key)).find((state) => state !== undefined);
    const [before, after] = [first("oldState"), action === "delete" ? undefined : first("newState")];
    const type = text(at(after ?? before, "type")) ?? urn.split("::")[2]?.split("$").at(-1) ?? "";
    const both = before !== undefined && after !== undefined;
    const properties = both ? propertyChanges(type, at(before, "inputs"), at(after, "inputs")) : [];
    const replacedBy = steps.flatMap((step) => [
        ...strings(at(step, "replaceReasons")),
        ...Object.entries(fields(at(step, "detailedDiff")))
            .filter(([, difference]) => (text(at(difference, "kind")) ?? "").endsWith("-replace"))
            .map(([path]) => path),
    ]);
    return {
        ...{ action, urn, type, name: urn.split("::").at(-1) ?? "", properties },
        replacedBy: action === "replace" ? [...new Set(replacedBy)] : [],
        holdsData: holdsData.test(type),
        isProtected: at(before, "protect") === true,
        isRetained: at(before, "retainOnDelete") === true,
        restart: action === "update" ? restartOf(type, properties) : undefined,
    };
}

/** Everything that the preview would change, in its own order. @param preview  `pulumi preview --json` */
export function changesOf(preview: unknown): readonly Change[] {
    const byUrn = new Map<string, unknown[]>();
    for (const step of list(at(preview, "steps"))) {
        const urn = text(at(step, "urn")) ?? "";
        byUrn.set(urn, [...(byUrn.get(urn) ?? []), step]);
    }
    return [...byUrn].map(([urn, steps]) => changeOf(urn, steps)).filter((change) => change !== undefined);
}

/** The changes in the order in which a reviewer has to see them. */
export interface Ranked {
    /** Deleted or replaced, and data in it. */
    readonly data: readonly Change[];
    readonly replacements: readonly Change[];
    readonly restarts: readonly Change[];
    readonly deletions: readonly Change[];
    readonly rest: readonly Change[];
}

export function ranked(changes: readonly Change[]): Ranked {
    const placeOf = (change: Change): keyof Ranked => {
        const gone = change.action === "delete" || change.action === "replace";
        if (gone && change.holdsData) return "data";
        if (change.action === "replace") return "replacements";
        if (change.restart !== undefined) return "restarts";
        return change.action === "delete" ? "deletions" : "rest";
    };
    const of = (place: keyof Ranked): readonly Change[] => changes.filter((change) => placeOf(change) === place);
    return {
        data: of("data"),
        replacements: of("replacements"),
        restarts: of("restarts"),
        deletions: of("deletions"),
        rest: of("rest"),
    };
}
