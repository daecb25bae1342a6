/** Settings of AWS that are each accepted and cannot be meant together. */
import type { Problem } from "../config/problems";
import type { Stack } from "../config/schema";

const withoutAccount =
    (section: "database" | "cache") =>
    (stack: Pick<Stack, "aws" | "cache" | "database">): Problem[] => {
        const { kind } = stack[section];
        if (stack.aws !== undefined || (kind !== "rds" && kind !== "elasticache")) return [];
        return [
            {
                at: `orcheo:stack.${section}.kind`,
                found: `found "${kind}" without the section aws`,
                remedy: "accepted: with orcheo:stack.aws (region, accountId, network, cluster, …), or another kind",
            },
        ];
    };

/** Settings cannot name resources that the same update creates. */
function newBesideExisting({ aws }: Pick<Stack, "aws">): Problem[] {
    if (aws === undefined) return [];
    const { network, cluster, identities } = aws;
    return [
        ...(network.kind === "new" && cluster.kind !== "new"
            ? [
                  {
                      at: "orcheo:stack.aws.network.kind",
                      found: `found "new" with aws.cluster.kind ${JSON.stringify(cluster.kind)}`,
                      remedy: 'accepted: "existing" or "stackReference", the network of that cluster',
                  },
              ]
            : []),
        ...(identities.kind === "irsa" && cluster.kind === "new"
            ? [
                  {
                      at: "orcheo:stack.aws.identities.kind",
                      found: 'found "irsa" with aws.cluster.kind "new", whose OIDC provider is not there yet',
                      remedy: 'accepted: "podIdentity"',
                  },
              ]
            : []),
    ];
}

function tooFewSubnets({ aws, database }: Pick<Stack, "aws" | "database">): Problem[] {
    if (aws?.network.kind !== "existing") return [];
    const found = aws.network.privateSubnetIds.length;
    const three = [
        ...(aws.cluster.kind === "new" ? ['aws.cluster.kind "new"'] : []),
        ...(database.kind === "rds" && database.deployment.kind === "cluster"
            ? ['database.deployment.kind "cluster"']
            : []),
    ];
    if (three.length === 0 || found >= 3) return [];
    return [
        {
            at: "orcheo:stack.aws.network.privateSubnetIds",
            found: `found ${found}`,
            remedy: `accepted: at least 3, each in another zone, with ${three.join(" and ")}`,
        },
    ];
}

/**
 * The standbys of a cluster write to disks of their own machine first: its families have a `d` behind the generation.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/multi-az-db-clusters-concepts.html
 */
function clusterClass({ database }: Pick<Stack, "database">): Problem[] {
    if (database.kind !== "rds" || database.deployment.kind !== "cluster") return [];
    if (/^db\.[a-z]+\d+[a-z]*d[a-z]*\./.test(database.instanceClass)) return [];
    return [
        {
            at: "orcheo:stack.database.instanceClass",
            found: `found ${JSON.stringify(database.instanceClass)} with database.deployment.kind "cluster"`,
            remedy: 'accepted: a class with local disks such as db.m6gd.large; or deployment.kind "instance"',
        },
    ];
}

/** gp3 under PostgreSQL: smaller disks have 3000 IOPS, and nothing can be added. */
const gp3 = { fromGiB: 400, includedBelow: 3000, leastIops: 12_000, mostIops: 64_000 };

/**
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBCluster.html for 0.5 to 50 IOPS a GiB
 */
function clusterIops({ database }: Pick<Stack, "database">): Problem[] {
    if (database.kind !== "rds" || database.deployment.kind !== "cluster") return [];
    const { storageGiB, deployment } = database;
    const [least, most] =
        storageGiB < gp3.fromGiB
            ? [gp3.includedBelow, gp3.includedBelow]
            : [Math.max(gp3.leastIops, Math.ceil(storageGiB / 2)), Math.min(gp3.mostIops, storageGiB * 50)];
    if (deployment.iops === undefined || (deployment.iops >= least && deployment.iops <= most)) return [];
    return [
        {
            at: "orcheo:stack.database.deployment.iops",
            found: `found ${deployment.iops} with storageGiB ${storageGiB}`,
            remedy:
                least === most
                    ? `accepted: ${least}, or none; more only with storageGiB from ${gp3.fromGiB} on`
                    : `accepted: from ${least} to ${most}, or none`,
        },
    ];
}

/** @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/blue-green-deployments-considerations.html */
function blueGreenOfCluster({ database }: Pick<Stack, "database">): Problem[] {
    if (database.kind !== "rds" || database.deployment.kind !== "cluster" || !database.blueGreenUpdates) return [];
    return [
        {
            at: "orcheo:stack.database.blueGreenUpdates",
            found: 'found true with database.deployment.kind "cluster"',
            remedy: 'accepted: false; or deployment.kind "instance"',
        },
    ];
}

function storage({ database }: Pick<Stack, "database">): Problem[] {
    if (database.kind !== "rds" || database.deployment.kind !== "instance") return [];
    // RDS refuses a limit that is not at least a tenth above.
    const least = Math.ceil((database.storageGiB * 11) / 10);
    if (database.deployment.maxStorageGiB >= least) return [];
    return [
        {
            at: "orcheo:stack.database.deployment.maxStorageGiB",
            found: `found ${database.deployment.maxStorageGiB}`,
            remedy: `accepted: at least ${least} with storageGiB ${database.storageGiB}`,
        },
    ];
}

function registryElsewhere({ aws, registry, images }: Pick<Stack, "aws" | "registry" | "images">): Problem[] {
    if (aws?.registry !== true || images.kind !== "build") return [];
    const host = `${aws.accountId}.dkr.ecr.${aws.region}.amazonaws.com`;
    if (registry.prefix.startsWith(`${host}/`)) return [];
    return [
        {
            at: "orcheo:stack.registry.prefix",
            found: `found ${JSON.stringify(registry.prefix)} with aws.registry`,
            remedy: `accepted: ${host}/<path>; or set aws.registry to false`,
        },
    ];
}

/** @see https://docs.aws.amazon.com/eks/latest/userguide/set-builtin-node-pools.html */
function platformOfNodes({ aws, images }: Pick<Stack, "aws" | "images">): Problem[] {
    if (aws?.cluster.kind !== "new" || images.kind !== "build") return [];
    const { nodes } = aws.cluster;
    const [architecture, why] =
        nodes.kind === "managed"
            ? [nodes.architecture, `architecture "${nodes.architecture}"`]
            : (["amd64", 'kind "auto", whose nodes are amd64'] as const);
    const platform = `linux/${architecture}` as const;
    if (images.platforms.includes(platform)) return [];
    return [
        {
            at: "orcheo:stack.images.platforms",
            found: `found ${JSON.stringify(images.platforms)} with aws.cluster.nodes.${why}`,
            remedy: `accepted: a list with ${platform}`,
        },
    ];
}

function bucketAges({ aws }: Pick<Stack, "aws">): Problem[] {
    if (aws?.bucket.kind !== "new" || aws.bucket.expireAfterDays > aws.bucket.infrequentAfterDays) return [];
    return [
        {
            at: "orcheo:stack.aws.bucket.expireAfterDays",
            found: `found ${aws.bucket.expireAfterDays}`,
            remedy: `accepted: more than infrequentAfterDays, which is ${aws.bucket.infrequentAfterDays}`,
        },
    ];
}

/** AWS refuses a daily window that the weekly one may fall into. */
function windowsApart(key: string, daily: string, weekly: string): Problem[] {
    const [one, other] = [minutesOf(daily), minutesOf(weekly)];
    // Either may end past midnight, and so meet the other's next day.
    const meet = [-1440, 0, 1440].some((day) => one.start + day < other.end && other.start < one.end + day);
    if (!meet) return [];
    const remedy = `accepted: a window apart from maintenanceWindow, which is ${weekly}`;
    return [{ at: `orcheo:stack.${key}`, found: `found ${JSON.stringify(daily)}`, remedy }];
}

const databaseWindows = ({ database }: Pick<Stack, "database">): Problem[] =>
    database.kind === "rds"
        ? windowsApart("database.backupWindow", database.backupWindow, database.maintenanceWindow)
        : [];

const cacheWindows = ({ cache }: Pick<Stack, "cache">): Problem[] =>
    cache.kind === "elasticache"
        ? windowsApart("cache.snapshotWindow", cache.snapshotWindow, cache.maintenanceWindow)
        : [];

/** Begin and end of a window in minutes of the day; one that ends past midnight ends above 1440. */
function minutesOf(window: string): { start: number; end: number } {
    const times = window.match(/\d\d:\d\d/g) ?? [];
    const [start = 0, end = 0] = times.map((time) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3)));
    return { start, end: end > start ? end : end + 1440 };
}

/** A service account has one role, and those of the stack have theirs. */
function writerOfStack({
    aws,
    kubernetes,
    serviceAccounts,
}: Pick<Stack, "aws" | "kubernetes" | "serviceAccounts">): Problem[] {
    if (aws?.prometheus === undefined) return [];
    const { namespace, serviceAccount } = aws.prometheus.writer;
    if (namespace !== kubernetes.namespace || !(serviceAccount in serviceAccounts)) return [];
    return [
        {
            at: "orcheo:stack.aws.prometheus.writer.serviceAccount",
            found: `found "${serviceAccount}", a service account of the stack's own pods`,
            remedy: "accepted: that of your OpenTelemetry Collector or Prometheus",
        },
    ];
}

export const awsRules = [
    withoutAccount("database"),
    withoutAccount("cache"),
    newBesideExisting,
    tooFewSubnets,
    clusterClass,
    clusterIops,
    blueGreenOfCluster,
    storage,
    registryElsewhere,
    platformOfNodes,
    bucketAges,
    databaseWindows,
    cacheWindows,
    writerOfStack,
];
