/**
 * What AWS charges for, among what the examples contain: the types without a price in policies/cost.ts, and the settings of those with
 * one. A type or setting that is in none of these lists fails the tests that read them.
 */

const typesIn = (module: string, ...names: readonly string[]): readonly string[] =>
    names.map((name) => `${module}/${name}`);

/** Paid by what goes through it or lies in it, which no program says: the head of docs/costs.md names it. */
export const byUse: readonly string[] = [
    ...typesIn("amp", "RuleGroupNamespace", "Workspace", "WorkspaceConfiguration"),
    ...typesIn("backup", "Plan", "Selection", "Vault"),
    ...typesIn("cloudwatch", "LogGroup", "MetricAlarm"),
    ...["ec2/FlowLog", "ecr/Repository", "s3/Bucket", "sns/Topic", "sns/TopicSubscription"],
];

/** Parts and settings of what is paid for, and what AWS gives away. */
export const free: readonly string[] = [
    "amp/AlertManagerDefinition",
    ...typesIn("ec2", "Vpc", "Subnet", "RouteTable", "RouteTableAssociation", "InternetGateway", "SecurityGroup"),
    ...typesIn("ec2", "DefaultSecurityGroup", "LaunchTemplate", "VpcEndpoint"),
    ...typesIn("eks", "AccessEntry", "AccessPolicyAssociation", "Addon", "PodIdentityAssociation"),
    ...typesIn("elasticache", "ParameterGroup", "SubnetGroup", "User", "UserGroup"),
    ...typesIn("rds", "ClusterParameterGroup", "ParameterGroup", "SubnetGroup"),
    ...typesIn("iam", "Role", "RolePolicy", "RolePolicyAttachment"),
    ...typesIn("s3", "BucketLifecycleConfiguration", "BucketObjectLockConfiguration", "BucketOwnershipControls"),
    ...typesIn("s3", "BucketPolicy", "BucketPublicAccessBlock", "BucketServerSideEncryptionConfiguration"),
    ...["s3/BucketVersioning", "budgets/Budget", "ecr/LifecyclePolicy", "kms/Alias", "route53/Record"],
    ...["secretsmanager/SecretVersion", "sns/TopicPolicy", "vpc/SecurityGroupIngressRule"],
];

export interface PaidSettings {
    /** The price goes by these: policies/cost.ts reads them. */
    readonly priced: readonly string[];
    /** These cost nothing at this value, and something at others. */
    readonly costNothingAt?: Readonly<Record<string, unknown>>;
    /** These cost nothing, or only by use. */
    readonly others: readonly string[];
}

/** Every resource of AWS may have them. */
const everywhere = ["__defaults", "region", "tags", "tagsAll"];
const encryption = ["kmsKeyId", "storageEncrypted"];
/** Windows, retention, deletion, and how an update goes about it. Backups are paid for by their size. */
const care = ["backupRetentionPeriod", "deletionProtection", "finalSnapshotIdentifier", "skipFinalSnapshot"];
const database = [
    ...[...encryption, ...care, "allowMajorVersionUpgrade", "applyImmediately", "autoMinorVersionUpgrade"],
    ...["copyTagsToSnapshot", "dbSubnetGroupName", "deleteAutomatedBackups", "enabledCloudwatchLogsExports"],
    ...["engine", "engineVersion", "monitoringInterval", "monitoringRoleArn", "performanceInsightsEnabled"],
    ...["performanceInsightsKmsKeyId", "port", "vpcSecurityGroupIds"],
];
/** The first seven days are free. */
const insights = { performanceInsightsRetentionPeriod: 7, databaseInsightsMode: "standard" };

/** The settings that the examples may have, by type, without the module's `aws:` and the class. */
export const paidSettings: Readonly<Record<string, PaidSettings>> = {
    "kms/key": {
        priced: [],
        // The first two rotations add the price of a key each, which the head of docs/costs.md says.
        others: [
            ...["bypassPolicyLockoutSafetyCheck", "customerMasterKeySpec", "deletionWindowInDays", "description"],
            ...["enableKeyRotation", "isEnabled", "keyUsage", "policy"],
        ],
    },
    "secretsmanager/secret": {
        priced: [],
        others: ["description", "forceOverwriteReplicaSecret", "kmsKeyId", "name", "recoveryWindowInDays"],
    },
    "ec2/eip": { priced: [], others: ["domain"] },
    "ec2/natGateway": { priced: [], others: ["allocationId", "connectivityType", "subnetId"] },
    "eks/cluster": {
        priced: ["version", "upgradePolicy"],
        others: [
            ...["accessConfig", "bootstrapSelfManagedAddons", "deletionProtection", "enabledClusterLogTypes"],
            ...["encryptionConfig", "name", "roleArn", "vpcConfig"],
        ],
    },
    "eks/nodeGroup": {
        priced: ["instanceTypes", "scalingConfig", "launchTemplate"],
        others: ["amiType", "clusterName", "nodeGroupName", "nodeRoleArn", "subnetIds", "updateConfig", "version"],
    },
    "rds/instance": {
        priced: ["allocatedStorage", "instanceClass", "multiAz", "storageType"],
        costNothingAt: { ...insights, publiclyAccessible: false },
        others: [
            ...[...database, "backupWindow", "caCertIdentifier", "dbName", "identifier", "maintenanceWindow"],
            // Storage beyond what is allocated is paid for once it is in use.
            ...["maxAllocatedStorage", "parameterGroupName", "password", "username"],
        ],
    },
    "rds/cluster": {
        priced: ["allocatedStorage", "dbClusterInstanceClass", "storageType"],
        costNothingAt: insights,
        others: [
            ...[...database, "caCertificateIdentifier", "clusterIdentifier", "databaseName", "masterPassword"],
            ...["dbClusterParameterGroupName", "masterUsername", "preferredBackupWindow", "preferredMaintenanceWindow"],
        ],
    },
    "elasticache/replicationGroup": {
        priced: ["nodeType", "numCacheClusters", "engine"],
        others: [
            ...["applyImmediately", "atRestEncryptionEnabled", "autoMinorVersionUpgrade", "automaticFailoverEnabled"],
            ...["description", "engineVersion", "finalSnapshotIdentifier", "kmsKeyId", "logDeliveryConfigurations"],
            ...["maintenanceWindow", "multiAzEnabled", "parameterGroupName", "port", "replicationGroupId"],
            ...["securityGroupIds", "snapshotRetentionLimit", "snapshotWindow", "subnetGroupName"],
            ...["transitEncryptionEnabled", "transitEncryptionMode", "userGroupIds"],
        ],
    },
};

/** What of a resource may cost something that nobody has counted; nothing, as a rule. */
export function uncounted(type: string, inputs: Readonly<Record<string, unknown>>): readonly string[] {
    const [, name = ""] = /^aws:(.*):/.exec(type) ?? [];
    const settings = paidSettings[name];
    if (settings === undefined) return [`${type}: its settings are not in tests/paid-types.ts`];
    const { priced, others, costNothingAt = {} } = settings;
    const known = [...everywhere, ...priced, ...others];
    return Object.entries(inputs)
        .filter(([key, value]) => !known.includes(key) && !(key in costNothingAt && costNothingAt[key] === value))
        .map(([key, value]) => `${name} ${key}: ${JSON.stringify(value)}`);
}
