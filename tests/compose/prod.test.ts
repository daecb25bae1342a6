/**
 * compose/prod.yaml on a Docker engine, by the commands of docs/compose.md: refused settings, start, sign-in, main job, a lost
 * worker, restart, backup and restore, update and way back, a certificate by ACME. `make compose-test`.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { projectDir } from "../../local/paths.ts";
import { run } from "../../local/process.ts";
import { consoleReport } from "../../local/report.ts";
import { actorsOf, answerOf, ask, at, createWorkflow, dispatch, ended, verifiedCertificate } from "../e2e/orcheo.ts";
import { claimsOf, signIn } from "../local/sign-in-client.ts";
import { asking } from "./asking.ts";
import { besideEngine, engine } from "./engine.ts";
import { addNeighbours, issuer, neighbours } from "./neighbours.ts";
import { ComposeFolder, env, eventually, imagesOf, origin } from "./stack.ts";

const report = consoleReport();
const folder = new ComposeFolder("prod.yaml", neighbours);
const { dir, secrets, send } = folder;
const compose = (...args: string[]): Promise<string> => folder.compose(args);
const write = (more: Readonly<Record<string, string>> = {}): void => {
    folder.write(more);
};
const timed = <T>(what: string, work: () => Promise<T>): Promise<T> => folder.timed(what, work);
const anybody = () => folder.anybody();
const entrance = () => folder.entrance();

const sql = (...args: string[]): Promise<string> =>
    compose(
        ...["exec", "-T", "postgres", "psql", "--host=/tmp", "--username=postgres", "--no-psqlrc"],
        ...["--set=ON_ERROR_STOP=1", "--tuples-only", "--no-align", ...args],
    );
const inStore = (...command: string[]): Promise<string> => compose("exec", "-T", "store", ...command);
const aws = (...args: string[]): Promise<string> => inStore("sh", "-c", `. /tmp/keys && aws "$@"`, "aws", ...args);

beforeAll(async () => {
    folder.settings = {
        ...imagesOf("prod"),
        ORCHEO_HOST: "orcheo.localhost",
        ORCHEO_TLS: "files",
        ORCHEO_SIGN_IN_ISSUER: issuer,
        ORCHEO_SIGN_IN_CLIENT_ID: "orcheo",
        ORCHEO_SIGN_IN_AUDIENCE: "orcheo",
        ORCHEO_SIGN_IN_KEYS_URL: `${issuer}/jwks`,
        ORCHEO_BACKUP_BUCKET: "orcheo-data",
        ORCHEO_BACKUP_REGION: "eu-central-1",
        ORCHEO_BACKUP_ENDPOINT: "https://localhost:8443",
    };
    write();
    await folder.prepare();
    await addNeighbours(folder);
});

afterAll(async () => {
    report.note(`compose/prod.yaml:\n  ${folder.timings.join("\n  ")}`);
    if (process.env.ORCHEO_KEEP_COMPOSE !== "all") await folder.remove();
});

test("a malformed setting stops the start, and is named with its form", async () => {
    write({ ORCHEO_HOST: "https://orcheo.localhost/", ORCHEO_HOTS: "x" });
    await expect(compose("up", "--detach", "--wait")).rejects.toThrow(/check.*(78|didn't complete)/s);
    const said = await compose("logs", "--no-log-prefix", "check");
    expect(said).toContain("compose/.env: 2 problems, nothing was started");
    expect(said).toContain('ORCHEO_HOST: found "https://orcheo.localhost/"; accepted: a host name such as');
    expect(said).toContain("ORCHEO_HOTS: is no variable of these files; did you mean ORCHEO_HOST?");
    expect(await compose("ps", "--status", "running", "--services")).not.toMatch(/postgres|valkey|api|canvas|traefik/);
    write({ ORCHEO_CANVAS_IMAGE: "" });
    await expect(compose("up", "--detach", "--wait")).rejects.toThrow(
        /ORCHEO_CANVAS_IMAGE.*set it in compose\/\.env to an image by digest; compose\/build\.sh writes it/s,
    );
    write();
});

test("the stack starts, answers 200 over https, and 401 without a token", async () => {
    await timed("up", () => compose("up", "--detach", "--wait"));
    expect(await ask(anybody(), "GET", "/api/system/health")).toMatchObject({ status: 200 });
    expect(await ask(anybody(), "GET", "/api/workflows")).toMatchObject({ status: 401 });
    expect(await ask(anybody(), "GET", "/")).toMatchObject({ status: 200 });
    expect(await ask(entrance(), "GET", "/api/workflows")).toMatchObject({ status: 200 });
    expect(await ask(entrance(), "GET", "/api/internal/anything")).toMatchObject({ status: 404 });
});

test("every container is confined as the file says", async () => {
    const all = JSON.parse(await engine("GET", "/containers/json?all=1")) as { Id: string; Names: string[] }[];
    expect(all.length).toBeGreaterThan(8);
    for (const { Id, Names } of all) {
        if (/store|identity|pebble/.test(Names.join())) continue;
        const seen = JSON.parse(await engine("GET", `/containers/${Id}/json`)) as Record<string, unknown>;
        expect(at(seen, "HostConfig"), Names.join()).toMatchObject({
            ReadonlyRootfs: true,
            CapDrop: ["ALL"],
            Privileged: false,
            SecurityOpt: ["no-new-privileges=true"],
            PidsLimit: expect.any(Number) as number,
            Memory: expect.any(Number) as number,
            LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } },
        });
        expect(Number(at(seen, "HostConfig", "Memory"))).toBeGreaterThan(0);
        expect(at(seen, "Config", "User")).toBe("1000:1000");
    }
    const status = await compose("exec", "-T", "worker", "cat", "/proc/self/status");
    expect(status).toMatch(/^CapEff:\s+0{16}$/m);
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(status).toMatch(/^Seccomp:\s+2$/m);
    await expect(compose("exec", "-T", "worker", "sh", "-c", "echo x > /opt/orcheo/x")).rejects.toThrow(
        "Read-only file system",
    );
    // No way out of the network of the data.
    await expect(
        compose("exec", "-T", "beat", "python3", "-c", "import socket; socket.create_connection(('10.77.0.1', 80), 3)"),
    ).rejects.toThrow(/unreachable|timed out/);
});

let workflow: { readonly id: string };
test("the worker executes the main job", async () => {
    workflow = await createWorkflow(entrance(), "0.33", "e2e-set");
    const done = await timed("main job", async () => ended(entrance(), await dispatch(entrance(), workflow)));
    expect(at(done, "status")).toBe("succeeded");
    expect(answerOf(done)).toBe(42);
    expect(actorsOf(done)).toContain("worker");
});

test("a person signs in at the provider, and the API takes the token", async () => {
    const password = (await compose("exec", "-T", "identity", "node", "/app/compose.ts", "password")).trim();
    const tokens = await signIn({
        issuer,
        clientId: "orcheo",
        redirectUri: "https://orcheo.localhost/auth/callback",
        scopes: "openid profile email workflows:read workflows:write workflows:execute",
        username: "admin",
        password,
        params: { audience: "orcheo" },
        send,
    });
    expect(claimsOf(tokens.access_token)).toMatchObject({ iss: issuer });
    const session = { ...anybody(), token: tokens.access_token };
    const mine = await createWorkflow(session, "0.33", "by-a-person");
    expect(answerOf(await ended(session, await dispatch(session, mine)))).toBe(42);
    const forged = `${tokens.access_token.slice(0, -8)}AAAAAAAA`;
    expect(await ask({ ...anybody(), token: forged }, "GET", "/api/workflows")).toMatchObject({ status: 401 });
});

const stateOf = async (service: string): Promise<unknown> => at(await folder.containerOf(service), "State");

test("a worker that dies is started again; its run ends, and the next one succeeds", async () => {
    const slow = await createWorkflow(entrance(), "0.33", "e2e-slow", 60);
    const lost = await dispatch(entrance(), slow);
    await eventually(30, async () => {
        const status = at((await ask(entrance(), "GET", `/api/runs/${lost}`)).body, "status");
        return status === "running" ? true : undefined;
    });
    const pid = at(await stateOf("worker"), "Pid");
    await besideEngine("kill", "-9", String(pid));
    await timed("worker back", () =>
        eventually(120, async () => {
            const state = await stateOf("worker");
            return at(state, "Pid") !== pid && at(state, "Health", "Status") === "healthy" ? true : undefined;
        }),
    );
    expect(answerOf(await ended(entrance(), await dispatch(entrance(), workflow)))).toBe(42);
    expect(at(await timed("lost run", () => ended(entrance(), lost, 240)), "status")).toBe("failed");
});

test("after a restart of everything it still serves what it had", async () => {
    await timed("restart", async () => {
        await compose("restart");
        await compose("up", "--detach", "--wait");
    });
    expect(await ask(entrance(), "GET", `/api/workflows/${workflow.id}`)).toMatchObject({ status: 200 });
    expect(answerOf(await ended(entrance(), await dispatch(entrance(), workflow)))).toBe(42);
});

const policy = {
    Version: "2012-10-17",
    Statement: [
        {
            Effect: "Allow",
            Action: ["s3:PutObject", "s3:AbortMultipartUpload"],
            Resource: "arn:aws:s3:::orcheo-data/backups/*",
        },
    ],
};

test("a backup is restored by the documented commands", async () => {
    const setUp = readFileSync(join(projectDir, "tests", "e2e", "store", "set-up.py"), "utf8");
    const made = JSON.parse(
        await run(
            "docker-compose",
            [
                "--file",
                "prod.yaml",
                "--file",
                neighbours,
                "exec",
                "-T",
                "store",
                "python3",
                "-",
                JSON.stringify(policy),
            ],
            { cwd: dir, env, input: setUp },
        ),
    ) as Record<"backup" | "operator", { id: string; secret: string }>;
    await run("sh", ["-c", `chmod u+w ${secrets}/backup/*`]);
    writeFileSync(join(secrets, "backup", "access-key-id"), made.backup.id);
    writeFileSync(join(secrets, "backup", "secret-access-key"), made.backup.secret);
    await inStore(
        "sh",
        "-c",
        `printf 'export AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s' ${made.operator.id} ${made.operator.secret} > /tmp/keys`,
    );

    const said = await timed("backup", () => compose("--profile", "backup", "run", "--rm", "-T", "backup", "now"));
    expect(said).toContain("backup complete");
    const { key, sha256 } = JSON.parse(said.slice(said.indexOf("{"))) as { key: string; sha256: string };
    expect(key).toMatch(/^backups\/orcheo\/.*\.dump$/);
    await createWorkflow(entrance(), "0.33", "after-backup");

    await timed("restore", async () => {
        await aws("s3", "cp", "--quiet", `s3://orcheo-data/${key}`, "/tmp/backup.dump");
        expect(await inStore("sha256sum", "/tmp/backup.dump")).toContain(sha256);
        await run(
            "sh",
            [
                "-c",
                `docker-compose --file prod.yaml --file ${neighbours} exec -T store cat /tmp/backup.dump > backup.dump`,
            ],
            { cwd: dir, env },
        );
        await compose("stop", "api", "worker", "beat");
        await sql(
            "--command=CREATE DATABASE restored OWNER orcheo TEMPLATE template0",
            "--command=REVOKE CONNECT, TEMPORARY ON DATABASE restored FROM PUBLIC",
        );
        const restore =
            "exec -T postgres pg_restore --host=/tmp --username=postgres --dbname=restored --role=orcheo --no-owner --no-privileges --single-transaction";
        await run("sh", ["-c", `docker-compose --file prod.yaml --file ${neighbours} ${restore} < backup.dump`], {
            cwd: dir,
            env,
            timeoutSeconds: 120,
        });
        await sql(
            "--single-transaction",
            "--command=ALTER DATABASE orcheo RENAME TO orcheo_before",
            "--command=ALTER DATABASE restored RENAME TO orcheo",
        );
        await compose("up", "--detach", "--wait");
    });
    const handles = JSON.stringify((await ask(entrance(), "GET", "/api/workflows")).body);
    expect(handles).toContain("e2e-set");
    expect(handles).not.toContain("after-backup");
    expect(answerOf(await ended(entrance(), await dispatch(entrance(), workflow)))).toBe(42);
    expect(existsSync(join(dir, "backup.dump"))).toBe(true);
});

const imageOf = async (service: string): Promise<string> =>
    String(at(await folder.containerOf(service), "Config", "Image"));

const update = (seconds = 300): Promise<string> =>
    run("sh", [join(dir, "update.sh"), neighbours], {
        cwd: dir,
        env: { ...env, UPDATE_SECONDS: String(seconds) },
        timeoutSeconds: 600,
    });

test("an update with a wrong setting, or to an image that does not start, changes nothing", async () => {
    const { ORCHEO_BACKEND_IMAGE, ORCHEO_CANVAS_IMAGE, ORCHEO_VALKEY_IMAGE = "" } = inject("images");
    write({ ORCHEO_HOST: "wrong host" });
    await expect(update()).rejects.toThrow(/ORCHEO_HOST: found "wrong host"/);
    write({ ORCHEO_CANVAS_IMAGE: ORCHEO_VALKEY_IMAGE });
    await expect(update(60)).rejects.toThrow("the new canvas did not become healthy and was removed");
    write();
    expect(await imageOf("api")).toBe(ORCHEO_BACKEND_IMAGE);
    expect(await imageOf("canvas")).toBe(ORCHEO_CANVAS_IMAGE);
    expect(await ask(anybody(), "GET", "/")).toMatchObject({ status: 200 });
});

test.each(["update", "way back"])("requests and runs survive: %s", async (what) => {
    const { NEXT_BACKEND_IMAGE = "", NEXT_CANVAS_IMAGE = "", ORCHEO_BACKEND_IMAGE } = inject("images");
    const open = await dispatch(
        entrance(),
        await createWorkflow(entrance(), "0.33", `during-${what.replace(" ", "-")}`, 20),
    );
    const next = { ORCHEO_BACKEND_IMAGE: NEXT_BACKEND_IMAGE, ORCHEO_CANVAS_IMAGE: NEXT_CANVAS_IMAGE };
    write(what === "update" ? next : {});
    const stop = asking(entrance());
    await timed(what, update);
    const { asked, lost, longestMs } = await stop();
    folder.timings.push(
        `${what}: ${lost.length} of ${asked} requests lost, the slowest took ${longestMs.toFixed(0)} ms`,
    );
    expect(lost).toEqual([]);
    expect(at(await ended(entrance(), open), "status")).toBe("succeeded");
    const wanted = what === "update" ? NEXT_BACKEND_IMAGE : ORCHEO_BACKEND_IMAGE;
    for (const service of ["api", "worker", "beat"]) expect(await imageOf(service), service).toBe(wanted);
    expect(answerOf(await ended(entrance(), await dispatch(entrance(), workflow)))).toBe(42);
});

test("with ORCHEO_TLS=acme Traefik gets a certificate, and keeps it", async () => {
    write({
        ORCHEO_TLS: "acme",
        ORCHEO_ACME_EMAIL: "ops@example.com",
        ORCHEO_ACME_SERVER: "https://pebble:14000/dir",
    });
    await compose("up", "--detach", "--wait");
    const networks = at(await folder.containerOf("pebble"), "NetworkSettings", "Networks") as Record<string, unknown>;
    const address = String(at(Object.values(networks)[0], "IPAddress"));
    const root = await besideEngine("curl", "-sk", "--fail", `https://${address}:15000/roots/0`);
    const caFile = join(folder.root, "pebble.pem");
    writeFileSync(caFile, root);
    const certificate = await timed("ACME certificate", () =>
        eventually(60, () => verifiedCertificate({ origin, caFile })),
    );
    expect(certificate.subjectAltName).toBe("DNS:orcheo.localhost");
    expect(certificate.issuer).toContain("Pebble");
    expect(await ask({ origin, caFile }, "GET", "/api/system/health")).toMatchObject({ status: 200 });
    await compose("restart", "traefik");
    await compose("up", "--detach", "--wait");
    const kept = await eventually(60, () => verifiedCertificate({ origin, caFile }));
    expect(kept.serialNumber).toBe(certificate.serialNumber);
});
