import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

// What the entrypoint refuses before any server runs. The programs it calls are stand-ins that only say their version
// or fail; that the real ones work together is shown on the cluster.
let dir: string;
let data: string;

beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "postgres-start-"));
    data = join(dir, "volume/pgdata");
    for (const name of ["bin", "tls", "secret", "volume"]) mkdirSync(join(dir, name));
    program("postgres", "echo 'postgres (PostgreSQL) 17.6 (Debian 17.6-0+deb13u1)'");
    // Dies half-way: the file that PostgreSQL takes for a finished cluster is already there.
    program("initdb", 'mkdir -p "$PGDATA.new"; echo 17 > "$PGDATA.new/PG_VERSION"; echo "disk full" >&2; exit 1');
    for (const file of ["tls/tls.crt", "tls/tls.key", "secret/postgres-password"])
        writeFileSync(join(dir, file), "x\n");
});
afterEach(() => {
    rmSync(dir, { recursive: true, force: true });
});

function program(name: string, script: string): void {
    writeFileSync(join(dir, "bin", name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

function start(env: Record<string, string> = {}) {
    const { status, stderr } = spawnSync("sh", [resolve("images/postgres/entrypoint.sh")], {
        encoding: "utf8",
        timeout: 20_000,
        env: {
            PATH: `${join(dir, "bin")}:/usr/bin:/bin`,
            PGDATA: data,
            POSTGRES_PASSWORD_FILE: join(dir, "secret/postgres-password"),
            POSTGRES_TLS: join(dir, "tls"),
            ...env,
        },
    });
    return { status, stderr };
}

describe("postgres-start", () => {
    it("refuses the data of another major version and says what to do", () => {
        mkdirSync(data);
        writeFileSync(join(data, "PG_VERSION"), "16\n");
        const { status, stderr } = start();
        expect(status).toBe(78);
        expect(stderr).toContain(
            "was made by PostgreSQL 16 and this is 17. Run the image with PostgreSQL 16, dump with",
        );
        expect(readdirSync(data)).toEqual(["PG_VERSION"]);
    });

    it("does not touch a folder that holds something else", () => {
        mkdirSync(data);
        writeFileSync(join(data, "photo.jpg"), "");
        expect(start().stderr).toContain("holds files but no PostgreSQL cluster");
        expect(readdirSync(data)).toEqual(["photo.jpg"]);
    });

    it("never leaves a half-made cluster where the next start would take it for a whole one", () => {
        for (const attempt of ["first", "second"]) {
            const { status, stderr } = start();
            expect(stderr, attempt).toContain("disk full");
            // It may succeed another time.
            expect(status, attempt).toBe(1);
            expect(existsSync(data), attempt).toBe(false);
        }
    });

    it("gives a uid that a platform assigned the name that the server knows, and leaves its own alone", () => {
        const seen = join(dir, "seen");
        program(
            "initdb",
            `echo "\${LD_PRELOAD-none}" > ${seen}; cat "\${NSS_WRAPPER_PASSWD-/dev/null}" >> ${seen}; exit 1`,
        );
        const user = (name: string) => {
            program("id", `case $1 in -un) ${name};; -u) echo 1000680000;; -g) echo 0;; esac`);
        };
        for (const unnamed of ["echo 'cannot find name' >&2; exit 1", "echo 1000680000"]) {
            user(unnamed);
            start();
            expect(readFileSync(seen, "utf8")).toBe(
                "/usr/lib/orcheo/libnss_wrapper.so\norcheo:x:1000680000:0:Orcheo:/nonexistent:/usr/sbin/nologin\n",
            );
        }
        user("echo orcheo");
        start();
        expect(readFileSync(seen, "utf8")).toBe("none\n");
    });

    it.each([
        ["secret/postgres-password", "is missing or empty: mount the password of the role orcheo there."],
        ["tls/tls.crt", "this server speaks TLS only."],
        ["tls/tls.key", "this server speaks TLS only."],
    ])("refuses to start without %s", (file, message) => {
        rmSync(join(dir, file));
        expect(start().stderr).toContain(message);
        expect(existsSync(data)).toBe(false);
    });

    it.each(["Orcheo", "1st", "a-b", "a;b", "postgres", "template1"])("refuses %j as the database's name", (name) => {
        expect(start({ POSTGRES_DATABASE: name }).stderr).toContain(`POSTGRES_DATABASE is "${name}"`);
        expect(existsSync(data)).toBe(false);
    });
});
