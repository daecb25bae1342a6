/** Backups: where they go and as whom, what their pods see and reach, and what is refused. */
import { beforeAll, describe, expect, it } from "vitest";
import { quotaOf } from "../../../components/cluster/capacity.plan";
import { ConfigError } from "../../../components/config/problems";
import { parseStack } from "../../../components/stack/read";
import type { Stack } from "../../../components/config/schema";
import { planNetworkPolicies } from "../../../components/network/network.plan";
import { preflight } from "../../../components/preflight/preflight";
import { everythingExisting, plain } from "../../aws-programs";
import { goodProbes, runBoth, settingsOf, type Registered, type Run } from "../../harness";
import { variants } from "../../variants";

type Fields = Record<string, unknown>;
const at = (value: unknown, ...path: (string | number)[]): unknown =>
    path.reduce<unknown>((here, key) => (here as Fields | undefined)?.[key], value);

const dev = settingsOf("dev");
const prod = settingsOf("prod");
const own = variants["backups to a store of one's own"];
const store = own.backup;

function parsed(settings: object): { stack?: Stack; messages: string[] } {
    const { stack, problems } = parseStack({ stack: "dev", keys: [], json: JSON.stringify(settings), secret: false });
    return {
        stack,
        messages: problems.length === 0 ? [] : new ConfigError("", problems).message.split("\n").slice(1),
    };
}

function stackOf(settings: object): Stack {
    const { stack, messages } = parsed(settings);
    if (stack === undefined || messages.length > 0) throw new Error(messages.join());
    return stack;
}

const kind = ({ type }: Registered) => type.slice(type.lastIndexOf(":") + 1);
const named = ({ resources }: Run, wanted: string) =>
    resources.filter((each) => kind(each) === wanted).map(({ name }) => name);

function inputsOf({ resources }: Run, wanted: string, name: string): Fields {
    const found = resources.filter((each) => kind(each) === wanted && each.name === name);
    expect(found, `${wanted} ${name}`).toHaveLength(1);
    return plain(found[0]?.inputs ?? {});
}

const podOf = (run: Run): unknown =>
    at(inputsOf(run, "CronJob", "backup"), "spec", "jobTemplate", "spec", "template", "spec");
const envOf = (run: Run): Fields =>
    Object.fromEntries(
        (at(podOf(run), "containers", 0, "env") as Fields[]).map(({ name, value }) => [String(name), value]),
    );
const volumeOf = (run: Run, name: string): unknown =>
    (at(podOf(run), "volumes") as Fields[]).find((volume) => volume["name"] === name);

describe("when", () => {
    it.each(["0 3 * * *", "*/15 0-6,22 1,15 1-12/2 0"])("%s", (schedule) => {
        expect(parsed({ ...own, backup: { ...store, schedule } }).messages).toEqual([]);
    });
    it.each([
        "@daily",
        "0 3 * *",
        "60 3 * * *",
        "0 5-3 * * *",
        "0 3 * * 7",
        "0 3 * * mon",
        "0  3 * * *",
        "TZ=UTC 0 3 * * *",
    ])("not %s", (schedule) => {
        expect(parsed({ ...own, backup: { ...store, schedule } }).messages).toEqual([
            `  - orcheo:stack.backup.schedule: found ${JSON.stringify(schedule)}; accepted: minute, hour, day, month and weekday (0-6) as cron has them, such as 17 2 * * *`,
        ]);
    });
});

describe("whether", () => {
    it("a stack makes backups by default on AWS only", () => {
        expect(stackOf(dev).backup).toBeUndefined();
        expect(stackOf(prod).backup).toMatchObject({ kind: "s3", schedule: "17 2 * * *", staleAfterHours: 26 });
        expect(stackOf({ ...prod, backup: { kind: "none" } }).backup).toBeUndefined();
    });

    it("without backups there is no image, repository or Job, and no additional access to the database", async () => {
        const run = await runBoth({ stack: "prod", settings: { ...prod, backup: { kind: "none" } } });
        expect(named(run, "CronJob")).toEqual([]);
        for (const type of ["Image", "Repository"])
            expect(named(run, type).filter((name) => name.endsWith("backup"))).toEqual([]);
        expect(named(run, "NetworkPolicy")).not.toContain("network-backup-out");
    }, 60_000);
});

describe("refused, each with its whole message", () => {
    it.each<[string, object, string[]]>([
        [
            "neither bucket nor keys without an account",
            { ...dev, backup: { kind: "s3" } },
            [
                "backup.bucket: is missing; accepted: the name of a bucket; the section aws would bring one",
                'backup.credentials: is missing; accepted: kind "secret" with the name of a Secret, or "identity" where the cluster gives serviceAccounts.backup one; the section aws would bring one',
            ],
        ],
        [
            "a database in the clear",
            { ...own, backup: { ...store, endpoint: "http://minio:9000" } },
            [
                'backup.endpoint: found "http://minio:9000"; accepted: an https:// URL; or set backup.plainHttp to true, which lets anyone on the network path read the whole database',
            ],
        ],
        [
            "an unsafe choice that chooses nothing",
            { ...own, backup: { ...store, plainHttp: true } },
            ["backup.plainHttp: found true; accepted only with an http:// endpoint"],
        ],
        [
            "a bucket and a prefix that the stack's role may not write to",
            { ...prod, backup: { kind: "s3", bucket: "others", prefix: "dumps/" } },
            [
                'backup.bucket: found "others" with a role that writes to the bucket of aws.bucket alone; accepted: none; name the bucket in aws.bucket with kind "existing", or a role in aws.roles.backup',
                'backup.prefix: found "dumps/" with a role that writes below backups/ alone; accepted: backups/<path>/; or name a role in aws.roles.backup',
            ],
        ],
        [
            "a server that pg_dump does not know",
            { ...prod, database: { ...(prod["database"] as Fields), engineMajor: 18 } },
            [
                'backup.kind: found "s3" with database.engineMajor 18; accepted: "none" with a PostgreSQL above 17, which the image\'s pg_dump does not know; RDS and AWS Backup keep their own',
            ],
        ],
        [
            "someone else's account for the stack's role",
            { ...prod, serviceAccounts: { backup: { kind: "existing", name: "team" } } },
            [
                'serviceAccounts.backup.kind: found "existing" with a role of the stack\'s own; accepted: "created", which gets the role; or name the role of that account in aws.roles.backup',
            ],
        ],
        [
            "keys in the config",
            { ...own, backup: { ...store, credentials: { kind: "keys", accessKeyId: "AKIA" } } },
            ['backup.credentials.kind: found "keys"; accepted: "identity" or "secret"'],
        ],
    ])("%s", (_, settings, expected) => {
        expect(parsed(settings).messages).toEqual(expected.map((message) => `  - orcheo:stack.${message}`));
    });

    it("a configured role may write wherever its owner allows", () => {
        const roles = { backup: "arn:aws:iam::111122223333:role/backup" };
        const backup = { kind: "s3", bucket: "others", prefix: "dumps/" };
        expect(parsed({ ...prod, aws: { ...(prod["aws"] as Fields), roles }, backup }).messages).toEqual([]);
    });

    it("a missing CA", async () => {
        const stack = stackOf({ ...own, backup: { ...store, authority: { kind: "file", path: "minio.crt" } } });
        const problems = await preflight(stack, { ...goodProbes, isFile: (path) => path !== "minio.crt" }, false);
        expect(problems.map(({ at: key }) => key)).toEqual(["orcheo:stack.backup.authority.path"]);
    });
});

describe("to the user's own store", () => {
    let run: Run;
    beforeAll(async () => {
        run = await runBoth({ stack: "dev", settings: own });
    }, 60_000);

    it("on schedule, one at a time, with a deadline and a limited history", () => {
        const { containers, volumes, ...rest } = podOf(run) as Fields;
        expect(rest).toMatchObject({ restartPolicy: "Never", serviceAccountName: "backup" });
        expect([containers, volumes].map((list) => (list as unknown[]).length)).toEqual([1, 4]);
        expect(inputsOf(run, "CronJob", "backup")).toMatchObject({
            metadata: { name: "backup" },
            spec: {
                schedule: "17 2 * * *",
                timeZone: "Etc/UTC",
                concurrencyPolicy: "Forbid",
                successfulJobsHistoryLimit: 3,
                failedJobsHistoryLimit: 3,
                jobTemplate: {
                    spec: {
                        backoffLimit: 2,
                        activeDeadlineSeconds: 14_400,
                        ttlSecondsAfterFinished: 604_800,
                        podFailurePolicy: {
                            rules: [
                                { action: "Ignore" },
                                { action: "FailJob", onExitCodes: { containerName: "backup", values: [78] } },
                            ],
                        },
                    },
                },
            },
        });
    });

    it("with the database's URL and the keys as files, and nothing secret in the environment", () => {
        expect(volumeOf(run, "secrets")).toMatchObject({
            projected: {
                sources: [
                    {
                        secret: {
                            name: "backup-secret-a1b2c3d4",
                            items: [{ key: "postgres-dsn", path: "postgres-dsn" }],
                        },
                    },
                    {
                        secret: {
                            name: "minio-keys",
                            items: [
                                { key: "access-key-id", path: "access-key-id" },
                                { key: "secret-access-key", path: "secret-access-key" },
                            ],
                        },
                    },
                ],
            },
        });
        const files = plain(inputsOf(run, "Secret", "backup-secret")["stringData"] as Fields);
        expect(Object.keys(files)).toEqual(["postgres-dsn"]);
        expect(envOf(run)).toEqual({
            AWS_CA_BUNDLE: "/etc/orcheo/s3-ca/ca.crt",
            BACKUP_BUCKET: "orcheo-backups",
            BACKUP_PREFIX: "backups/orcheo/",
            BACKUP_REGION: "us-east-1",
            BACKUP_ENDPOINT: "https://minio.example.com:9000",
            PGSSLROOTCERT: "/etc/orcheo/ca/ca.crt",
        });
        expect(volumeOf(run, "s3-ca")).toMatchObject({ secret: { secretName: "minio-tls" } });
        expect(volumeOf(run, "ca")).toMatchObject({ secret: { items: [{ key: "ca.crt", path: "ca.crt" }] } });
        expect(volumeOf(run, "tmp")).toMatchObject({ emptyDir: { medium: "Memory" } });
    });

    it("reaches the database, DNS and the store's port, and is reached by nobody", () => {
        const policies = planNetworkPolicies(stackOf(own));
        expect(policies["backup-out"]).toEqual({
            podSelector: {
                matchLabels: { "app.kubernetes.io/name": "orcheo", "app.kubernetes.io/component": "backup" },
            },
            policyTypes: ["Egress"],
            egress: [
                {
                    to: [
                        {
                            podSelector: {
                                matchLabels: {
                                    "app.kubernetes.io/name": "orcheo",
                                    "app.kubernetes.io/component": "postgres",
                                },
                            },
                        },
                    ],
                    ports: [{ port: 5432, protocol: "TCP" }],
                },
                expect.objectContaining({ ports: [expect.objectContaining({ port: 53 }), expect.anything()] }),
                {
                    to: [expect.anything(), expect.anything(), { ipBlock: { cidr: "10.9.0.0/24" } }],
                    ports: [{ port: 9000, protocol: "TCP" }],
                },
            ],
        });
        expect(JSON.stringify(policies["postgres"])).toContain('"app.kubernetes.io/component":"backup"');
        expect(JSON.stringify(planNetworkPolicies(stackOf(dev))["postgres"])).not.toContain("backup");
        const inCluster = {
            ...store,
            port: 9000,
            reach: { kind: "pods", namespace: "minio", podLabels: { app: "minio" } },
        };
        const [, , toPods, ...more] = planNetworkPolicies(stackOf({ ...own, backup: inCluster }))["backup-out"]
            ?.egress as unknown[];
        expect([toPods, more]).toEqual([
            {
                to: [
                    {
                        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "minio" } },
                        podSelector: { matchLabels: { app: "minio" } },
                    },
                ],
                ports: [{ port: 9000, protocol: "TCP" }],
            },
            [],
        ]);
    });

    it("has its place in the quota", () => {
        const [without, withBackup] = [dev, own].map((settings) => quotaOf(stackOf(settings)).need);
        expect((withBackup?.pods ?? 0) - (without?.pods ?? 0)).toBe(2);
        expect((withBackup?.memoryLimitMiB ?? 0) - (without?.memoryLimitMiB ?? 0)).toBe(2 * 384);
    });

    it("shows their destination, the age of the last one, and how to make one", () => {
        const kubectl = "kubectl --context orcheo-local --namespace orcheo";
        expect(at(run.outputs, "backups")).toEqual({
            to: "s3://orcheo-backups/backups/orcheo/",
            fresh: expect.stringContaining("26 hours ago") as unknown,
            now: `${kubectl} create job --from=cronjob/backup "backup-$(date +%s)"`,
        });
    });
});

describe("on AWS", () => {
    it("to the stack's bucket, under its key, as the ServiceAccount that has the role", async () => {
        const run = await runBoth({ stack: "prod" });
        expect(envOf(run)).toEqual({
            BACKUP_BUCKET: "orcheo-prod-data-111122223333",
            BACKUP_PREFIX: "backups/orcheo/",
            BACKUP_REGION: "eu-central-1",
            BACKUP_KMS_KEY_ID: "arn:aws:kms:eu-central-1:111122223333:key/aws-data-key",
            PGSSLROOTCERT: "/etc/orcheo/database-ca/ca.crt",
        });
        const association = inputsOf(run, "PodIdentityAssociation", "aws-backup-job-backup");
        expect(association).toMatchObject({ namespace: "orcheo", serviceAccount: "backup" });
        expect(at(podOf(run), "serviceAccountName")).toBe("backup");
        expect(JSON.stringify(inputsOf(run, "ServiceAccount", "backup-account"))).not.toContain("eks.amazonaws.com");
        const policy = String(inputsOf(run, "RolePolicy", "aws-backup-job-policy")["policy"]);
        expect(policy).toContain("arn:aws:s3:::orcheo-prod-data-111122223333/backups/*");
        expect(policy).toContain('"Resource":"arn:aws:kms:eu-central-1:111122223333:key/aws-data-key"');
        const egress = JSON.stringify(inputsOf(run, "NetworkPolicy", "network-backup-out"));
        expect(egress).toContain("169.254.170.23/32");
        expect(egress).toContain('"ports":[{"port":443,"protocol":"TCP"}]');
        expect(volumeOf(run, "database-ca")).toMatchObject({ configMap: { name: "postgres-authority-a1b2c3d4" } });
        expect(volumeOf(run, "ca")).toBeUndefined();
        expect(named(run, "Repository")).toContain("aws-images-backup");
    }, 60_000);

    it("by IRSA the ServiceAccount names the role, and no agent is reached", async () => {
        const run = await runBoth({ stack: "prod", settings: everythingExisting });
        expect(inputsOf(run, "ServiceAccount", "backup-account")).toMatchObject({
            metadata: {
                name: "backup",
                annotations: { "eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/backup" },
            },
        });
        expect(envOf(run)).toMatchObject({
            BACKUP_BUCKET: "their-bucket",
            BACKUP_KMS_KEY_ID: "arn:aws:kms:eu-central-1:111122223333:key/data",
        });
        expect(JSON.stringify(inputsOf(run, "NetworkPolicy", "network-backup-out"))).not.toContain("169.254.170.23/32");
    }, 60_000);
});

describe("behind a proxy, with private CAs and an external database", () => {
    it("goes by them like the backend", async () => {
        const proxy = "http://10.0.0.10:3128";
        const run = await runBoth({
            stack: "dev",
            settings: {
                ...own,
                backup: { ...store, endpoint: undefined, authority: undefined, reach: undefined },
                outbound: { proxy: { httpsUrl: proxy }, caBundleFile: "certificates/private-ca.pem" },
                network: { privateCidrs: ["10.0.0.10/32"] },
                database: {
                    kind: "external",
                    url: { kind: "secret", name: "their-database", key: "DATABASE_URL" },
                    authority: { kind: "configMap", name: "their-ca", key: "root.pem" },
                },
            },
        });
        expect(envOf(run)).toMatchObject({
            HTTPS_PROXY: proxy,
            AWS_CA_BUNDLE: "/etc/orcheo/trust/ca-bundle.crt",
            PGSSLROOTCERT: "/etc/orcheo/database-ca/ca.crt",
        });
        expect(at(podOf(run), "initContainers", 0, "name")).toBe("trust");
        for (const list of ["initContainers", "containers"])
            expect(at(podOf(run), list, 0, "resources", "limits", "ephemeral-storage")).toBe("260Mi");
        expect(at(podOf(run), "initContainers", 0, "image")).toMatch(/\/backup:0\.1\.0@sha256:/);
        expect(at(volumeOf(run, "secrets"), "projected", "sources", 0, "secret")).toEqual({
            name: "their-database",
            items: [{ key: "DATABASE_URL", path: "postgres-dsn" }],
        });
        expect(named(run, "Secret")).not.toContain("backup-secret");
        const [database, , outside] = at(
            inputsOf(run, "NetworkPolicy", "network-backup-out"),
            "spec",
            "egress",
        ) as Fields[];
        expect(database?.["ports"]).toEqual([{ port: 5432, protocol: "TCP" }]);
        expect(JSON.stringify(database?.["to"])).toContain("0.0.0.0/0");
        expect(outside?.["ports"]).toEqual([443, 3128].map((port) => ({ port, protocol: "TCP" })));
        expect(JSON.stringify(outside?.["to"])).toContain("10.0.0.10/32");
    }, 60_000);

    it("a store without TLS is reached through the http proxy", () => {
        const backup = { ...store, endpoint: "http://minio", plainHttp: true };
        const outbound = { proxy: { httpUrl: "http://proxy.example.com", httpsUrl: "http://proxy.example.com:3128" } };
        const stack = stackOf({ ...own, backup, outbound });
        const settings = stack.backup;
        if (settings === undefined) throw new Error("no backup");
        expect(settings.storePorts).toEqual([80]);
    });
});
