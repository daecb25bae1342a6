/** Where rules about several settings begin and end: the last accepted value, and the first refused one. */
import { describe, expect, it } from "vitest";
import { parseStack } from "../../../components/stack/read";
import { everythingNew, measured } from "../../aws-programs";
import { digest, settingsOf } from "../../harness";
import { variants } from "../../variants";

type Settings = Record<string, unknown>;

const [dev, prod] = [settingsOf("dev"), settingsOf("prod")];
const section = (base: Settings, key: string, more: object): Settings => ({
    ...base,
    [key]: { ...(base[key] as object), ...more },
});
const rds = (more: object): Settings => section(prod, "database", more);
const deployed = (maxStorageGiB: number): Settings =>
    rds({ storageGiB: 100, deployment: { kind: "instance", maxStorageGiB } });
const clustered = (instanceClass: string): Settings => rds({ deployment: { kind: "cluster" }, instanceClass });
const windows = (backupWindow: string, maintenanceWindow: string): Settings => rds({ backupWindow, maintenanceWindow });
const bucket = (expireAfterDays: number): Settings =>
    section(prod, "aws", { bucket: { kind: "new", infrequentAfterDays: 90, expireAfterDays } });
const subnets = (count: number, base: Settings): Settings =>
    section(base, "aws", {
        network: {
            ...((prod["aws"] as Settings)["network"] as object),
            privateSubnetIds: ["subnet-00000001", "subnet-00000002", "subnet-00000003"].slice(0, count),
        },
    });
const network = "aws.network.privateSubnetIds";
const registry = (prefix: string, more: object = {}): Settings => ({
    ...section(prod, "aws", { registry: true, ...more }),
    registry: { prefix },
});
const copies = (...copies: object[]): Settings => section(prod, "aws", { backupPlan: { copies } });
const copyVault = (region: string, account: string, name = "orcheo"): object => ({
    kind: "vault",
    arn: `arn:aws:backup:${region}:${account}:backup-vault:${name}`,
});
const copyRegion = (region: string): object => ({ kind: "region", region });
const gp3 = (storageGiB: number, iops: number): Settings =>
    rds({ deployment: { kind: "cluster", iops }, instanceClass: "db.m6gd.large", storageGiB });
const collected = (monitoring: object, writer: object = {}): Settings => ({
    ...section(measured, "aws", {
        prometheus: { writer: { namespace: "orcheo", serviceAccount: "collector", ...writer } },
    }),
    monitoring,
});
const sent = measured["monitoring"] as object;
const webhook = { webhook: { url: { name: "alerting", key: "webhook-url" } } };
const host = "111122223333.dkr.ecr.eu-central-1.amazonaws.com";
const disk = (ephemeralRequestMiB: number): Settings =>
    section(dev, "worker", { resources: { ephemeralRequestMiB }, scratch: { tmpMiB: 128, stateMiB: 128 } });
const volume = (name: string, mountPath: string) => ({ name, mountPath, source: { kind: "claim", name: "c" } });
const volumes = (all: object[], api: object[], beat: object[] = []): Settings => ({
    ...dev,
    pods: { all: { volumes: all }, api: { volumes: api }, beat: { volumes: beat } },
});
const admitted = (...registries: string[]): Settings =>
    section(dev, "kubernetes", { admission: { kind: "enforce", registries } });
const store = variants["backups to a store of one's own"].backup;
const secretKeys = { kind: "secret", name: "keys" };

describe.each<[string, (readonly [Settings, ...string[]])[]]>([
    ["RDS grows by a tenth at least", [[deployed(110)], [deployed(109), "database.deployment.maxStorageGiB"]]],
    [
        "a cluster's standbys write to disks of their own machine",
        [
            [clustered("db.m6gd.large")],
            [clustered("db.r6idn.xlarge")],
            [clustered("db.m7g.large"), "database.instanceClass"],
            [clustered("db.d7g.large"), "database.instanceClass"],
        ],
    ],
    [
        "a cluster's IOPS are those of its disks",
        [
            [gp3(399, 3000)],
            [gp3(399, 3001), "database.deployment.iops"],
            [gp3(400, 12_000)],
            [gp3(400, 11_999), "database.deployment.iops"],
            [gp3(400, 20_000)],
            [gp3(400, 20_001), "database.deployment.iops"],
            [gp3(30_000, 15_000)],
            [gp3(30_000, 14_999), "database.deployment.iops"],
            [gp3(30_000, 64_000)],
        ],
    ],
    [
        "a copy takes over from an instance alone",
        [
            [rds({ blueGreenUpdates: true })],
            [
                rds({ blueGreenUpdates: true, deployment: { kind: "cluster" }, instanceClass: "db.m6gd.large" }),
                "database.blueGreenUpdates",
            ],
        ],
    ],
    [
        "backups are copied to another region or another account, each vault once",
        [
            [copies(copyRegion("eu-west-1"), copyVault("eu-central-1", "444455556666"))],
            [copies(copyVault("eu-west-1", "111122223333"))],
            [copies(copyRegion("eu-central-1")), "aws.backupPlan.copies[0].region"],
            [copies(copyVault("eu-central-1", "111122223333", "other")), "aws.backupPlan.copies[0].arn"],
            [copies(copyRegion("eu-west-1"), copyVault("eu-west-1", "444455556666")), "aws.backupPlan.copies[1].arn"],
            [copies(copyRegion("eu-west-1"), copyRegion("eu-west-1")), "aws.backupPlan.copies[1].region"],
            [
                copies(copyRegion("eu-west-1"), copyVault("eu-west-1", "111122223333", "orcheo-prod")),
                "aws.backupPlan.copies[1].arn",
            ],
        ],
    ],
    [
        "AWS Backup copies no snapshot of a cluster",
        [
            [
                { ...copies(copyRegion("eu-west-1")), database: clustered("db.m6gd.large")["database"] },
                "aws.backupPlan.copies",
            ],
        ],
    ],
    [
        "three zones for a new cluster, and for one of RDS",
        [
            [subnets(2, prod)],
            [subnets(3, clustered("db.m6gd.large"))],
            [subnets(2, clustered("db.m6gd.large")), network],
            [subnets(3, everythingNew)],
            [subnets(2, { ...everythingNew, database: prod["database"] }), network],
        ],
    ],
    [
        "snapshots and changes never meet, nor after midnight",
        [
            [windows("02:00-03:00", "sun:03:00-sun:04:00")],
            [windows("04:00-05:00", "sun:03:00-sun:04:00")],
            [windows("03:59-04:29", "sun:03:00-sun:04:00"), "database.backupWindow"],
            [windows("02:31-03:01", "sun:03:00-sun:04:00"), "database.backupWindow"],
            [windows("00:30-01:00", "sun:23:30-mon:00:30")],
            [windows("23:00-23:30", "sun:23:30-mon:00:30")],
            [windows("00:00-00:30", "sun:23:30-mon:00:30"), "database.backupWindow"],
            [windows("23:45-00:15", "mon:00:00-mon:01:00"), "database.backupWindow"],
            [windows("23:45-00:15", "mon:00:15-mon:01:00")],
        ],
    ],
    [
        "a managed Prometheus evaluates rules on metrics that somebody sends",
        [
            [collected(sent)],
            [collected({ kind: "prometheusOperator" })],
            [collected({ kind: "none" }), "aws.prometheus"],
        ],
    ],
    [
        "its alerts go to the topic of the alarms, and others' where they evaluate the rules",
        [
            [collected({ kind: "annotations", notifications: webhook })],
            [{ ...prod, monitoring: { ...sent, notifications: webhook } }],
            [collected({ ...sent, notifications: webhook }), "monitoring.notifications"],
        ],
    ],
    [
        "who writes to it is none of the stack's own pods",
        [
            [collected(sent, { namespace: "monitoring", serviceAccount: "api" })],
            [collected(sent, { serviceAccount: "api" }), "aws.prometheus.writer.serviceAccount"],
            [collected(sent, { serviceAccount: "canvas" }), "aws.prometheus.writer.serviceAccount"],
        ],
    ],
    ["objects move before they expire", [[bucket(91)], [bucket(90), "aws.bucket.expireAfterDays"]]],
    [
        "images are pushed to the account's own registry",
        [
            [registry(`${host}/orcheo`)],
            [registry(`${host}.example.com/orcheo`), "registry.prefix"],
            [registry("ghcr.io/team/orcheo"), "registry.prefix"],
            [registry("ghcr.io/team/orcheo", { registry: false })],
        ],
    ],
    ["a pod's disk request is at most its limit", [[disk(512)], [disk(513), "worker.resources.ephemeralRequestMiB"]]],
    [
        "a volume's name and path are there once in each pod",
        [
            [volumes([volume("a", "/a")], [volume("b", "/b")], [volume("b", "/b")])],
            [volumes([volume("a", "/a")], [volume("a", "/b")]), "pods.api.volumes"],
            [volumes([], [volume("a", "/a"), volume("b", "/a")]), "pods.api.volumes"],
        ],
    ],
    [
        "the cluster admits the stack's own images",
        [
            [admitted()],
            [admitted("quay.io", "127.0.0.1:5000/orcheo")],
            [admitted("127.0.0.1:5000")],
            [admitted("127.0.0.1:5000/orch"), "kubernetes.admission.registries"],
        ],
    ],
    [
        "pg_dump reads no newer server",
        [
            [rds({ engineMajor: 17 })],
            [rds({ engineMajor: 18 }), "backup.kind"],
            [{ ...rds({ engineMajor: 18 }), backup: { kind: "none" } }],
        ],
    ],
    [
        "the stack's role writes to its own bucket alone; keys of others write where they may",
        [
            [{ ...prod, backup: { kind: "s3", prefix: "backups/x/" } }],
            [{ ...prod, backup: { kind: "s3", prefix: "backup/x/" } }, "backup.prefix"],
            [{ ...prod, backup: { kind: "s3", bucket: "theirs", prefix: "x/", credentials: secretKeys } }],
        ],
    ],
    [
        "dumps travel in the clear only where that is chosen",
        [
            [{ ...dev, backup: { ...store, endpoint: "http://10.1.2.3:9000", plainHttp: true } }],
            [{ ...dev, backup: { ...store, endpoint: "http://10.1.2.3:9000" } }, "backup.endpoint"],
            [{ ...dev, backup: { ...store, plainHttp: true } }, "backup.plainHttp"],
        ],
    ],
    [
        "published images are not rolled back",
        [
            [{ ...dev, rollbackTo: 1 }],
            [
                {
                    ...dev,
                    rollbackTo: 1,
                    images: {
                        kind: "published",
                        ...Object.fromEntries(
                            ["backend", "canvas", "postgres", "valkey"].map((name) => [
                                name,
                                `a.io/b/${name}@${digest}`,
                            ]),
                        ),
                    },
                },
                "rollbackTo",
            ],
        ],
    ],
])("%s", (_, cases) => {
    it.each(cases.map(([settings, ...keys], index) => [index, settings, keys] as const))(
        "case %i",
        (_index, settings, keys) => {
            const { problems } = parseStack({ stack: "x", keys: [], json: JSON.stringify(settings), secret: false });
            expect(problems.map(({ at }) => at)).toEqual(keys.map((key) => `orcheo:stack.${key}`));
        },
    );
});
