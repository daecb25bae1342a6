/**
 * What a change of each setting of AWS does to a deployed stack, by the plan of the real provider. tests/unit/aws/settings.test.ts asks
 * that every setting of the schema is in one of these tables.
 */

/** A resource by its name in Pulumi, and the property that changes; the plan does not name those of `aws-bucket-lifecycle`, which are in a set. */
export type Change = readonly [resource: string, property: string];

export interface Changed {
    /** Another value than that of the deployed stack. */
    readonly to: unknown;
    readonly changes: readonly Change[];
}

/** What the deployed stack has besides examples/prod-small.yaml, so that there is something to upgrade. */
export const before: Readonly<Record<string, unknown>> = {
    "database.engineMajor": 16,
    "cache.engineVersion": "8.0",
    "aws.bucket.kind": "new",
    "aws.cluster.version": "1.36",
    "aws.cluster.nodes.version": "1.36",
};

/** Updated in place. */
export const inPlace: Readonly<Record<string, Changed>> = {
    "database.instanceClass": { to: "db.t4g.large", changes: [["postgres", "instanceClass"]] },
    "database.storageGiB": { to: 40, changes: [["postgres", "allocatedStorage"]] },
    "database.deployment.maxStorageGiB": { to: 150, changes: [["postgres", "maxAllocatedStorage"]] },
    // Its parameter group, which is of one major version, is replaced: the instance only names another.
    "database.engineMajor": { to: 17, changes: [["postgres", "engineVersion"]] },
    "database.certificateAuthority": { to: "rds-ca-rsa4096-g1", changes: [["postgres", "caCertIdentifier"]] },
    "database.backupRetentionDays": { to: 21, changes: [["postgres", "backupRetentionPeriod"]] },
    "database.backupWindow": { to: "02:00-03:00", changes: [["postgres", "backupWindow"]] },
    "database.maintenanceWindow": { to: "sat:04:00-sat:05:00", changes: [["postgres", "maintenanceWindow"]] },
    "database.alarms.cpuPercent": { to: 70, changes: [["orcheo-small-database-cpu", "threshold"]] },
    "database.alarms.freeStoragePercent": { to: 20, changes: [["orcheo-small-database-storage", "threshold"]] },
    "database.alarms.connections": { to: 100, changes: [["orcheo-small-database-connections", "threshold"]] },

    "cache.nodeType": { to: "cache.t4g.medium", changes: [["valkey", "nodeType"]] },
    "cache.nodes": { to: 3, changes: [["valkey", "numCacheClusters"]] },
    "cache.engineVersion": { to: "8.1", changes: [["valkey", "engineVersion"]] },
    "cache.passwordGeneration": { to: 2, changes: [["valkey-user", "passwords"]] },
    "cache.snapshotRetentionDays": { to: 14, changes: [["valkey", "snapshotRetentionLimit"]] },
    "cache.snapshotWindow": { to: "05:30-06:30", changes: [["valkey", "snapshotWindow"]] },
    "cache.maintenanceWindow": { to: "sat:04:00-sat:05:00", changes: [["valkey", "maintenanceWindow"]] },
    "cache.alarms.memoryPercent": { to: 60, changes: [["orcheo-small-cache-001-memory", "threshold"]] },
    "cache.alarms.cpuPercent": { to: 60, changes: [["orcheo-small-cache-001-cpu", "threshold"]] },

    "aws.environment": {
        to: "staging",
        changes: [
            ["aws-network", "tagsAll"],
            ["postgres", "tagsAll"],
        ],
    },
    "aws.tags": {
        to: { Team: "workflows" },
        changes: [
            ["aws-bucket", "tagsAll"],
            ["valkey", "tagsAll"],
        ],
    },
    "aws.deployerRoleArns": {
        to: ["arn:aws:iam::111122223333:role/orcheo-deploy", "arn:aws:iam::111122223333:role/orcheo-second"],
        changes: [["aws-vault-key", "policy"]],
    },
    "aws.network.natPerZone": { to: false, changes: [["aws-network-private-eu-central-1b", "routes"]] },
    "aws.cluster.version": { to: "1.37", changes: [["aws-eks", "version"]] },
    "aws.cluster.nodes.version": { to: "1.37", changes: [["aws-eks-nodes", "version"]] },
    "aws.cluster.addonVersions": {
        to: { coredns: "v1.12.4-eksbuild.1" },
        changes: [["aws-eks-coredns", "addonVersion"]],
    },
    "aws.cluster.publicCidrs": {
        to: ["198.51.100.7/32", "203.0.113.0/24"],
        changes: [["aws-eks", "vpcConfig.publicAccessCidrs"]],
    },
    "aws.cluster.nodes.minNodes": { to: 4, changes: [["aws-eks-nodes", "scalingConfig.minSize"]] },
    "aws.cluster.nodes.maxNodes": { to: 8, changes: [["aws-eks-nodes", "scalingConfig.maxSize"]] },
    "aws.cluster.nodes.diskGiB": {
        to: 80,
        changes: [
            ["aws-eks-nodes", "blockDeviceMappings"],
            ["aws-eks-nodes", "launchTemplate.version"],
        ],
    },
    "aws.bucket.infrequentAfterDays": { to: 60, changes: [["aws-bucket-lifecycle", "rules"]] },
    "aws.bucket.expireAfterDays": { to: 730, changes: [["aws-bucket-lifecycle", "rules"]] },
    "aws.logRetentionDays": {
        to: 60,
        changes: [
            ["aws-eks-logs", "retentionInDays"],
            ["postgres-log-postgresql", "retentionInDays"],
        ],
    },
    "aws.backupPlan.dailyRetentionDays": { to: 50, changes: [["aws-backup-plan", "rules"]] },
    "aws.backupPlan.monthlyRetentionDays": { to: 400, changes: [["aws-backup-plan", "rules"]] },
    "aws.budgetUsdPerMonth": { to: 900, changes: [["aws-monitoring-budget", "limitAmount"]] },
};

const dataKey = "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555";

/** Refused, for they would replace or delete what is protected: a name of what. */
export const refused: Readonly<Record<string, { readonly to: unknown; readonly protects: string }>> = {
    "aws.name": { to: "orcheo-other", protects: "aws-bucket" },
    "aws.network.cidr": { to: "10.99.0.0/16", protects: "aws-network" },
    "aws.network.zones": { to: ["eu-central-1a", "eu-central-1b", "eu-central-1d"], protects: "eu-central-1c" },
    "aws.keys.dataKeyArn": { to: dataKey, protects: "postgres" },
    "aws.keys.vaultKeyArn": { to: dataKey, protects: "aws-vault-key" },
    "aws.bucket.objectLockDays": { to: 30, protects: "aws-bucket" },
    "aws.bucket": { to: { kind: "existing", name: "another-bucket" }, protects: "aws-bucket" },
    "aws.registry": { to: false, protects: "aws-images-backend" },
};

/** Changes besides: what they replace or delete is no data. */
export const others: Readonly<
    Record<string, { readonly to: unknown; readonly op: string; readonly resource: string }>
> = {
    "database.passwordGeneration": { to: 2, op: "create", resource: "postgres-password-b" },
    "database.audit": { to: ["ddl", "role"], op: "update", resource: "postgres-parameters" },
    "aws.backupPlan.copies": {
        to: [{ kind: "region", region: "eu-west-1" }],
        op: "create",
        resource: "aws-backup-eu-west-1-vault",
    },
    "aws.cluster.nodes.autoscaler": { to: "clusterAutoscaler", op: "create", resource: "aws-eks-autoscaler" },
    "aws.alarmEmails": { to: ["others@example.com"], op: "create", resource: "aws-monitoring-others@example.com" },
    "aws.watcherRoleArns": {
        to: ["arn:aws:iam::111122223333:role/orcheo-watch"],
        op: "create",
        resource: "aws-eks-watcher-0",
    },
    "aws.keptImages": { to: 20, op: "replace", resource: "aws-images-backend-age" },
    // The new nodes are there before the old ones go.
    "aws.cluster.nodes.instanceTypes": { to: ["t4g.xlarge"], op: "replace", resource: "aws-eks-nodes" },
    "aws.roles.backup": { to: "arn:aws:iam::111122223333:role/theirs", op: "delete", resource: "aws-backup-job" },
    "aws.dns": {
        to: { zoneId: "Z0123456789ABCDEFGHIJ", target: { kind: "cname", name: "lb.example.com" } },
        op: "create",
        resource: "aws-record",
    },
};

/** Not changed here, and why. */
export const notChanged: Readonly<Record<string, string>> = {
    ...about("another one is another stack", "aws.accountId", "aws.region", "database.kind", "cache.kind"),
    ...about(
        "of what exists already, which is not the stack's",
        ...["name", "nameOutput", "securityGroupId", "securityGroupIdOutput", "stack", "kubeconfigOutput"].map(
            (key) => `aws.cluster.${key}`,
        ),
        ...["vpcId", "vpcIdOutput", "privateSubnetIds", "privateSubnetIdsOutput", "cidrs", "stack"].map(
            (key) => `aws.network.${key}`,
        ),
        ...["aws.bucket.name", "aws.bucket.keyArn", "aws.roles.backend"],
        ...["database.securityGroupId", "cache.securityGroupId"],
    ),
    ...about(
        "replaces the nodes as another instance type does",
        "aws.cluster.nodes.architecture",
        "aws.cluster.nodes.kind",
    ),
    ...about("from an existing one to a new one, or back", "aws.cluster.kind", "aws.network.kind"),
    ...about("needs a cluster with an OIDC provider", "aws.identities.kind", "aws.identities.oidcProviderArn"),
    ...about("of a database cluster: tests/verdicts/aws/lives.ts changes one", "database.deployment.iops"),
    ...about(
        "of a managed Prometheus: tests/verdicts/aws/lives.ts changes one",
        ...["writer.namespace", "writer.serviceAccount", "retentionDays"].map((key) => `aws.prometheus.${key}`),
    ),
    ...about("another database, with other classes, sizes and backups", "database.deployment.kind"),
    ...about("of Kubernetes alone", "database.caBundleFile"),
    ...about("how a later change is carried out, not a change", "database.blueGreenUpdates"),
};

function about(reason: string, ...settings: readonly string[]): Readonly<Record<string, string>> {
    return Object.fromEntries(settings.map((setting) => [setting, reason]));
}
