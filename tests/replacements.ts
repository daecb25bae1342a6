/**
 * What a deployed stack may not have replaced: the resources that hold data, under the names and with the inputs of a
 * stack that is out there (tests/fixtures). A new name without an alias, or another value of an input that the provider
 * cannot change in place, is a replacement.
 */
import { plain } from "./aws-programs";
import type { Run } from "./harness";

export interface Deployed {
    readonly urn: string;
    /** Inputs whose change is a replacement. */
    readonly immutable: Readonly<Record<string, unknown>>;
}

/** By type: inputs that the providers document as forcing a new resource. */
const immutableInputs: Readonly<Record<string, readonly string[]>> = {
    "aws:backup/vault:Vault": ["name", "kmsKeyArn"],
    "aws:ec2/subnet:Subnet": ["vpcId", "cidrBlock", "availabilityZone"],
    "aws:ec2/vpc:Vpc": ["cidrBlock"],
    "aws:ecr/repository:Repository": ["name", "encryptionConfigurations"],
    "aws:eks/cluster:Cluster": ["name", "roleArn", "bootstrapSelfManagedAddons", "encryptionConfig"],
    "aws:elasticache/replicationGroup:ReplicationGroup": [
        ...["replicationGroupId", "subnetGroupName", "kmsKeyId", "port"],
        ...["atRestEncryptionEnabled"],
    ],
    "aws:kms/key:Key": ["customerMasterKeySpec", "keyUsage", "multiRegion"],
    "aws:rds/cluster:Cluster": [
        ...["clusterIdentifier", "engine", "databaseName", "masterUsername", "kmsKeyId"],
        ...["storageEncrypted", "dbSubnetGroupName"],
    ],
    "aws:rds/instance:Instance": ["engine", "dbName", "username", "kmsKeyId", "storageEncrypted"],
    "aws:s3/bucket:Bucket": ["bucket", "bucketPrefix"],
    "aws:secretsmanager/secret:Secret": ["name", "namePrefix"],
    "kubernetes:core/v1:Namespace": ["metadata.name"],
    "kubernetes:core/v1:PersistentVolumeClaim": [
        ...["metadata.name", "metadata.namespace", "spec.accessModes", "spec.storageClassName"],
    ],
    "random:index/randomBytes:RandomBytes": ["length", "keepers"],
    "random:index/randomPassword:RandomPassword": ["length", "special", "keepers"],
};

function at(value: unknown, path: string): unknown {
    return path
        .split(".")
        .reduce<unknown>(
            (here, key) =>
                typeof here === "object" && here !== null
                    ? Object.entries(here).find(([name]) => name === key)?.[1]
                    : undefined,
            value,
        );
}

/** The protected resources of a run. */
export function deployedBy({ resources }: Pick<Run, "resources">): readonly Deployed[] {
    return resources
        .filter(({ options }) => options.protect)
        .map(({ type, inputs, options }) => {
            const paths = immutableInputs[type];
            if (paths === undefined) throw new Error(`say in tests/replacements.ts what replaces a protected ${type}`);
            const given = plain(inputs);
            const values = paths.map((path) => [path, at(given, path)] as const);
            return {
                urn: options.urn,
                immutable: Object.fromEntries(values.filter(([, value]) => value !== undefined)),
            };
        })
        .sort((one, other) => one.urn.localeCompare(other.urn));
}

/** One line for each resource that an update from `before` would replace or drop. */
export function replacements(before: readonly Deployed[], run: Pick<Run, "resources">): readonly string[] {
    const protectedNow = new Map(deployedBy(run).map((deployed) => [deployed.urn, deployed]));
    const now = new Map(
        run.resources.flatMap(({ options }) =>
            [options.urn, ...options.aliases].map((known) => [known, protectedNow.get(options.urn)] as const),
        ),
    );
    return before.flatMap(({ urn, immutable }) => {
        const found = now.get(urn);
        if (found === undefined) return [`${urn} is gone: a rename needs an alias`];
        return [...new Set([...Object.keys(immutable), ...Object.keys(found.immutable)])]
            .filter((path) => JSON.stringify(immutable[path]) !== JSON.stringify(found.immutable[path]))
            .map((path) => `${urn}: another ${path} replaces it`);
    });
}
