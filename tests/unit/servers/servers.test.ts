import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it, vi } from "vitest";
import { verifiedUrl } from "../../../components/servers/connection.plan";
import { ConfigError } from "../../../components/config/problems";
import { parseStack } from "../../../components/stack/read";
import { loginOf, planService, planUsers } from "../../../components/database/database-users.plan";
import { planPostgresConf } from "../../../components/database/postgres.plan";
import { planParameters } from "../../../components/database/rds.plan";
import { preflight } from "../../../components/preflight/preflight";
import { planSlots } from "../../../components/servers/passwords.plan";
import { everythingNew, plain } from "../../aws-programs";
import { caText, goodProbes, runBoth, settingsOf, type Run } from "../../harness";

afterEach(() => {
    vi.unstubAllEnvs();
});

const url = "postgresql://orcheo:s3cret@db.example.com:5432/orcheo";

function messages(settings: object, secret = true): string[] {
    const { problems } = parseStack({ stack: "prod", keys: [], json: JSON.stringify(settings), secret });
    return problems.length === 0 ? [] : new ConfigError("", problems).message.split("\n").slice(1);
}

function external(server: "database" | "cache", value: string, more: object = {}): object {
    return { ...settingsOf("dev"), [server]: { kind: "external", url: { kind: "value", value }, ...more } };
}

describe("a server that others run", () => {
    const only = (run: Run, name: string) => {
        const found = run.resources.filter((each) => each.name === name && !each.type.startsWith("orcheo:"));
        expect(found, name).toHaveLength(1);
        return plain(found[0]?.inputs ?? {});
    };

    it("is reached through a Secret that the program never reads", async () => {
        const run = await runBoth({
            stack: "dev",
            settings: {
                ...settingsOf("dev"),
                database: {
                    kind: "external",
                    url: { kind: "secret", name: "their-database", key: "DATABASE_URL" },
                    authority: { kind: "secret", name: "their-tls" },
                    reach: { kind: "pods", namespace: "data", podLabels: { app: "postgres" } },
                },
                cache: {
                    kind: "external",
                    url: { kind: "secret", name: "their-cache" },
                    port: 6380,
                    reach: { kind: "addresses", cidrs: ["10.9.0.0/24"] },
                },
            },
        });
        const servers = run.resources.filter(
            ({ type, name }) => /StatefulSet|PersistentVolumeClaim/.test(type) || /^(postgres|valkey)-tls/.test(name),
        );
        expect(servers).toEqual([]);
        expect(Object.keys(plain(only(run, "backend-secret")["stringData"] as Record<string, unknown>))).not.toContain(
            "postgres-dsn",
        );
        const worker = JSON.stringify(only(run, "worker"));
        for (const part of [
            '{"secret":{"items":[{"key":"DATABASE_URL","path":"postgres-dsn"}],"name":"their-database"}}',
            '{"secret":{"items":[{"key":"url","path":"redis-url"}],"name":"their-cache"}}',
            '{"name":"PGSSLMODE","value":"verify-full"}',
            '{"name":"REDIS_TLS_CA_FILE","value":"/etc/ssl/certs/ca-certificates.crt"}',
            '"secretName":"their-tls"',
        ])
            expect(worker).toContain(part);
        const policy = JSON.stringify(only(run, "network-backend-out"));
        expect(policy).toContain(
            '{"ports":[{"port":5432,"protocol":"TCP"}],"to":[{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"data"}},"podSelector":{"matchLabels":{"app":"postgres"}}}]}',
        );
        expect(policy).toContain(
            '{"ports":[{"port":6380,"protocol":"TCP"}],"to":[{"ipBlock":{"cidr":"10.9.0.0/24"}}]}',
        );
    }, 60_000);

    it("or by a URL from the encrypted config, verified by a PEM file", async () => {
        const authority = { kind: "file", path: "certificates/theirs.pem" };
        const run = await runBoth({
            stack: "dev",
            settings: external("database", url, { authority }),
            secretKeys: ["orcheo:stack"],
        });
        expect(only(run, "postgres-authority")["data"]).toEqual({ "ca.crt": caText });
        for (const { inputs, name } of run.resources)
            if (name !== "backend-secret") expect(JSON.stringify(inputs)).not.toContain("s3cret");
        const { stringData } = only(run, "backend-secret") as { stringData: Record<string, unknown> };
        expect(plain(stringData)["postgres-dsn"]).toBe(
            `${url}?sslmode=verify-full&sslrootcert=%2Fetc%2Forcheo%2Fdatabase-ca%2Fca.crt`,
        );
        expect(JSON.stringify(run.outputs)).not.toContain("s3cret");
    }, 60_000);

    it("keeps the rest of the URL", () => {
        expect(verifiedUrl("cache", "rediss://u:p%40w@c.example.com:6380/1", { kind: "system" })).toBe(
            "rediss://u:p%40w@c.example.com:6380/1?ssl_cert_reqs=required&ssl_ca_certs=%2Fetc%2Fssl%2Fcerts%2Fca-certificates.crt",
        );
    });

    const at = "orcheo:stack.database.url.value";
    const accepted = "accepted: postgresql://user:password@host:port/database, with sslmode=verify-full or none";
    it.each([
        [`${url}?sslmode=require`, "sslmode other than verify-full"],
        [`${url}?sslmode=disable`, "sslmode other than verify-full"],
        [`${url}?sslrootcert=/tmp/ca`, "sslrootcert, which follows from authority"],
        ["mysql://orcheo:s3cret@db.example.com/orcheo", "a URL that does not begin with postgresql://"],
        ["s3cret", "no URL"],
    ])("refuses less than verified TLS without showing it: %s", (value, found) => {
        expect(messages(external("database", value))).toEqual([`  - ${at}: found ${found}; ${accepted}`]);
    });

    it("refuses a cache without TLS, and a URL in the clear", () => {
        expect(messages(external("cache", "redis://:s3cret@c.example.com:6379/0"))).toEqual([
            "  - orcheo:stack.cache.url.value: found a URL that does not begin with rediss://; accepted: rediss://user:password@host:port/0, with ssl_cert_reqs=required or none",
        ]);
        expect(messages(external("database", url), false)).toEqual([
            `  - ${at}: is not encrypted; set it with: pulumi config set --secret --path ${at}`,
        ]);
    });
});

describe("conflicting AWS settings", () => {
    const prod = settingsOf("prod");
    const aws = prod["aws"] as Record<string, unknown>;
    const fresh = everythingNew["aws"] as Record<string, unknown>;
    const network = aws["network"] as Record<string, unknown>;
    const two = { ...network, privateSubnetIds: ["subnet-00000001", "subnet-00000002"] };
    const withIops = (storageGiB: number, iops: number): object => {
        const database = everythingNew["database"] as Record<string, unknown>;
        return { ...everythingNew, database: { ...database, storageGiB, deployment: { kind: "cluster", iops } } };
    };
    it.each<[string, object, string]>([
        [
            "RDS without an account",
            { aws: undefined, cache: { kind: "valkey" } },
            'database.kind: found "rds" without the section aws; accepted: with orcheo:stack.aws (region, accountId, network, cluster, …), or another kind',
        ],
        [
            "a cluster in two zones",
            { ...everythingNew, aws: { ...fresh, network: two } },
            'aws.network.privateSubnetIds: found 2; accepted: at least 3, each in another zone, with aws.cluster.kind "new" and database.deployment.kind "cluster"',
        ],
        [
            "a network that its cluster is not in",
            { aws: { ...aws, network: fresh["network"] } },
            'aws.network.kind: found "new" with aws.cluster.kind "existing"; accepted: "existing" or "stackReference", the network of that cluster',
        ],
        [
            "an OIDC provider of a cluster that is not there",
            {
                ...everythingNew,
                aws: {
                    ...fresh,
                    identities: {
                        kind: "irsa",
                        oidcProviderArn:
                            "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/0",
                    },
                },
            },
            'aws.identities.kind: found "irsa" with aws.cluster.kind "new", whose OIDC provider is not there yet; accepted: "podIdentity"',
        ],
        [
            "storage that cannot grow",
            { database: { ...(prod["database"] as object), storageGiB: 500 } },
            "database.deployment.maxStorageGiB: found 500; accepted: at least 550 with storageGiB 500",
        ],
        [
            "a class without disks of its own for a cluster",
            {
                ...everythingNew,
                database: { ...(everythingNew["database"] as object), instanceClass: "db.m7g.large" },
            },
            'database.instanceClass: found "db.m7g.large" with database.deployment.kind "cluster"; accepted: a class with local disks such as db.m6gd.large; or deployment.kind "instance"',
        ],
        [
            "IOPS that a small disk of a cluster cannot have",
            withIops(100, 12_000),
            "database.deployment.iops: found 12000 with storageGiB 100; accepted: 3000, or none; more only with storageGiB from 400 on",
        ],
        [
            "fewer IOPS than a large disk of a cluster has",
            withIops(400, 3000),
            "database.deployment.iops: found 3000 with storageGiB 400; accepted: from 12000 to 20000, or none",
        ],
        [
            "more IOPS than the disk of a cluster can have",
            withIops(500, 25_001),
            "database.deployment.iops: found 25001 with storageGiB 500; accepted: from 12000 to 25000, or none",
        ],
        [
            "a registry of another account",
            { registry: { prefix: "ghcr.io/team/orcheo" } },
            'registry.prefix: found "ghcr.io/team/orcheo" with aws.registry; accepted: 111122223333.dkr.ecr.eu-central-1.amazonaws.com/<path>; or set aws.registry to false',
        ],
        [
            "Graviton nodes with images for another processor",
            { ...everythingNew, images: { kind: "build", platforms: ["linux/amd64"] } },
            'images.platforms: found ["linux/amd64"] with aws.cluster.nodes.architecture "arm64"; accepted: a list with linux/arm64',
        ],
        [
            "Auto Mode with images for Graviton alone",
            { ...everythingNew, aws: { ...fresh, cluster: { kind: "new", nodes: { kind: "auto" } } } },
            'images.platforms: found ["linux/arm64"] with aws.cluster.nodes.kind "auto", whose nodes are amd64; accepted: a list with linux/amd64',
        ],
        [
            "objects that expire before they move",
            { aws: { ...aws, bucket: { kind: "new", infrequentAfterDays: 90, expireAfterDays: 60 } } },
            "aws.bucket.expireAfterDays: found 60; accepted: more than infrequentAfterDays, which is 90",
        ],
        [
            "a backup during the maintenance",
            { database: { ...(prod["database"] as object), backupWindow: "03:30-04:30" } },
            'database.backupWindow: found "03:30-04:30"; accepted: a window apart from maintenanceWindow, which is sun:03:00-sun:04:00',
        ],
        [
            "a public API",
            {
                ...everythingNew,
                aws: { ...fresh, cluster: { ...(fresh["cluster"] as object), publicCidrs: ["0.0.0.0/0"] } },
            },
            'aws.cluster.publicCidrs[0]: found "0.0.0.0/0"; accepted: a CIDR narrower than /0',
        ],
        [
            "another partition",
            { aws: { ...aws, region: "cn-north-1" } },
            'aws.region: found "cn-north-1"; accepted: a region such as eu-central-1, not of China or GovCloud',
        ],
    ])("%s", (_, settings, message) => {
        expect(messages({ ...prod, ...settings }, false)).toEqual([`  - orcheo:stack.${message}`]);
    });

    it("the RDS CA bundle must exist; a new cluster has no kubeconfig yet", async () => {
        const { sections } = parseStack({
            stack: "prod",
            keys: [],
            json: JSON.stringify(everythingNew),
            secret: false,
        });
        const bare = {
            ...goodProbes,
            isFile: () => false,
            contexts: () => ({ where: "~/.kube/config", names: undefined }),
        };
        expect(await preflight(sections, bare, true)).toEqual([
            {
                at: "orcheo:stack.database.caBundleFile",
                found: "there is no file certificates/rds.pem",
                remedy: "accepted: a PEM file",
            },
        ]);
    });
});

it("the database logs no values of slow statements, the stack's own as that of RDS", () => {
    const { parameters } = planParameters({ engineMajor: 17, blueGreenUpdates: false, audit: [] });
    expect(parameters).toContainEqual({ name: "log_parameter_max_length", value: "0" });
    expect(readFileSync("images/postgres/postgresql.conf", "utf8")).toMatch(/^log_parameter_max_length = 0$/m);
});

describe("pgaudit", () => {
    const confOf = (settings: object): string => {
        const json = JSON.stringify({ ...settingsOf("dev"), database: { kind: "statefulset", ...settings } });
        const { stack } = parseStack({ stack: "dev", keys: [], json, secret: false });
        if (stack?.database.kind !== "statefulset") throw new Error("another database");
        return planPostgresConf(stack.database);
    };

    it("is loaded where a class is asked for, and never logs values of parameters", () => {
        const { parameters } = planParameters({ engineMajor: 17, blueGreenUpdates: false, audit: ["ddl", "role"] });
        expect(parameters).toEqual(
            expect.arrayContaining([
                {
                    name: "shared_preload_libraries",
                    value: "pg_stat_statements,pgaudit",
                    applyMethod: "pending-reboot",
                },
                { name: "pgaudit.log", value: "ddl,role" },
                { name: "pgaudit.log_parameter", value: "0" },
            ]),
        );
        expect(confOf({ audit: ["write"] })).toContain(
            "shared_preload_libraries = 'pgaudit'\npgaudit.log = 'write'\npgaudit.log_catalog = 'off'\npgaudit.log_parameter = 'off'\n",
        );
        const dockerfile = readFileSync("images/postgres/Dockerfile", "utf8");
        expect(dockerfile).toMatch(/apt-get install .* postgresql-17-pgaudit;/);
        expect(dockerfile).toMatch(/ldd .*\/pgaudit\.so/);
    });

    it("is not loaded otherwise", () => {
        expect(JSON.stringify(planParameters({ engineMajor: 17, blueGreenUpdates: false, audit: [] }))).not.toContain(
            "pgaudit",
        );
        expect(confOf({})).not.toContain("audit");
    });

    it.each([
        [["select"], "audit[0]"],
        [["ddl", "ddl"], "audit"],
    ])("%j is refused", (audit, key) => {
        const json = JSON.stringify({ ...settingsOf("dev"), database: { audit, kind: "statefulset" } });
        const { problems } = parseStack({ stack: "dev", keys: [], json, secret: false });
        expect(problems.map(({ at }) => at)).toEqual([`orcheo:stack.database.${key}`]);
    });
});

describe("the users of a managed database", () => {
    it("slots take turns", () => {
        expect([1, 2, 3].map(planSlots)).toEqual([
            { current: { slot: "a", generation: 1 } },
            { current: { slot: "b", generation: 2 }, previous: { slot: "a", generation: 1 } },
            { current: { slot: "a", generation: 3 }, previous: { slot: "b", generation: 2 } },
        ]);
    });

    it("are created by repeatable statements, each with the owner's rights", () => {
        const login = loginOf({ slot: "a", generation: 1 });
        expect(planUsers([{ login, password: "pw" }]).split("\n")).toEqual([
            "\\set ON_ERROR_STOP on",
            "SELECT 'CREATE ROLE orcheo NOLOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'orcheo') \\gexec",
            "GRANT orcheo TO CURRENT_USER;",
            "ALTER DATABASE orcheo OWNER TO orcheo;",
            "SELECT 'CREATE ROLE orcheo_a NOLOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'orcheo_a') \\gexec",
            "ALTER ROLE orcheo_a LOGIN PASSWORD 'pw';",
            "GRANT orcheo TO orcheo_a;",
            "ALTER ROLE orcheo_a SET role = 'orcheo';",
            "",
        ]);
        expect(planService("db.example.com", "pw", { kind: "configMap" })).toContain(
            "sslmode=verify-full\nsslrootcert=/etc/orcheo/database-ca/ca.crt\n",
        );
    });
});
