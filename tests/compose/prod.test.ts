/**
 * compose/prod.yaml on a Docker engine, by the commands of docs/compose.md: refused settings, start, main job, a lost worker,
 * restart, backup and restore. `make compose-test`.
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { projectDir } from "../../local/paths.ts";
import { run } from "../../local/process.ts";
import { consoleReport } from "../../local/report.ts";
import { ensureToolchain } from "../../local/toolchain/build.ts";
import { actorsOf, answerOf, ask, at, createWorkflow, dispatch, ended, type Entrance } from "../e2e/orcheo.ts";
import { besideEngine, engine, socket, spec, startEngine, stopEngine } from "./engine.ts";
import { buildImages } from "./images.ts";

const report = consoleReport();
const toolchain = await ensureToolchain(["cluster", "add-ons", "compose"], report);
const root = mkdtempSync(join(tmpdir(), "orcheo-compose-"));
const dir = join(root, "compose");
const secrets = join(dir, "secrets");
/** An S3 store beside the stack, with a certificate of the same CA. */
const override = "store.yaml";

const env = { ...process.env, DOCKER_HOST: `unix://${socket}`, PATH: `${toolchain.path}:${process.env.PATH ?? ""}` };
const compose = (...args: string[]): Promise<string> =>
    run("docker-compose", ["--file", "prod.yaml", "--file", override, ...args], { cwd: dir, env, timeoutSeconds: 600 });
const sql = (...args: string[]): Promise<string> =>
    compose(
        ...["exec", "-T", "postgres", "psql", "--host=/tmp", "--username=postgres", "--no-psqlrc"],
        ...["--set=ON_ERROR_STOP=1", "--tuples-only", "--no-align", ...args],
    );
const inStore = (...command: string[]): Promise<string> => compose("exec", "-T", "store", ...command);
const aws = (...args: string[]): Promise<string> => inStore("sh", "-c", `. /tmp/keys && aws "$@"`, "aws", ...args);

let settings: Record<string, string>;
const write = (more: Readonly<Record<string, string>> = {}): void => {
    const lines = Object.entries({ ...settings, ...more }).map(([name, value]) => `${name}=${value}\n`);
    writeFileSync(join(dir, ".env"), lines.join(""));
};
const origin = `https://orcheo.localhost:${spec.ports.https}`;
const entrance = (): Entrance => ({
    origin,
    caFile: join(secrets, "ca", "ca.crt"),
    token: readFileSync(join(secrets, "orcheo", "auth-bootstrap-service-token"), "utf8"),
});
const anybody = (): Entrance => ({ origin, caFile: entrance().caFile });

async function eventually<T>(seconds: number, look: () => Promise<T | undefined>): Promise<T> {
    for (const end = Date.now() + seconds * 1000; ;) {
        const seen = await look().catch(() => undefined);
        if (seen !== undefined) return seen;
        if (Date.now() > end) throw new Error(`not seen within ${seconds} s`);
        await sleep(1000);
    }
}

const timings: string[] = [];
async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    const done = await work();
    timings.push(`${what}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
    return done;
}

beforeAll(async () => {
    for (const file of ["prod.yaml", "check.py", "variables.json", "postgresql.conf", "prepare.sh", "traefik"])
        cpSync(join(projectDir, "compose", file), join(dir, file), { recursive: true });
    await timed("engine", () => startEngine(toolchain, report));
    const { STORE_IMAGE = "", ...images } = await timed("images", () => buildImages(toolchain, report));
    settings = {
        ...images,
        ORCHEO_HOST: "orcheo.localhost",
        ORCHEO_TLS: "files",
        ORCHEO_SIGN_IN_ISSUER: "https://id.example.com/realms/team",
        ORCHEO_SIGN_IN_CLIENT_ID: "orcheo",
        ORCHEO_SIGN_IN_AUDIENCE: "orcheo",
        ORCHEO_BACKUP_BUCKET: "orcheo-data",
        ORCHEO_BACKUP_REGION: "eu-central-1",
        ORCHEO_BACKUP_ENDPOINT: "https://localhost:8443",
    };
    write();
    await run("sh", [join(dir, "prepare.sh")]);
    await certify("localhost");
    writeFileSync(
        join(dir, override),
        `services:
  store:
    image: ${STORE_IMAGE}
    environment:
      AWS_ENDPOINT_URL: https://localhost:8443
      AWS_CA_BUNDLE: /tls/ca.crt
      AWS_DEFAULT_REGION: eu-central-1
      AWS_ACCESS_KEY_ID: nobody
      AWS_SECRET_ACCESS_KEY: nobody
      S3_IGNORE_SUBDOMAIN_BUCKETNAME: "true"
    volumes: ["./secrets/store:/tls:ro"]
    networks: [outside]
  backup:
    environment: { AWS_CA_BUNDLE: /etc/orcheo/ca/ca.crt, BACKUP_ENDPOINT: "https://store:8443" }
`,
    );
});

/** A certificate for the store, under its name and under that by which it sets itself up. */
async function certify(name: string): Promise<void> {
    const at = join(secrets, "store");
    const script = `set -e; mkdir -p ${at}; cd ${at}; cp ../ca/ca.crt .
printf 'subjectAltName=DNS:store,DNS:${name}\\nsubjectKeyIdentifier=hash\\nauthorityKeyIdentifier=keyid:always\\n' > ext
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=store -keyout tls.key -out csr
openssl x509 -req -in csr -CA ../ca/ca.crt -CAkey ../ca/ca.key -set_serial 7 -days 2 -extfile ext -out tls.crt
chmod 755 .; chmod 444 tls.key tls.crt ca.crt`;
    await run("sh", ["-c", script]);
}

afterAll(async () => {
    report.note(`compose:\n  ${timings.join("\n  ")}`);
    if (process.env.ORCHEO_KEEP_COMPOSE !== undefined) return;
    await stopEngine(report);
    rmSync(root, { recursive: true, force: true });
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
        if (Names.join().includes("store")) continue;
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

const idOf = async (service: string): Promise<string> => (await compose("ps", "--all", "--quiet", service)).trim();
const stateOf = async (service: string): Promise<unknown> =>
    at(JSON.parse(await engine("GET", `/containers/${await idOf(service)}/json`)), "State");

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
            ["--file", "prod.yaml", "--file", override, "exec", "-T", "store", "python3", "-", JSON.stringify(policy)],
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
                `docker-compose --file prod.yaml --file ${override} exec -T store cat /tmp/backup.dump > backup.dump`,
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
        await run("sh", ["-c", `docker-compose --file prod.yaml --file ${override} ${restore} < backup.dump`], {
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
