/** Settings of the AWS account, and of the network and monitoring around database and cache. */
import { z } from "zod";
import { cidr } from "./addresses";
import { choice, email, flag, hostName, kind, oneOf, text, whole, words } from "./fields";
import {
    keyArn,
    logRetention,
    minorVersion,
    outputName,
    regionName,
    resourceId,
    roleArn,
    serviceArn,
    stackName,
    vaultArn,
} from "./fields.aws";
import { prometheus } from "./schema.aws.prometheus";

const network = oneOf([
    z.strictObject({
        kind: kind("new"),
        cidr: cidr()
            .refine((value) => value.endsWith(".0.0/16"), { error: "a /16 such as 10.20.0.0/16" })
            .meta({ accepted: "a /16 such as 10.20.0.0/16" })
            .describe("Addresses of the VPC; not those of a network that it is to be connected with."),
        zones: z
            .array(text(/^[a-z]{2}(-[a-z]+)+-\d[a-z]$/, "a zone such as eu-central-1a"))
            .min(3, { error: "at least three zones" })
            .max(6, { error: "at most six zones" })
            .describe("Availability zones."),
        natPerZone: flag()
            .default(true)
            .describe(
                "A NAT gateway in each zone; `false`: a single one, whose failure cuts off outbound traffic of all zones.",
            ),
    }),
    z.strictObject({
        kind: kind("existing"),
        vpcId: resourceId("vpc").describe("The cluster's VPC."),
        privateSubnetIds: z
            .array(resourceId("subnet"))
            .min(2, { error: "at least two subnets, each in another zone" })
            .describe("Private subnets, each in another zone: three for a cluster or a Multi-AZ database cluster."),
        cidrs: z
            .array(cidr())
            .min(1, { error: "at least one CIDR" })
            .describe("Address ranges of these subnets: what pods may reach of the database and the cache."),
    }),
    z.strictObject({
        kind: kind("stackReference"),
        stack: stackName().describe("Stack that owns the VPC."),
        vpcIdOutput: outputName("vpcId").describe("Output with the VPC's id."),
        privateSubnetIdsOutput: outputName("privateSubnetIds").describe("Output with the private subnets' ids."),
        cidrs: z.array(cidr()).min(1, { error: "at least one CIDR" }).describe("Address ranges of these subnets."),
    }),
]).describe("Where database, cache and nodes live. Never public.");

const ownCluster = z.strictObject({
    kind: kind("new"),
    version: minorVersion()
        .default("1.37")
        .describe(
            "Kubernetes version. An upgrade goes to the control plane, then to the add-ons that nodes need, the nodes and the other add-ons. EKS upgrades by one minor at a time: a cluster of an older default names its own.",
        ),
    addonVersions: z
        .record(
            text(/^[a-z0-9-]+$/, "the name of an add-on of EKS such as vpc-cni"),
            text(/^v\d+\.\d+\.\d+-eksbuild\.\d+$/, "a version such as v1.20.4-eksbuild.1"),
        )
        .default({})
        .describe(
            "Versions of EKS add-ons by name, such as `vpc-cni`; default AWS's own for the Kubernetes version, which a later update may raise.",
        ),
    publicCidrs: z
        .array(cidr().refine((value) => !value.endsWith("/0"), { error: "a CIDR narrower than /0" }))
        .default([])
        .describe("Addresses that reach the API from outside the VPC; none: only from inside."),
    nodes: oneOf([
        z.strictObject({
            kind: kind("managed"),
            version: minorVersion()
                .optional()
                .describe(
                    "Kubernetes version of the nodes, to upgrade them apart from the control plane; default cluster.version.",
                ),
            architecture: choice(["amd64", "arm64"])
                .default("amd64")
                .describe("arm64 is Graviton; images.platforms must name it."),
            instanceTypes: z
                .array(text(/^[a-z0-9-]+\.[a-z0-9]+$/, "a type such as m6i.large"))
                .min(1)
                .describe("Instance types."),
            minNodes: whole(1, 100).default(3).describe("Fewest nodes."),
            maxNodes: whole(1, 100).default(6).describe("Most nodes."),
            autoscaler: choice(["none", "clusterAutoscaler"])
                .default("none")
                .describe(
                    "`clusterAutoscaler`: the IAM role of a cluster autoscaler, which you install (docs/aws.md, step 6). `none`: minNodes stay, unless another scales the group.",
                ),
            diskGiB: whole(20, 1000).default(50).describe("Disk of a node, GiB."),
        }),
        z.strictObject({ kind: kind("auto") }),
    ])
        .prefault({ kind: "auto" })
        .describe(
            "`managed`: a node group. `auto`: EKS Auto Mode chooses, starts and replaces nodes, all of them amd64 (docs/decisions/node-autoscaling.md).",
        ),
});

const cluster = oneOf([
    z.strictObject({
        kind: kind("existing"),
        name: words("the name of an EKS cluster").describe("EKS cluster that kubernetes.context points to."),
        securityGroupId: resourceId("sg").describe(
            "Security group of its nodes: the only one that database and cache admit.",
        ),
    }),
    z.strictObject({
        kind: kind("stackReference"),
        stack: stackName().describe("Stack that owns the cluster."),
        nameOutput: outputName("clusterName").describe("Output with the cluster's name."),
        securityGroupIdOutput: outputName("clusterSecurityGroupId").describe("Output with the nodes' security group."),
        kubeconfigOutput: words("the name of an output")
            .optional()
            .describe("Output with a kubeconfig; default that of kubernetes.kubeconfig."),
    }),
    ownCluster,
]).describe("The EKS cluster.");

const identities = oneOf([
    z.strictObject({ kind: kind("podIdentity") }),
    z.strictObject({
        kind: kind("irsa"),
        oidcProviderArn: serviceArn(
            "iam",
            "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE",
        ).describe("The cluster's OIDC provider in IAM."),
    }),
])
    .prefault({ kind: "podIdentity" })
    .describe("How pods get AWS credentials: EKS Pod Identity (its agent must run) or roles for service accounts.");

const bucket = oneOf([
    z.strictObject({
        kind: kind("new"),
        objectLockDays: whole(1, 3650)
            .optional()
            .describe("Days during which objects cannot be deleted or overwritten (compliance mode); irreversible."),
        infrequentAfterDays: whole(30, 3650).default(30).describe("Days until objects move to infrequent access."),
        expireAfterDays: whole(31, 3650)
            .default(365)
            .describe("Days until objects are deleted; their old versions go 90 days later."),
    }),
    z.strictObject({
        kind: kind("existing"),
        name: words("the name of a bucket").describe("Bucket that is versioned, encrypted and private already."),
        keyArn: keyArn().optional().describe("KMS key of the bucket; default the data key."),
    }),
])
    .prefault({ kind: "new" })
    .describe("Bucket of backups and exports.");

const dns = z
    .strictObject({
        zoneId: text(/^Z[A-Z0-9]{8,31}$/, "a hosted zone's id such as Z0123456789ABCDEFGHIJ").describe(
            "Hosted zone of `host`.",
        ),
        target: oneOf([
            z.strictObject({
                kind: kind("alias"),
                name: hostName().describe("DNS name of the load balancer."),
                zoneId: text(/^Z[A-Z0-9]{8,31}$/, "a hosted zone's id").describe("Its canonical hosted zone."),
            }),
            z.strictObject({ kind: kind("cname"), name: hostName().describe("DNS name of the load balancer.") }),
        ]).describe("Where `host` points to."),
    })
    .optional()
    .describe("Route 53 record of `host`; none when left out.");

export const aws = z
    .strictObject({
        region: regionName().describe("Region."),
        accountId: text(/^\d{12}$/, "twelve digits").describe("Account. Credentials of any other are refused."),
        name: text(/^[a-z][a-z0-9-]{0,18}[a-z0-9]$/, "lower-case letters, digits and `-`, at most 20")
            .default("orcheo")
            .describe("Begins the name of everything in the account; another one for each stack."),
        environment: words("a word such as production").default("production").describe("Value of the tag Environment."),
        tags: z
            .record(z.string(), z.string({ error: "a string" }))
            .default({})
            .describe("Further tags of every resource."),
        deployerRoleArns: z
            .array(roleArn())
            .min(1, { error: "at least one role" })
            .describe(
                "IAM roles that run Pulumi: besides the backend the only ones that may write with the vault's key.",
            ),
        watcherRoleArns: z
            .array(roleArn())
            .default([])
            .describe(
                "IAM roles of previews and of the search for drift: they read the vault's key, and a new cluster with its Secrets.",
            ),
        network,
        cluster,
        identities,
        keys: z
            .strictObject({
                dataKeyArn: keyArn()
                    .optional()
                    .describe(
                        "Existing KMS key of database, cache, bucket, images and logs; default one of the stack's own.",
                    ),
                vaultKeyArn: keyArn()
                    .optional()
                    .describe("Existing KMS key of the vault's key; default one of the stack's own."),
            })
            .prefault({})
            .describe("KMS keys."),
        roles: z
            .strictObject({
                backend: roleArn().optional().describe("Existing role of API, worker and initialisation."),
                backup: roleArn().optional().describe("Existing role of the backup Job."),
            })
            .prefault({})
            .describe("Existing IAM roles instead of new ones."),
        bucket,
        registry: flag()
            .default(true)
            .describe("One ECR repository per image; registry.prefix must be this account's."),
        keptImages: whole(5, 1000).default(50).describe("Images of a repository that are kept."),
        logRetentionDays: logRetention().default(90).describe("Days that logs are kept."),
        alarmEmails: z
            .array(email())
            .default([])
            .describe("Recipients of alarms and budget notifications; each confirms the subscription by e-mail once."),
        backupPlan: z
            .strictObject({
                dailyRetentionDays: whole(7, 365).default(35).describe("Days that daily recovery points are kept."),
                monthlyRetentionDays: whole(90, 3650)
                    .default(365)
                    .describe("Days that monthly recovery points are kept."),
                copies: z
                    .array(
                        oneOf([
                            z.strictObject({
                                kind: kind("region"),
                                region: regionName().describe("Another region than aws.region."),
                                keyArn: keyArn()
                                    .optional()
                                    .describe("Existing KMS key of that region; default one of the stack's own."),
                            }),
                            z.strictObject({
                                kind: kind("vault"),
                                arn: vaultArn().describe(
                                    "An existing vault: of another account in aws.region, or of this account elsewhere.",
                                ),
                            }),
                        ]),
                    )
                    .default([])
                    .describe(
                        "Further vaults that each recovery point is copied to, and kept in for as long: `region`: a vault of the stack's own in another region. `vault`: an existing one, such as another account's (docs/aws.md).",
                    ),
            })
            .prefault({})
            .describe("AWS Backup of the database and the bucket, in its own vault."),
        budgetUsdPerMonth: whole(1, 10_000_000).describe(
            "Budget for resources with the stack's tag; notifications at 80 % and when 100 % is forecast.",
        ),
        prometheus,
        dns,
    })
    .optional()
    .describe("The AWS account; needed by `rds` and `elasticache`, left out elsewhere.");

/** The account's settings, defaults filled in. */
export type Aws = NonNullable<z.output<typeof aws>>;
