/**
 * What the AWS provider answers, by type: the outputs that the SDK documents beside the inputs. A type that is not here
 * is not known to the mocks.
 */
type Inputs = Readonly<Record<string, unknown>>;
type Computed = (name: string, inputs: Inputs) => Record<string, unknown>;

export const account = "111122223333";
const region = "eu-central-1";

const text = (value: unknown, otherwise: string): string => (typeof value === "string" ? value : otherwise);
const arn = (service: string, resource: string, of = region) => `arn:aws:${service}:${of}:${account}:${resource}`;
const nothing: Computed = () => ({});
/** As Pulumi names what the program leaves unnamed. */
const named = ({ name, inputs }: { name: string; inputs: Inputs }) => text(inputs["name"], `${name}-a1b2c3d`);

export const awsComputed: Readonly<Record<string, Computed>> = {
    "pulumi:providers:aws": nothing,
    "aws:amp/alertManagerDefinition:AlertManagerDefinition": nothing,
    "aws:amp/ruleGroupNamespace:RuleGroupNamespace": (_, inputs) => ({
        arn: arn("aps", `rulegroupsnamespace/ws-1/${text(inputs["name"], "")}`),
    }),
    "aws:amp/workspace:Workspace": (name) => ({
        arn: arn("aps", `workspace/ws-${name}`),
        prometheusEndpoint: `https://aps-workspaces.${region}.amazonaws.com/workspaces/ws-${name}/`,
    }),
    "aws:amp/workspaceConfiguration:WorkspaceConfiguration": () => ({
        outOfOrderTimeWindowInSeconds: 0,
        ruleQueryOffsetInSeconds: 0,
    }),
    "aws:backup/plan:Plan": (name) => ({ arn: arn("backup", `backup-plan:${name}`), version: "v1" }),
    "aws:backup/selection:Selection": nothing,
    "aws:backup/vault:Vault": (_, inputs) => ({
        arn: arn("backup", `backup-vault:${text(inputs["name"], "")}`, text(inputs["region"], region)),
        recoveryPoints: 0,
    }),
    "aws:budgets/budget:Budget": (_, inputs) => ({
        arn: `arn:aws:budgets::${account}:budget/${text(inputs["name"], "")}`,
        accountId: account,
    }),
    "aws:cloudwatch/logGroup:LogGroup": (_, inputs) => ({ arn: arn("logs", `log-group:${text(inputs["name"], "")}`) }),
    "aws:cloudwatch/metricAlarm:MetricAlarm": (_, inputs) => ({
        arn: arn("cloudwatch", `alarm:${text(inputs["name"], "")}`),
    }),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": (name) => ({ arn: arn("ec2", `security-group/${name}`) }),
    "aws:ec2/eip:Eip": (name) => ({ allocationId: `eipalloc-${name}`, publicIp: "203.0.113.7" }),
    "aws:ec2/flowLog:FlowLog": (name) => ({ arn: arn("ec2", `vpc-flow-log/${name}`) }),
    "aws:ec2/internetGateway:InternetGateway": (name) => ({ arn: arn("ec2", `internet-gateway/${name}`) }),
    "aws:ec2/natGateway:NatGateway": () => ({ publicIp: "203.0.113.7" }),
    "aws:ec2/routeTable:RouteTable": (name) => ({ arn: arn("ec2", `route-table/${name}`) }),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": nothing,
    "aws:ec2/subnet:Subnet": (name) => ({ arn: arn("ec2", `subnet/${name}`) }),
    "aws:ec2/vpc:Vpc": (name) => ({ arn: arn("ec2", `vpc/${name}`), defaultSecurityGroupId: "sg-0defau1t" }),
    "aws:ec2/vpcEndpoint:VpcEndpoint": (name) => ({ arn: arn("ec2", `vpc-endpoint/${name}`) }),
    "aws:ec2/launchTemplate:LaunchTemplate": () => ({ latestVersion: 1, defaultVersion: 1 }),
    "aws:ec2/securityGroup:SecurityGroup": (name) => ({ arn: arn("ec2", `security-group/${name}`), ownerId: account }),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": (name) => ({ securityGroupRuleId: `sgr-${name}` }),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": () => ({ registryId: account }),
    "aws:ecr/repository:Repository": (_, inputs) => ({
        arn: arn("ecr", `repository/${text(inputs["name"], "")}`),
        registryId: account,
        repositoryUrl: `${account}.dkr.ecr.${region}.amazonaws.com/${text(inputs["name"], "")}`,
    }),
    "aws:eks/accessEntry:AccessEntry": () => ({ userName: "user", type: "STANDARD" }),
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": nothing,
    "aws:eks/addon:Addon": () => ({ addonVersion: "v1.0.0-eksbuild.1" }),
    "aws:eks/cluster:Cluster": (_, inputs) => ({
        arn: arn("eks", `cluster/${text(inputs["name"], "")}`),
        endpoint: "https://0123456789ABCDEF.gr7.eu-central-1.eks.amazonaws.com",
        certificateAuthority: { data: "Q0E=" },
        vpcConfig: { ...(inputs["vpcConfig"] as object), clusterSecurityGroupId: "sg-0c1u5ter" },
        identities: [{ oidcs: [{ issuer: "https://oidc.eks.eu-central-1.amazonaws.com/id/0123" }] }],
    }),
    "aws:eks/nodeGroup:NodeGroup": (name) => ({ arn: arn("eks", `nodegroup/${name}`), status: "ACTIVE" }),
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": (name) => ({ associationId: `a-${name}` }),
    "aws:elasticache/parameterGroup:ParameterGroup": (name, inputs) => ({ name: named({ name, inputs }) }),
    "aws:elasticache/replicationGroup:ReplicationGroup": (_, inputs) => ({
        arn: arn("elasticache", `replicationgroup:${text(inputs["replicationGroupId"], "")}`),
        primaryEndpointAddress: `master.${text(inputs["replicationGroupId"], "")}.abc123.euc1.cache.amazonaws.com`,
        readerEndpointAddress: `replica.${text(inputs["replicationGroupId"], "")}.abc123.euc1.cache.amazonaws.com`,
        clusterEnabled: false,
    }),
    "aws:elasticache/subnetGroup:SubnetGroup": (name, inputs) => ({ name: named({ name, inputs }) }),
    "aws:elasticache/user:User": (_, inputs) => ({ arn: arn("elasticache", `user:${text(inputs["userId"], "")}`) }),
    "aws:elasticache/userGroup:UserGroup": (_, inputs) => ({
        arn: arn("elasticache", `usergroup:${text(inputs["userGroupId"], "")}`),
    }),
    "aws:iam/role:Role": (name, inputs) => {
        const role = `${text(inputs["namePrefix"], name)}20260101`;
        return { arn: `arn:aws:iam::${account}:role/${role}`, name: role, uniqueId: `AROA${name}` };
    },
    "aws:iam/rolePolicy:RolePolicy": (name) => ({ name: `${name}-a1b2c3d` }),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": nothing,
    "aws:kms/alias:Alias": (_, inputs) => ({ arn: arn("kms", text(inputs["name"], "")) }),
    "aws:kms/key:Key": (name) => ({ arn: arn("kms", `key/${name}`), keyId: name }),
    "aws:rds/cluster:Cluster": (_, inputs) => {
        const host = `${text(inputs["clusterIdentifier"], "")}.cluster-abc123.${region}.rds.amazonaws.com`;
        return {
            arn: arn("rds", `cluster:${host}`),
            endpoint: host,
            readerEndpoint: host.replace("cluster-", "cluster-ro-"),
        };
    },
    "aws:rds/clusterParameterGroup:ClusterParameterGroup": (name, inputs) => ({ name: named({ name, inputs }) }),
    "aws:rds/instance:Instance": (_, inputs) => {
        const host = `${text(inputs["identifier"], "")}.abc123.${region}.rds.amazonaws.com`;
        return { arn: arn("rds", `db:${text(inputs["identifier"], "")}`), address: host, endpoint: `${host}:5432` };
    },
    "aws:rds/parameterGroup:ParameterGroup": (name, inputs) => ({ name: named({ name, inputs }) }),
    "aws:rds/subnetGroup:SubnetGroup": (name, inputs) => ({ name: named({ name, inputs }) }),
    "aws:route53/record:Record": (_, inputs) => ({ fqdn: inputs["name"] }),
    "aws:s3/bucket:Bucket": (_, inputs) => ({ arn: `arn:aws:s3:::${text(inputs["bucket"], "")}`, region }),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": nothing,
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": nothing,
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": nothing,
    "aws:s3/bucketPolicy:BucketPolicy": nothing,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": nothing,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": nothing,
    "aws:s3/bucketVersioning:BucketVersioning": nothing,
    "aws:secretsmanager/secret:Secret": (_, inputs) => ({
        arn: arn("secretsmanager", `secret:${text(inputs["name"], "")}-Ab1Cd2`),
    }),
    "aws:secretsmanager/secretVersion:SecretVersion": () => ({ versionId: "v1", versionStages: ["AWSCURRENT"] }),
    "aws:sns/topic:Topic": (_, inputs) => ({ arn: arn("sns", text(inputs["name"], "")), owner: account }),
    "aws:sns/topicPolicy:TopicPolicy": () => ({ owner: account }),
    "aws:sns/topicSubscription:TopicSubscription": (name) => ({ arn: arn("sns", name), pendingConfirmation: true }),
};

/** What the provider's functions answer, by token. */
export const awsCalls: Readonly<Record<string, (inputs: Inputs) => Record<string, unknown>>> = {
    "aws:eks/getAddonVersion:getAddonVersion": (inputs) => ({
        ...inputs,
        version: `v${text(inputs["kubernetesVersion"], "")}.0-eksbuild.1`,
    }),
    "aws:eks/getNodeGroup:getNodeGroup": (inputs) => ({
        ...inputs,
        scalingConfigs: [{ minSize: 3, maxSize: 9, desiredSize: 7 }],
    }),
};

/** By type of what is protected: inputs that the provider documents as forcing a new resource. */
export const replacing: Readonly<Record<string, readonly string[]>> = {
    "aws:amp/workspace:Workspace": ["kmsKeyArn"],
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
};

/** What other stacks say, by their name: known in a preview too. */
export const otherStacks: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    "organization/network/prod": {
        vpcId: "vpc-0a1b2c3d4e5f60718",
        privateSubnetIds: ["subnet-0a1b2c3d4e5f60711", "subnet-0a1b2c3d4e5f60712", "subnet-0a1b2c3d4e5f60713"],
    },
    "organization/cluster/prod": {
        clusterName: "shared",
        clusterSecurityGroupId: "sg-0a1b2c3d4e5f60718",
        kubeconfig: "apiVersion: v1",
    },
};
