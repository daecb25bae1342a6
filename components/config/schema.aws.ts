/** Settings of what runs on AWS: the account (`aws`), RDS and ElastiCache. */
import { z } from "zod";
import { choice, cidr, flag, hostName, kind, oneOf, path, text, whole, words } from "./fields";

const arn = (service: string, example: string) =>
    text(new RegExp(`^arn:aws[a-z-]*:${service}:[a-z0-9-]*:\\d{12}:\\S+$`), `an ARN such as ${example}`);
const roleArn = () => arn("iam", "arn:aws:iam::111122223333:role/deploy");
const keyArn = () => arn("kms", "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-…");
const resourceId = (prefix: string) =>
    text(new RegExp(`^${prefix}-[0-9a-f]{8,17}$`), `an id such as ${prefix}-0a1b2c3d`);
const stackName = () => words("a stack such as organization/network/prod");
const outputName = (fallback: string) => words("the name of an output").default(fallback);
const email = () => text(/^[^\s@]+@[^\s@]+\.[^\s@]+$/, "an e-mail address");

const day = "(mon|tue|wed|thu|fri|sat|sun)";
const time = "([01]\\d|2[0-3]):[0-5]\\d";
const weekly = () =>
    text(new RegExp(`^${day}:${time}-${day}:${time}$`), "a weekly window in UTC such as sun:04:00-sun:05:00");
const daily = () => text(new RegExp(`^${time}-${time}$`), "a daily window in UTC such as 02:00-03:00");

const securityGroup = () =>
    resourceId("sg")
        .optional()
        .describe("Existing security group; default one of the stack's own, which admits the cluster's alone.");

const passwordGeneration = whole(1, 9999)
    .default(1)
    .describe(
        "Count it up by one to rotate the password: pods that run keep the old one, which stays valid until the next.",
    );

export const rds = z.strictObject({
    kind: kind("rds"),
    deployment: oneOf([
        z.strictObject({
            kind: kind("instance"),
            maxStorageGiB: whole(22, 65_536).default(200).describe("Storage grows by itself up to this, GiB."),
        }),
        z.strictObject({
            kind: kind("cluster"),
            iops: whole(1000, 256_000).optional().describe("Provisioned IOPS; default what gp3 includes."),
        }),
    ])
        .prefault({ kind: "instance" })
        .describe(
            "`instance`: a standby in a second zone takes over. `cluster`: two readable standbys in two further zones.",
        ),
    instanceClass: text(/^db\.[a-z0-9-]+\.[a-z0-9]+$/, "a class such as db.m7g.large").describe("Instance class."),
    storageGiB: whole(20, 65_536).default(20).describe("Storage, GiB (gp3). It can grow and never shrinks."),
    engineMajor: whole(15, 18).default(17).describe("Major version of PostgreSQL; minor ones come by themselves."),
    caBundleFile: path().describe(
        "PEM file of the RDS authorities, mounted into the pods; docs/aws.md says where AWS publishes it.",
    ),
    certificateAuthority: choice(["rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1"])
        .default("rds-ca-rsa2048-g1")
        .describe("Authority that signs the server's certificate."),
    passwordGeneration,
    backupRetentionDays: whole(7, 35).default(14).describe("Days to which the database can be set back."),
    backupWindow: daily().default("01:00-02:00").describe("Window of the daily snapshot."),
    maintenanceWindow: weekly().default("sun:03:00-sun:04:00").describe("Window of changes that need a restart."),
    blueGreenUpdates: flag()
        .default(false)
        .describe("Change engine, class and parameters of an instance on a copy that then takes over."),
    securityGroupId: securityGroup(),
    alarms: z
        .strictObject({
            cpuPercent: whole(1, 100).default(80).describe("CPU for 15 minutes, percent."),
            freeStoragePercent: whole(1, 50).default(10).describe("Least free storage, percent of storageGiB."),
            connections: whole(10, 5000).default(400).describe("Connections for 15 minutes."),
        })
        .prefault({})
        .describe("Alarms."),
});

export const elasticache = z.strictObject({
    kind: kind("elasticache"),
    nodeType: text(/^cache\.[a-z0-9-]+\.[a-z0-9]+$/, "a type such as cache.t4g.small").describe("Node type."),
    nodes: whole(2, 6)
        .default(2)
        .describe("Nodes, each in another zone as long as there are zones: one serves, the others take over."),
    engineVersion: choice(["8.0", "8.1"]).default("8.1").describe("Version of Valkey."),
    passwordGeneration,
    snapshotRetentionDays: whole(1, 35).default(7).describe("Days that daily snapshots are kept."),
    snapshotWindow: daily().default("02:00-03:00").describe("Window of the daily snapshot."),
    maintenanceWindow: weekly().default("sun:04:00-sun:05:00").describe("Window of changes that need a restart."),
    securityGroupId: securityGroup(),
    alarms: z
        .strictObject({
            memoryPercent: whole(1, 100).default(75).describe("Memory in use, percent. At 100 new runs are refused."),
            cpuPercent: whole(1, 100).default(80).describe("CPU of the engine for 15 minutes, percent."),
        })
        .prefault({})
        .describe("Alarms, besides one on every eviction."),
});

const network = oneOf([
    z.strictObject({
        kind: kind("new"),
        cidr: text(/^\d{1,3}\.\d{1,3}\.0\.0\/16$/, "a /16 such as 10.20.0.0/16").describe(
            "Addresses of the VPC; not those of a network that it is to be connected with.",
        ),
        zones: z
            .array(text(/^[a-z]{2}(-[a-z]+)+-\d[a-z]$/, "a zone such as eu-central-1a"))
            .min(3, { error: "at least three zones" })
            .max(6, { error: "at most six zones" })
            .describe("Availability zones."),
        natPerZone: flag()
            .default(true)
            .describe("A NAT gateway in each zone; `false`: one, with which all zones lose the way out."),
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
    version: text(/^1\.\d{2}$/, "a Kubernetes minor such as 1.34")
        .default("1.34")
        .describe("Kubernetes version."),
    publicCidrs: z
        .array(cidr().refine((value) => !value.endsWith("/0"), { error: "a CIDR narrower than /0" }))
        .default([])
        .describe("Addresses that reach the API from outside the VPC; none: only from inside."),
    nodes: oneOf([
        z.strictObject({
            kind: kind("managed"),
            architecture: choice(["amd64", "arm64"])
                .default("amd64")
                .describe("arm64 is Graviton; images.platforms must name it."),
            instanceTypes: z
                .array(text(/^[a-z0-9-]+\.[a-z0-9]+$/, "a type such as m6i.large"))
                .min(1)
                .describe("Instance types."),
            minNodes: whole(1, 100).default(3).describe("Fewest nodes."),
            maxNodes: whole(1, 100).default(6).describe("Most nodes."),
            diskGiB: whole(20, 1000).default(50).describe("Disk of a node, GiB."),
        }),
        z.strictObject({ kind: kind("auto") }),
    ]).describe("`managed`: a node group. `auto`: EKS Auto Mode chooses, starts and replaces nodes."),
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
        oidcProviderArn: arn(
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
            .describe(
                "Days in which nobody can delete or overwrite an object (compliance mode); cannot be taken back.",
            ),
        infrequentAfterDays: whole(30, 3650).default(30).describe("Days until objects move to infrequent access."),
        expireAfterDays: whole(31, 3650)
            .default(365)
            .describe("Days until objects and their old versions are deleted."),
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
        region: text(
            /^(?!cn-|us-gov-)[a-z]{2}(-[a-z]+)+-\d$/,
            "a region such as eu-central-1, not of China or GovCloud",
        ).describe("Region."),
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
            .describe("IAM roles that run Pulumi: besides the backend the only ones that may use the vault's key."),
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
        logRetentionDays: choiceOfDays().default(90).describe("Days that logs are kept."),
        alarmEmails: z
            .array(email())
            .default([])
            .describe("Who is told of alarms and of the budget; each confirms by e-mail once."),
        backupPlan: z
            .strictObject({
                dailyRetentionDays: whole(7, 365).default(35).describe("Days that daily recovery points are kept."),
                monthlyRetentionDays: whole(90, 3650)
                    .default(365)
                    .describe("Days that monthly recovery points are kept."),
            })
            .prefault({})
            .describe("AWS Backup of the database and the bucket, in a vault of its own."),
        budgetUsdPerMonth: whole(1, 10_000_000).describe(
            "Budget of the stack's tag; told at 80 % and when 100 % is forecast.",
        ),
        dns,
    })
    .optional()
    .describe("The AWS account; needed by `rds` and `elasticache`, left out elsewhere.");

/** The retentions that CloudWatch accepts, within the policy pack's bounds. */
function choiceOfDays() {
    const days = [30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];
    const accepted = `one of ${days.join(", ")}`;
    return z
        .int({ error: accepted })
        .refine((value) => days.includes(value), { error: accepted })
        .meta({ accepted });
}

/** The account's settings, defaults filled in. */
export type Aws = NonNullable<z.output<typeof aws>>;
export type RdsSettings = z.output<typeof rds>;
export type ElasticacheSettings = z.output<typeof elasticache>;
