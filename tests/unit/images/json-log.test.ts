/** What the images of Postgres, Valkey and PgBouncer print instead of their servers' text. The servers here are scripts; real ones run on the cluster. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "json-log-"));
afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
});

const program = resolve("images/postgres/json-log.pl");
const env = { PATH: "/usr/bin:/bin", POSTGRES_LOG: folder };
type Line = Readonly<Record<string, unknown>>;

const parsed = (output: string): Line[] =>
    output
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as Line);

/** What is printed when the server prints this. */
function shown(format: string, input: string | Buffer, to = ""): Line[] {
    writeFileSync(join(folder, "input"), input);
    const command = ["sh", "-c", `cat ${folder}/input ${to}`];
    const { status, stdout, stderr } = spawnSync(program, [format, ...command], {
        encoding: "utf8",
        timeout: 20_000,
        env,
    });
    expect([status, stderr]).toEqual([0, ""]);
    return parsed(stdout);
}

/** A line that Postgres 17.12 wrote, with other values. */
const ofPostgres = (more: Line): string =>
    `${JSON.stringify({
        timestamp: "2026-11-28 12:28:22.153 UTC",
        user: "orcheo",
        dbname: "orcheo",
        pid: 35,
        remote_host: "10.1.2.3",
        remote_port: 40222,
        session_id: "6929d2a6.23",
        line_num: 3,
        ps: "INSERT",
        session_start: "2026-11-28 12:28:22 UTC",
        vxid: "1/7",
        txid: 0,
        error_severity: "LOG",
        message: "checkpoint starting: time",
        application_name: "0af7651916cd43dd8448eb211c80319c",
        backend_type: "client backend",
        query_id: 0,
        ...more,
    })}\n`;

const postgres = (more: Line): Line | undefined => shown("postgres", ofPostgres(more), `> ${folder}/postgres.json`)[0];

it("the three images have the same program, which a container may execute", () => {
    for (const image of ["valkey", "pgbouncer"]) {
        const copy = `images/${image}/json-log.pl`;
        expect(readFileSync(copy, "utf8"), copy).toBe(readFileSync(program, "utf8"));
    }
    for (const image of ["postgres", "valkey", "pgbouncer"])
        expect(readFileSync(`images/${image}/Dockerfile`, "utf8")).toContain(
            `COPY --chmod=755 json-log.pl /usr/local/bin/json-log\n`,
        );
    expect(statSync(program).mode & 0o111).toBe(0o111);
});

describe("of Postgres", () => {
    it("a line has the fields of the other parts, with the request that its connection is named after", () => {
        expect(postgres({})).toEqual({
            time: "2026-11-28T12:28:22.153Z",
            level: "INFO",
            logger: "postgres",
            message: "checkpoint starting: time",
            request: "0af7651916cd43dd8448eb211c80319c",
            client: "10.1.2.3",
            backend: "client backend",
            user: "orcheo",
            dbname: "orcheo",
            pid: 35,
        });
        for (const name of ["psql", "pg_dump_all", "orcheo-leases", "PostgreSQL JDBC Driver", ""])
            expect(postgres({ application_name: name })).toMatchObject({ application: name });
        expect(postgres({ application_name: "orcheo-leases" })).not.toHaveProperty("request");
    });

    it.each([
        ["DEBUG2", "DEBUG"],
        ["INFO", "INFO"],
        ["NOTICE", "INFO"],
        ["WARNING", "WARNING"],
        ["ERROR", "ERROR"],
        ["FATAL", "ERROR"],
        ["PANIC", "CRITICAL"],
    ])("%s is %s", (error_severity, level) => {
        expect(postgres({ error_severity })).toMatchObject({ level });
    });

    it("quotes, lines, braces and other scripts stay as they are", () => {
        const message = 'say "hi" \\ back\ttab\nsecond {"line": "}"}, 日本 é';
        expect(postgres({ message, statement: message, hint: "x" })).toMatchObject({
            message,
            statement: message,
            hint: "x",
        });
    });

    it("what people have entered is withheld from errors about data and constraints", () => {
        const person = "jane.doe@example.com";
        const statement = `INSERT INTO people VALUES ('${person}', 'it''s ${person}')`;
        const cases: Line[] = [
            {
                state_code: "23505",
                message: 'duplicate key "people_pkey"',
                detail: `Key (email)=(${person}) already exists.`,
            },
            { state_code: "23514", message: 'violates "age_check"', detail: `Failing row contains (${person}, (3)).` },
            { state_code: "22P02", message: `invalid input syntax for type integer: "${person}"` },
            { state_code: "22P02", message: "invalid input", detail: `Token "${person}" is invalid.`, context: person },
        ];
        const found = cases.map((more) => postgres({ error_severity: "ERROR", statement, ...more }));
        expect(JSON.stringify(found)).not.toContain("jane");
        expect(found[0]).toMatchObject({
            code: "23505",
            message: 'duplicate key "people_pkey"',
            detail: "Key (email)=(***) already exists.",
            statement: "INSERT INTO people VALUES ('***', '***''***')",
        });
        expect(found[1]).toMatchObject({ detail: "Failing row contains (***)." });
        expect(found[2]).toMatchObject({ message: 'invalid input syntax for type integer: "***"' });
        expect(
            postgres({ state_code: "42P01", message: 'relation "x" does not exist', detail: "(a)=(b)" }),
        ).toMatchObject({
            message: 'relation "x" does not exist',
            detail: "(a)=(b)",
        });
    });

    it("an audit line says so, and holds no literals", () => {
        const line = (value: string) =>
            `AUDIT: SESSION,1,1,WRITE,INSERT,,,"INSERT INTO t VALUES ('${value}', $1)",<not logged>`;
        expect(postgres({ message: line("jane") })).toMatchObject({ kind: "audit", message: line("***") });
        expect(postgres({})).not.toHaveProperty("kind");
    });

    it("lines before its collector runs, and those of others, are JSON too", () => {
        const text =
            "postgres: making a new cluster\n" +
            "2026-11-28 12:27:32.826 UTC [28] LOG:  ending log output to stderr\n\n" +
            '2026-11-28 12:27:32.827 GMT [28] FATAL:  could not open "x"\n';
        expect(shown("postgres", text)).toMatchObject([
            {
                level: "INFO",
                message: "postgres: making a new cluster",
                time: expect.stringMatching(/^\d.*T.*Z$/) as string,
            },
            { time: "2026-11-28T12:27:32.826Z", level: "INFO", message: "ending log output to stderr", pid: 28 },
            { time: "2026-11-28T12:27:32.827Z", level: "ERROR", message: 'could not open "x"' },
        ]);
        expect(shown("postgres", "json-log: cut off {\n", ">&2")).toMatchObject([{ level: "ERROR" }]);
    });

    it("a line that was cut off, and bytes that are no UTF-8, still give JSON", () => {
        const [before = "", after = ""] = ofPostgres({ message: "a|z" }).split("|");
        const invalid = Buffer.concat([Buffer.from(before), Buffer.from([0xff]), Buffer.from(after)]);
        const cut = Buffer.from(`${ofPostgres({}).slice(0, 80)}\n`);
        expect(shown("postgres", Buffer.concat([cut, invalid]), `> ${folder}/postgres.json`)).toMatchObject([
            { level: "ERROR", message: expect.stringContaining('{"timestamp"') as string },
            { level: "INFO", message: "a?z" },
        ]);
    });
});

describe("of Valkey", () => {
    const line = (level: string, message: string) =>
        `pid=7 role=primary timestamp="2026-11-28T12:26:03.254+00:00" level=${level} message="${message}"\n`;

    it.each([
        ["debug", "DEBUG"],
        ["verbose", "DEBUG"],
        ["notice", "INFO"],
        ["warning", "WARNING"],
    ])("%s is %s", (level, name) => {
        expect(shown("valkey", line(level, "it's \\ back\ttab"))).toEqual([
            {
                time: "2026-11-28T12:26:03.254Z",
                level: name,
                logger: "valkey",
                message: "it's \\ back\ttab",
                role: "primary",
                pid: 7,
            },
        ]);
    });

    it("the report about a crash is whole", () => {
        const report = `valkey: starting\n=== VALKEY BUG REPORT START: Cut & paste starting from here ===\n${line("warning", "crashed")}# Server\r\nargv[0]: "x"`;
        expect(shown("valkey", report)).toMatchObject([
            { level: "INFO", message: "valkey: starting" },
            { level: "CRITICAL", message: expect.stringContaining("BUG REPORT START") as string },
            { level: "WARNING", message: "crashed" },
            { level: "CRITICAL", message: "# Server" },
            // Without a newline at its end.
            { level: "CRITICAL", message: 'argv[0]: "x"' },
        ]);
    });

    it("the entrypoint turns on the form that is read here", () => {
        expect(readFileSync("images/valkey/entrypoint.sh", "utf8")).toContain(
            "log-format logfmt\nlog-timestamp-format iso8601\n",
        );
    });
});

it("of PgBouncer", () => {
    const text =
        "2026-11-28 12:31:33.073 UTC [9] WARNING C-0x55: orcheo/u@10.1.2.3:35908 pooler error\n" +
        "2026-11-28 12:31:33.074 UTC [9] LOG exiting\n" +
        "2026-11-28 12:31:33.074 UTC [9] FATAL no\n";
    expect(shown("pgbouncer", text, ">&2")).toEqual([
        {
            time: "2026-11-28T12:31:33.073Z",
            level: "WARNING",
            logger: "pgbouncer",
            message: "C-0x55: orcheo/u@10.1.2.3:35908 pooler error",
            pid: 9,
        },
        { time: "2026-11-28T12:31:33.074Z", level: "INFO", logger: "pgbouncer", message: "exiting", pid: 9 },
        { time: "2026-11-28T12:31:33.074Z", level: "CRITICAL", logger: "pgbouncer", message: "no", pid: 9 },
    ]);
});

describe("the server's process", () => {
    const run = (script: string) =>
        spawnSync(program, ["valkey", "sh", "-c", script], { encoding: "utf8", timeout: 20_000, env });

    it.each([
        ["exit 78", 78],
        ["kill -SEGV $$", 139],
        ["kill -KILL $$", 137],
    ])("`%s` ends the container with %i", (script, code) => {
        expect(run(script).status).toBe(code);
    });

    it.each(["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1"] as const)(
        "gets %s, and its last words are printed",
        async (signal) => {
            const name = signal.slice(3);
            const child = spawn(
                program,
                [
                    "valkey",
                    "sh",
                    "-c",
                    `trap 'echo heard ${name}; exit 3' ${name}; echo up; while :; do sleep 0.1; done`,
                ],
                { env },
            );
            let output = "";
            child.stdout.setEncoding("utf8").on("data", (text: string) => {
                if (output === "" && text.includes("up")) child.kill(signal);
                output += text;
            });
            const [code] = (await once(child, "close")) as [number];
            expect([code, parsed(output).map(({ message }) => message)]).toEqual([3, ["up", `heard ${name}`]]);
        },
    );

    it("what is left behind, silent or not, holds the end up for seconds at most, and is heard", () => {
        const started = Date.now();
        const { status, stdout } = run("(sleep 0.3; echo late) & sleep 60 & exit 5");
        expect([status, parsed(stdout).map(({ message }) => message)]).toEqual([5, ["late"]]);
        expect(Date.now() - started).toBeLessThan(10_000);
    });

    it("many lines, and very long ones, all arrive", () => {
        const { stdout } = spawnSync(
            program,
            ["valkey", "sh", "-c", "seq 20000; head -c 3000000 /dev/zero | tr '\\0' x; echo; echo end"],
            {
                encoding: "utf8",
                maxBuffer: 1 << 26,
                timeout: 20_000,
                env,
            },
        );
        const messages = parsed(stdout).map(({ message }) => String(message));
        expect(messages.slice(0, 20_000)).toEqual(Array.from({ length: 20_000 }, (_, index) => String(index + 1)));
        expect(messages.slice(20_000, -1).join("")).toBe("x".repeat(3_000_000));
        expect(messages.at(-1)).toBe("end");
    });

    it("refuses a form that it does not know", () => {
        const { status, stderr } = spawnSync(program, ["mysql", "true"], { encoding: "utf8", env });
        expect(status).not.toBe(0);
        expect(stderr).toContain("usage: json-log postgres|valkey|pgbouncer COMMAND");
    });
});
