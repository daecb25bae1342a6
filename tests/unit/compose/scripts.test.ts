/** compose/check.py and compose/prepare.sh, run as they are. */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { X509Certificate } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { verifiedUrl } from "../../../components/servers/servers.plan";
import { variables } from "../../../compose/variables.plan";

const digest = `sha256:${"0".repeat(64)}`;
const images = Object.fromEntries(
    ["BACKEND", "CANVAS", "POSTGRES", "VALKEY", "BACKUP", "TRAEFIK"].map((name) => [
        `ORCHEO_${name}_IMAGE`,
        `127.0.0.1:5000/orcheo/${name.toLowerCase()}@${digest}`,
    ]),
);
const accepted = {
    ...images,
    ORCHEO_HOST: "orcheo.example.com",
    ORCHEO_TLS: "files",
    ORCHEO_SIGN_IN_ISSUER: "https://id.example.com/realms/team",
    ORCHEO_SIGN_IN_CLIENT_ID: "orcheo",
    ORCHEO_SIGN_IN_AUDIENCE: "orcheo",
};
const check = (file: string, env: Record<string, string>) => {
    const { status, stderr } = spawnSync("python3", ["-I", "compose/check.py", file], {
        env: { PATH: process.env["PATH"] ?? "", ORCHEO_RELEASE: "0.33", ...env },
        encoding: "utf8",
    });
    return { status, problems: stderr.split("\n").filter((line) => line.startsWith("  - ")), stderr };
};

describe("check.py", () => {
    it("accepts a complete .env", () => {
        expect(check("prod", accepted)).toEqual({ status: 0, problems: [], stderr: "" });
        expect(check("dev", { ORCHEO_TRAEFIK_IMAGE: images["ORCHEO_TRAEFIK_IMAGE"] ?? "" }).status).toBe(0);
    });

    it("names every problem at once, with form and example", () => {
        const { status, problems } = check("prod", {
            ...accepted,
            ORCHEO_HOST: "https://orcheo.example.com",
            ORCHEO_SIGN_IN_ISSUER: "",
            ORCHEO_CANVAS_IMAGE: "orcheo/canvas:latest",
            ORCHEO_HOTS: "x",
        });
        expect(status).toBe(78);
        expect(problems).toEqual([
            '  - ORCHEO_HOST: found "https://orcheo.example.com"; accepted: a host name such as orcheo.example.com, without scheme, port or path; for example ORCHEO_HOST=orcheo.example.com',
            "  - ORCHEO_SIGN_IN_ISSUER: is missing; accepted: the issuer's https:// URL as its tokens name it, without a query; for example ORCHEO_SIGN_IN_ISSUER=https://id.example.com/realms/team",
            expect.stringContaining('ORCHEO_CANVAS_IMAGE: found "orcheo/canvas:latest"; accepted: an image by digest'),
            "  - ORCHEO_HOTS: is no variable of these files; did you mean ORCHEO_HOST?",
        ]);
    });

    it.each(Object.entries(variables))("accepts the example of %s", (_, { example, form }) => {
        expect(form.safeParse(example.replace("<64 hex digits>", "0".repeat(64))).success).toBe(true);
    });

    it.each(["dev", "prod"] as const)("refuses every variable of %s in a wrong form", (file) => {
        const own = Object.entries(variables).filter(([, { files = ["dev", "prod"] }]) => files.includes(file));
        for (const wrong of [() => " ", ({ example }: { example: string }) => `${example}\n`, () => "\u0661"]) {
            const { problems } = check(file, Object.fromEntries(own.map(([name, each]) => [name, wrong(each)])));
            for (const [name] of own)
                expect(
                    problems.some((each) => each.includes(`${name}: found`)),
                    name,
                ).toBe(true);
        }
    });

    it("an address for Let's Encrypt is needed with acme alone", () => {
        expect(check("prod", { ...accepted, ORCHEO_TLS: "acme" }).problems).toEqual([
            expect.stringContaining("ORCHEO_ACME_EMAIL: is missing"),
        ]);
    });

    it("a source tree without Orcheo is refused", () => {
        expect(check("dev", { ...accepted, ORCHEO_SOURCE: "./elsewhere" }).problems).toEqual([
            expect.stringContaining('ORCHEO_SOURCE: found "./elsewhere", without src/orcheo'),
        ]);
    });
});

describe("the nightly backup", () => {
    const root = mkdtempSync(join(tmpdir(), "orcheo-compose-backup-"));
    /** The service's own script, with a clock, and with a sleep and a backup that only say so. */
    const runAt = (seconds: number, ...args: string[]): string => {
        const { services } = parse(readFileSync("compose/prod.yaml", "utf8")) as {
            services: { backup: { entrypoint: string[] } };
        };
        const [, , script = ""] = services.backup.entrypoint;
        const programs = {
            date: `echo ${seconds}`,
            sleep: 'echo "sleep $1"',
            // Ends the loop; `now` has none, and its parent is this test.
            python3: `echo "python3 $*"${args.length === 0 ? '; kill "$PPID"' : ""}`,
        };
        for (const [name, line] of Object.entries(programs))
            writeFileSync(join(root, name), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
        const env = { PATH: `${root}:/usr/bin:/bin` };
        return spawnSync("sh", ["-c", script.replaceAll("$$", "$"), "backup", ...args], { env, encoding: "utf8" })
            .stdout;
    };
    afterAll(() => {
        rmSync(root, { recursive: true });
    });
    const day = 20_000 * 86_400;
    const at = 2 * 3600 + 17 * 60;

    it.each([
        ["before its time", day + 100, at - 100],
        ["at its time", day + at, 86_400],
        ["after its time", day + at + 100, 86_400 - 100],
    ])("started %s, waits for the next 02:17 UTC", (_, now, wait) => {
        expect(runAt(now)).toBe(`sleep ${wait}\npython3 -m orcheo_backup\n`);
    });

    it("`now` makes one at once", () => {
        expect(runAt(day, "now")).toBe("python3 -m orcheo_backup\n");
    });
});

describe("prepare.sh", () => {
    const root = mkdtempSync(join(tmpdir(), "orcheo-compose-"));
    const dir = join(root, "compose");
    const prepare = () => spawnSync("sh", [join(dir, "prepare.sh")], { encoding: "utf8" });
    const read = (file: string): string => readFileSync(join(dir, "secrets", file), "utf8");
    const certificate = (name: string) => new X509Certificate(read(`${name}/tls.crt`));

    beforeAll(() => {
        mkdirSync(dir);
        cpSync("compose/prepare.sh", join(dir, "prepare.sh"));
        writeFileSync(join(dir, ".env"), "ORCHEO_HOST=orcheo.example.com\n");
        const { status, stderr } = prepare();
        expect(stderr).toBe("");
        expect(status).toBe(0);
    }, 120_000);
    afterAll(() => {
        rmSync(root, { recursive: true });
    });

    it("the sign-in provider's certificate is for the browser's name and for that of the API", () => {
        for (const name of ["sign-in.localhost", "sign-in"])
            expect(certificate("sign-in-tls").checkHost(name), name).toBe(name);
    });

    it.each(["dev", "prod"])("makes every file that %s.yaml mounts", (file) => {
        const { secrets } = parse(readFileSync(`compose/${file}.yaml`, "utf8")) as {
            secrets: Record<string, { file: string }>;
        };
        for (const { file } of Object.values(secrets)) expect(existsSync(join(dir, file)), file).toBe(true);
    });

    it("only root passes the directory, and uid 1000 reads the mounted files", () => {
        expect(statSync(join(dir, "secrets")).mode & 0o777).toBe(0o700);
        expect(statSync(join(dir, "secrets/orcheo/postgres-dsn")).mode & 0o777).toBe(0o444);
        expect(statSync(join(dir, "secrets/ca/ca.key")).mode & 0o777).toBe(0o600);
        // PostgreSQL starts with no other: root's, for the container's group, or the container's own.
        const { mode, uid, gid } = statSync(join(dir, "secrets/postgres-tls/tls.key"));
        expect([(mode & 0o777).toString(8), uid, uid === 0 ? gid : 0]).toEqual(
            process.getuid?.() === 0 ? ["440", 0, 1000] : ["400", process.getuid?.(), 0],
        );
    });

    it("the URLs verify the servers' certificates, as on Kubernetes", () => {
        const stack = { kind: "stack" } as const;
        const dsn = `postgresql://orcheo:${read("postgres/postgres-password")}@postgres:5432/orcheo`;
        expect(read("orcheo/postgres-dsn")).toBe(decodeURIComponent(verifiedUrl("database", dsn, stack)));
        const redis = `rediss://:${read("valkey/valkey-password")}@valkey:6379/0`;
        expect(read("orcheo/redis-url")).toBe(decodeURIComponent(verifiedUrl("cache", redis, stack)));
    });

    it("certificates are our CA's, for the names that clients use, and have key identifiers", () => {
        const ca = new X509Certificate(read("ca/ca.crt"));
        for (const [folder, name] of Object.entries({
            "api-tls": "api",
            "postgres-tls": "postgres",
            "entrance-tls": "orcheo.example.com",
        })) {
            expect(certificate(folder).checkIssued(ca)).toBe(true);
            expect(certificate(folder).checkHost(name)).toBe(name);
        }
        execFileSync("openssl", [
            ...["verify", "-x509_strict", "-CAfile", join(dir, "secrets/ca/ca.crt")],
            join(dir, "secrets/api-tls/tls.crt"),
        ]);
    });

    it("keeps what is there, and makes a certificate anew for another host in the same file", () => {
        const before = { vault: read("orcheo/vault-encryption-key"), api: certificate("api-tls").serialNumber };
        const { ino } = statSync(join(dir, "secrets/entrance-tls/tls.crt"));
        writeFileSync(join(dir, ".env"), 'ORCHEO_HOST="other.example.com"\n');
        expect(prepare().stdout).toBe("made compose/secrets/entrance-tls for other.example.com\n");
        expect(read("orcheo/vault-encryption-key")).toBe(before.vault);
        expect(certificate("api-tls").serialNumber).toBe(before.api);
        expect(certificate("entrance-tls").checkHost("other.example.com")).toBe("other.example.com");
        expect(statSync(join(dir, "secrets/entrance-tls/tls.crt")).ino).toBe(ino);
    });

    it("a certificate of someone else is kept, and a malformed host is refused", () => {
        const own = join(dir, "secrets/entrance-tls");
        execFileSync(
            "openssl",
            [
                ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "5", "-subj", "/CN=other.example.com"],
                ...[
                    "-addext",
                    "subjectAltName=DNS:other.example.com",
                    "-keyout",
                    join(root, "k"),
                    "-out",
                    join(root, "c"),
                ],
            ],
            { stdio: "ignore" },
        );
        rmSync(join(own, "tls.crt"));
        cpSync(join(root, "c"), join(own, "tls.crt"));
        expect(prepare().stderr).toContain("is not of our CA, and expires within 30 days");
        expect(read("entrance-tls/tls.crt")).toBe(readFileSync(join(root, "c"), "utf8"));
        writeFileSync(join(dir, ".env"), "ORCHEO_HOST=../etc\n");
        expect(prepare()).toMatchObject({
            status: 78,
            stderr: expect.stringContaining('ORCHEO_HOST in compose/.env is "../etc"') as string,
        });
    });
});
