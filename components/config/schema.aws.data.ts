/** Settings of the database and the cache on AWS. */
import { z } from "zod";
import { choice, flag, kind, oneOf, path, text, whole } from "./fields";
import { daily, resourceId, weekly } from "./fields.aws";
import { audit } from "./schema.audit";
import { pooler } from "./schema.pooler";

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
            maxStorageGiB: whole(22, 65_536).default(200).describe("Upper limit of automatic storage growth, GiB."),
        }),
        z.strictObject({
            kind: kind("cluster"),
            iops: whole(3000, 64_000)
                .optional()
                .describe("IOPS of each instance; default what gp3 includes: 3000, from 400 GiB on 12000."),
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
        .describe("CA that signs the server's certificate."),
    passwordGeneration,
    backupRetentionDays: whole(7, 35).default(14).describe("Days to which the database can be set back."),
    backupWindow: daily().default("01:00-02:00").describe("Window of the daily snapshot."),
    maintenanceWindow: weekly().default("sun:03:00-sun:04:00").describe("Window of changes that need a restart."),
    blueGreenUpdates: flag()
        .default(false)
        .describe(
            "Change engine, class and parameters of an instance on a copy that then takes over. Turn it on, and restart the database once, before a major version changes (docs/runbooks/postgres-major-version-rds.md).",
        ),
    securityGroupId: securityGroup(),
    pooler: pooler(),
    audit: audit(),
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

export type RdsSettings = z.output<typeof rds>;
export type ElasticacheSettings = z.output<typeof elasticache>;
