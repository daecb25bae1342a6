import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

// What the entrypoint writes and refuses. The server is a stand-in that ends at once; the real one runs on the cluster.
let dir: string;
const url = "postgresql://orcheo:s3cret@db.example.com:5432/orcheo";

beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "pgbouncer-start-"));
    for (const name of ["bin", "tls", "secrets"]) mkdirSync(join(dir, name));
    writeFileSync(join(dir, "bin/pgbouncer"), "#!/bin/sh\n", { mode: 0o755 });
    for (const file of ["tls/tls.crt", "tls/tls.key", "tls/ca.crt", "secrets/userlist.txt"])
        writeFileSync(join(dir, file), "x\n");
});
afterEach(() => {
    rmSync(dir, { recursive: true, force: true });
});

function start(given: string, env: Record<string, string> = {}) {
    writeFileSync(join(dir, "secrets/postgres-dsn"), given);
    return spawnSync("bash", [resolve("images/pgbouncer/entrypoint.sh")], {
        encoding: "utf8",
        timeout: 20_000,
        env: {
            PATH: `${join(dir, "bin")}:/usr/bin:/bin`,
            PGBOUNCER_SECRETS: join(dir, "secrets"),
            PGBOUNCER_TLS: join(dir, "tls"),
            PGBOUNCER_RUN: join(dir, "run"),
            PGBOUNCER_POOL: "20",
            PGBOUNCER_CLIENTS: "256",
            POSTGRES_PORT_OPEN: "5432",
            PGSSLROOTCERT: join(dir, "tls/ca.crt"),
            ...env,
        },
    });
}

/** The line of the database, of the file that was written. */
function databaseOf(given: string, env?: Record<string, string>): string {
    const { status, stderr } = start(given, env);
    expect([status, stderr]).toEqual([0, ""]);
    return readFileSync(join(dir, "run/pgbouncer.ini"), "utf8").split("\n")[1] ?? "";
}

describe("pgbouncer-start", () => {
    it("takes the server from the database's URL, and verifies both sides", () => {
        expect(databaseOf(`${url}?sslmode=verify-full&sslrootcert=/elsewhere&connect_timeout=5\n`)).toBe(
            "orcheo = host=db.example.com port=5432 dbname='orcheo' user='orcheo' password='s3cret'",
        );
        const ini = readFileSync(join(dir, "run/pgbouncer.ini"), "utf8");
        for (const line of [
            "pool_mode = transaction",
            "auth_type = scram-sha-256",
            "default_pool_size = 20",
            "max_client_conn = 256",
            "client_tls_sslmode = require",
            "server_tls_sslmode = verify-full",
            `server_tls_ca_file = ${join(dir, "tls/ca.crt")}`,
            // 0.33 prepares its statements.
            "max_prepared_statements = 200",
            // A lease is given up after 45 seconds.
            "query_wait_timeout = 10",
        ])
            expect(ini.split("\n")).toContain(line);
    });

    it.each<[string, string]>([
        ["postgres://a:b@10.0.0.1/x", "host=10.0.0.1 port=5432 dbname='x' user='a' password='b'"],
        ["postgresql://a:b@[fd00::1]:5432/x", "host=fd00::1 port=5432 dbname='x' user='a' password='b'"],
        ["postgresql://a:b@h", "host=h port=5432 dbname='a' user='a' password='b'"],
        ["postgresql://a%40b:p%27w%25%5C%3F@h/d%2Fb", "host=h port=5432 dbname='d/b' user='a@b' password='p''w%\\?'"],
        ["postgresql://a:n%C3%A9%3B@h/x", "host=h port=5432 dbname='x' user='a' password='né;'"],
    ])("reads %s", (given, line) => {
        expect(databaseOf(given)).toBe(`orcheo = ${line}`);
    });

    it.each<[string, string, string]>([
        ["another port", "postgresql://a:s3cret@h:5433/x", "names port 5433; the network policies open 5432"],
        ["no password", "postgresql://a@h/x", "not of the form"],
        ["two hosts", "postgresql://a:s3cret@h,i/x", "not of the form"],
        ["no URL", "host=h password=s3cret", "not of the form"],
        ["a control character", "postgresql://a:s3cret%0Aadmin_users=a@h/x", "control character in its password"],
        ["settings of a session", `${url}?options=-csearch_path%3Ds3cret`, 'query key "options"'],
        ["less than verified TLS", `${url}?sslmode=require`, 'query key "sslmode"'],
        ["a check of the primary", `${url}?target_session_attrs=primary`, '"target_session_attrs"'],
    ])("refuses for good, without showing the URL: %s", (_, given, message) => {
        const { status, stderr } = start(given);
        expect(status).toBe(78);
        expect(stderr).toContain(message);
        expect(stderr).not.toContain("s3cret");
    });

    it("refuses numbers and files that are missing", () => {
        expect(start(url, { PGBOUNCER_POOL: "0" }).stderr).toContain(
            'PGBOUNCER_POOL is "0"; give a whole number from 1 to 10000',
        );
        rmSync(join(dir, "tls/tls.key"));
        expect(start(url)).toMatchObject({ status: 78 });
    });
});
