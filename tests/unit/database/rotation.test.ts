/** A rotation of the database's password under load, on a real Postgres: what the Job `postgres-users` runs, beside pods that go on. */
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { loginOf, planUsers } from "../../../components/database/database-users.plan";
import { planSlots } from "../../../components/servers/passwords.plan";
import { freePort } from "../../local/free-port.ts";
import { postgresPrograms } from "../../local/postgres.ts";

const folder = mkdtempSync(join(tmpdir(), "orcheo-rotation-"));
const data = join(folder, "server", "data");
const master = { user: "orcheo_admin", password: "master" };
const passwordOf = (generation: number): string => `generation${generation}`;
/** Postgres refuses root. */
const account = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
let programs = "";
let port = 0;

function environment(user: string, password: string): NodeJS.ProcessEnv {
    const server = { PGHOST: "127.0.0.1", PGPORT: String(port), PGDATABASE: "orcheo", PGCONNECT_TIMEOUT: "10" };
    return {
        ...server,
        PATH: `${programs}:${process.env["PATH"] ?? ""}`,
        PGUSER: user,
        PGPASSWORD: password,
        LC_ALL: "C",
    };
}

function command(words: readonly string[], env: NodeJS.ProcessEnv, input = ""): string {
    const [program = "", ...rest] = words;
    const done = spawnSync(program, rest, { env, input, encoding: "utf8", cwd: "/", timeout: 60_000, ...account });
    if (done.status !== 0) throw new Error(`${program}: ${done.error?.message ?? ""}${done.stdout}${done.stderr}`);
    return done.stdout;
}

const psql = (user: string, password: string, sql: string): string =>
    command(
        ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--file=-"],
        environment(user, password),
        sql,
    );

/** Who the stack's Secret names, and who the Job makes, as components/database/database-users.ts does. */
function rotate(generation: number): void {
    const { current, previous } = planSlots(generation);
    const logins = [current, ...(previous === undefined ? [] : [previous])].map((slot) => ({
        login: loginOf(slot),
        password: passwordOf(slot.generation),
    }));
    psql(master.user, master.password, planUsers(logins));
}

/** Requests of a pod that started with this generation, each on a connection of its own, until it is told to stop. */
interface Pod {
    /** @returns how many were answered; @throws on one that was not */
    stop(): Promise<number>;
}

function startPod(generation: number): Pod {
    const { current } = planSlots(generation);
    const script = join(folder, "request.sql");
    writeFileSync(script, "INSERT INTO requests (login) VALUES (session_user);\n");
    const process = spawn(
        "pgbench",
        ["--connect", "--no-vacuum", "--client=2", "--time=600", "--progress=1", `--file=${script}`],
        {
            env: environment(loginOf(current), passwordOf(generation)),
            cwd: "/",
            stdio: ["ignore", "pipe", "pipe"],
            ...account,
        },
    );
    let said = "";
    process.stderr.on("data", (text: Buffer) => (said += text.toString()));
    return {
        stop: async () => {
            // One that was refused ends pgbench at once.
            if (process.exitCode !== null) throw new Error(said);
            process.kill();
            await new Promise((ended) => process.once("exit", ended));
            return Number(
                psql(
                    loginOf(current),
                    passwordOf(generation),
                    "SELECT count(*) FROM requests WHERE login = session_user;",
                ),
            );
        },
    };
}

beforeAll(async () => {
    programs = await postgresPrograms(folder);
    port = await freePort();
    const server = join(folder, "server");
    const admin = { ...environment("postgres", "postgres"), PGDATABASE: "postgres" };
    mkdirSync(server);
    chmodSync(server, 0o777);
    const password = join(folder, "password");
    writeFileSync(password, "postgres");
    command(
        ["initdb", "--no-sync", "--auth=scram-sha-256", "--username=postgres", `--pwfile=${password}`, "-D", data],
        admin,
    );
    const options = `-c port=${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off`;
    command(["pg_ctl", "-w", "-D", data, "-o", options, "-l", join(server, "log"), "start"], admin);
    // As RDS makes it: no superuser.
    const made = `CREATE ROLE ${master.user} LOGIN CREATEROLE CREATEDB PASSWORD '${master.password}';`;
    command(["psql", "--quiet"], admin, `${made}\nCREATE DATABASE orcheo OWNER ${master.user};`);
}, 300_000);

afterAll(() => {
    command(["pg_ctl", "-m", "immediate", "-D", data, "stop"], environment("postgres", "postgres"));
    rmSync(folder, { recursive: true, force: true });
});

it("breaks no request: running pods keep a password that works until the rotation after", async () => {
    rotate(1);
    psql("orcheo_a", passwordOf(1), "CREATE TABLE requests (login name NOT NULL);");
    const old = startPod(1);
    await sleep(1500);

    rotate(2);
    const recent = startPod(2);
    await sleep(1500);
    // Whatever one login made is the other's too.
    psql("orcheo_b", passwordOf(2), "ALTER TABLE requests ADD COLUMN note text;");
    await sleep(1500);
    expect(await old.stop()).toBeGreaterThan(20);

    rotate(3);
    await sleep(1500);
    expect(await recent.stop()).toBeGreaterThan(20);
    expect(psql("orcheo_a", passwordOf(3), "SELECT 1;").trim()).toBe("1");
    expect(() => psql("orcheo_a", passwordOf(1), "SELECT 1;")).toThrow(/password authentication failed/);
}, 120_000);

it("would break them with a single login, whose password is changed at once", async () => {
    const pod = startPod(3);
    await sleep(1000);
    psql(master.user, master.password, planUsers([{ login: "orcheo_a", password: "changed" }]));
    await sleep(3000);
    await expect(pod.stop()).rejects.toThrow(/password authentication failed/);
}, 60_000);
