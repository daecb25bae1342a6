import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../components/config/problems";
import { pooledLabel } from "../../../components/kubernetes/labels";
import { parseStack } from "../../../components/stack/read";
import { plain } from "../../aws-programs";
import { runBoth, settingsOf, type Run } from "../../harness";

const [dev, prod] = [settingsOf("dev"), settingsOf("prod")];
const pgbouncer = { kind: "pgbouncer" };
const withPooler = (database: object, pooler: object = {}): object => ({
    ...dev,
    database: { ...database, pooler: { ...pgbouncer, ...pooler } },
});
const own = { kind: "statefulset" };
const url = "postgresql://orcheo:s3cret@db.example.com:5432/orcheo";

const only = (run: Run, name: string): Record<string, unknown> => {
    const found = run.resources.filter((each) => each.name === name && !each.type.startsWith("orcheo:"));
    expect(found, name).toHaveLength(1);
    return plain(found[0]?.inputs ?? {});
};
const filesOf = (run: Run, name: string): Record<string, string> =>
    plain(only(run, name)["stringData"] as Record<string, unknown>) as Record<string, string>;
const made = (run: Run): readonly string[] =>
    run.resources
        .filter(({ name }) => name.includes("pgbouncer") || name === "network-pooled-out")
        .map(({ name }) => name);

function messages(settings: object): string[] {
    const { problems } = parseStack({ stack: "prod", keys: [], json: JSON.stringify(settings), secret: true });
    return problems.length === 0 ? [] : new ConfigError("", problems).message.split("\n").slice(1);
}

describe("a pooler", () => {
    it("is made only when configured", async () => {
        expect(made(await runBoth({ stack: "dev", settings: dev }))).toEqual([]);
    }, 60_000);

    it("is all that Orcheo's own pods connect to; the database's password is in no Secret of theirs", async () => {
        const run = await runBoth({ stack: "dev", settings: withPooler(own) });
        const { "postgres-dsn": dsn, "userlist.txt": users } = filesOf(run, "pgbouncer-secret");
        const password = filesOf(run, "postgres-secret")["postgres-password"] ?? "";
        expect(dsn).toContain(`:${password}@postgres:5432/orcheo?sslmode=verify-full`);
        const [, pooled = ""] = /^"orcheo_a" "([\w-]+)"\n$/.exec(users ?? "") ?? [];
        expect(pooled).not.toBe("");
        const backend = filesOf(run, "backend-secret");
        expect(backend["postgres-dsn"]).toBe(
            `postgresql://orcheo_a:${pooled}@pgbouncer:6432/orcheo?sslmode=verify-full&sslrootcert=/etc/orcheo/ca/ca.crt`,
        );
        expect(JSON.stringify(backend)).not.toContain(password);
        for (const role of ["api", "worker", "beat", "backend-init"]) {
            const text = JSON.stringify(only(run, role));
            expect(text).toContain(`"${pooledLabel}":"true"`);
            expect(text).toContain('{"name":"POSTGRES_PORT_OPEN","value":"6432"}');
            // Less than a replica that stops waits for its clients.
            expect(text).toContain('{"name":"POSTGRES_CONNECTION_SECONDS","value":"30"}');
        }
        const after = run.resources.find(({ name }) => name === "backend-init")?.options.after;
        expect(after).toContain("Deployment");
        const deployment = JSON.stringify(only(run, "pgbouncer"));
        for (const part of [
            '"replicas":2',
            '{"name":"PGBOUNCER_POOL","value":"20"}',
            // A run keeps a connection from its start to its end.
            '{"name":"PGBOUNCER_RUN_SECONDS","value":"600"}',
            '"terminationGracePeriodSeconds":655',
            '{"name":"POSTGRES_PORT_OPEN","value":"5432"}',
            '{"name":"PGSSLROOTCERT","value":"/etc/orcheo/ca/ca.crt"}',
            '"readOnlyRootFilesystem":true',
        ])
            expect(deployment).toContain(part);
        expect(deployment).not.toContain(pooledLabel);
    }, 60_000);

    it("that is no longer used keeps serving, while pods start without it", async () => {
        const run = await runBoth({ stack: "dev", settings: withPooler(own, { used: false }) });
        expect(made(run)).toContain("pgbouncer");
        expect(filesOf(run, "backend-secret")["postgres-dsn"]).toContain("@postgres:5432/");
        for (const role of ["api", "worker", "beat", "backend-init"])
            expect(JSON.stringify(only(run, role))).not.toContain(pooledLabel);
    }, 60_000);

    it("keeps the former password while the next one comes into use", async () => {
        const run = await runBoth({ stack: "dev", settings: withPooler(own, { passwordGeneration: 2 }) });
        expect(filesOf(run, "pgbouncer-secret")["userlist.txt"]).toMatch(
            /^"orcheo_b" "[\w-]+"\n"orcheo_a" "[\w-]+"\n$/,
        );
        expect(filesOf(run, "backend-secret")["postgres-dsn"]).toContain("//orcheo_b:");
    }, 60_000);

    it("reads a URL that only its pods can read", async () => {
        const external = {
            kind: "external",
            url: { kind: "secret", name: "theirs", key: "DSN" },
            authority: { kind: "secret", name: "their-tls" },
            port: 6000,
        };
        const run = await runBoth({ stack: "dev", settings: withPooler(external) });
        const deployment = JSON.stringify(only(run, "pgbouncer"));
        for (const part of [
            '{"secret":{"items":[{"key":"DSN","path":"postgres-dsn"}],"name":"theirs"}}',
            '{"name":"POSTGRES_PORT_OPEN","value":"6000"}',
            '{"name":"PGSSLROOTCERT","value":"/etc/orcheo/database-ca/ca.crt"}',
            '"secretName":"their-tls"',
        ])
            expect(deployment).toContain(part);
        const worker = JSON.stringify(only(run, "worker"));
        expect(worker).not.toContain("theirs");
        expect(worker).not.toContain("their-tls");
    }, 60_000);

    it("stands before RDS, whose users and dumps are made without it", async () => {
        const database = { ...(prod["database"] as object), pooler: pgbouncer };
        const run = await runBoth({ stack: "prod", settings: { ...prod, database } });
        expect(filesOf(run, "pgbouncer-secret")["postgres-dsn"]).toMatch(
            /^postgresql:\/\/orcheo_a:.*rds.*:5432\/orcheo/,
        );
        expect(filesOf(run, "backend-secret")["postgres-dsn"]).toContain("@pgbouncer:6432/");
        expect(filesOf(run, "backup-secret")["postgres-dsn"]).toMatch(/:5432\/orcheo/);
        expect(JSON.stringify(only(run, "postgres-users"))).not.toContain(pooledLabel);
        expect(run.resources.map(({ name }) => name)).toContain("aws-images-pgbouncer");
    }, 60_000);
});

describe("refused with a pooler", () => {
    const external = (value: string) => withPooler({ kind: "external", url: { kind: "value", value } });
    const published = Object.fromEntries(
        ["backend", "canvas", "postgres", "valkey"].map((name) => [name, `ghcr.io/a/${name}@sha256:${"d".repeat(64)}`]),
    );

    it.each<[string, object, readonly string[]]>([
        ["nothing", external(`${url}?connect_timeout=5&channel_binding=prefer`), []],
        [
            "what a URL asks of each session, without its value",
            external(`${url}?options=-csearch_path%3Dx&target_session_attrs=primary`),
            ["options", "target_session_attrs"].map((key) => {
                const or = key === "options" ? "" : ", or with target_session_attrs=any";
                return `  - orcheo:stack.database.url.value: found ${key} with a value that a pooler cannot keep to; accepted: a URL without ${key}${or}; or set database.pooler.kind to "none"`;
            }),
        ],
        [
            "published images without its own",
            { ...withPooler(own), images: { kind: "published", ...published } },
            [
                '  - orcheo:stack.images.pgbouncer: is missing; accepted: an image by digest, as images/published.json has none for release "0.33"; or set database.pooler.kind to "none"',
            ],
        ],
        [
            "variables of its own",
            { ...withPooler(own), pods: { pgbouncer: { extraEnv: { PGBOUNCER_POOL: "1" } } } },
            [
                "  - orcheo:stack.pods.pgbouncer.extraEnv.PGBOUNCER_POOL: is set by the stack itself; accepted: the section database.pooler instead",
            ],
        ],
    ])("%s", (_, settings, found) => {
        expect(messages(settings)).toEqual(found);
    });
});
