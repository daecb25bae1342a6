/**
 * compose/prod.yaml on a Docker engine, by the commands of docs/compose.md: refused settings, start, sign-in, main job, a lost
 * worker, restart, backup and restore, update and way back, a certificate by ACME. `make compose-test`.
 */
import { X509Certificate } from "node:crypto";
import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { projectDir } from "../../local/paths.ts";
import { run } from "../../local/process.ts";
import { consoleReport } from "../../local/report.ts";
import { actorsOf, answerOf, ask, at, createWorkflow, dispatch, ended, verifiedCertificate } from "../e2e/orcheo.ts";
import { claimsOf, signIn } from "../local/sign-in-client.ts";
import { besideEngine, engine, spec } from "./engine.ts";
import { ComposeFolder, env, eventually, origin } from "./stack.ts";

const report = consoleReport();
/** An S3 store, an identity provider and an ACME CA beside the stack, with certificates of the same CA. */
const override = "beside.yaml";
const folder = new ComposeFolder("prod.yaml", override);
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

const issuer = "https://sign-in.localhost:8443";

beforeAll(async () => {
    const { STORE_IMAGE = "", PEBBLE_IMAGE = "", ORCHEO_SIGN_IN_IMAGE = "", ...images } = inject("images");
    const own = Object.entries(images).filter(([name]) => !/^NEXT|CANVAS_DEV|PGADMIN|TESTS/.test(name));
    folder.settings = {
        ...Object.fromEntries(own),
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
    await certify("store", "localhost");
    await certify("pebble", "pebble");
    const pebble = {
        listenAddress: ":14000",
        managementListenAddress: ":15000",
        certificate: "/tls/tls.crt",
        privateKey: "/tls/tls.key",
        // Traefik's own port: 80 is the machine's.
        httpPort: 8080,
        tlsPort: 8443,
        keyAlgorithm: "ecdsa",
    };
    writeFileSync(join(dir, "pebble.json"), JSON.stringify({ pebble }));
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
  identity:
    image: ${ORCHEO_SIGN_IN_IMAGE}
    environment:
      SIGN_IN_ISSUER: ${issuer}
      SIGN_IN_TLS: /tls
      SIGN_IN_DATA: /var/lib/sign-in
      SIGN_IN_CLIENT_ID: orcheo
      SIGN_IN_ORIGIN: https://orcheo.localhost
    volumes: ["./secrets/sign-in-tls/tls.crt:/tls/tls.crt:ro", "./secrets/sign-in-tls/tls.key:/tls/tls.key:ro"]
    ports: ["127.0.0.1:8443:8443"]
    networks: { outside: { aliases: [sign-in.localhost] } }
  pebble:
    image: ${PEBBLE_IMAGE}
    command: [-config, /pebble.json]
    environment: { PEBBLE_VA_NOSLEEP: "1", PEBBLE_WFE_NONCEREJECT: "0" }
    volumes: ["./secrets/pebble:/tls:ro", "./pebble.json:/pebble.json:ro"]
    networks: [entrance]
  traefik:
    environment: { LEGO_CA_CERTIFICATES: /etc/orcheo/ca/ca.crt }
    networks: { entrance: { aliases: [orcheo.localhost] } }
  # A provider on the internet has a certificate that the image trusts.
  api:
    environment: { SSL_CERT_FILE: /etc/orcheo/ca/ca.crt }
  backup:
    environment: { AWS_CA_BUNDLE: /etc/orcheo/ca/ca.crt, BACKUP_ENDPOINT: "https://store:8443" }
`,
    );
});

/** A certificate for a server beside the stack, under its name and another. */
async function certify(server: string, name: string): Promise<void> {
    const at = join(secrets, server);
    const script = `set -e; mkdir -p ${at}; cd ${at}; cp ../ca/ca.crt .
printf 'subjectAltName=DNS:${server},DNS:${name}\\nsubjectKeyIdentifier=hash\\nauthorityKeyIdentifier=keyid:always\\n' > ext
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=${server} -keyout tls.key -out csr
openssl x509 -req -in csr -CA ../ca/ca.crt -CAkey ../ca/ca.key -set_serial 7 -days 2 -extfile ext -out tls.crt
chmod 755 .; chmod 444 tls.key tls.crt ca.crt`;
    await run("sh", ["-c", script]);
}

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

/** Asks again and again, on new and on kept connections; returns what was not answered as it should be, and how many were. */
function asking(): () => Promise<{ asked: number; lost: readonly string[]; longestMs: number }> {
    const { caFile, token = "" } = entrance();
    const ca = readFileSync(caFile);
    let done = false;
    let asked = 0;
    let longestMs = 0;
    const lost: string[] = [];
    const once = (path: string, agent: Agent): Promise<string> =>
        new Promise((answered) => {
            const options = {
                host: "127.0.0.1",
                port: spec.ports.https,
                servername: "orcheo.localhost",
                ca,
                path,
                agent,
            };
            const headers = { host: "orcheo.localhost", authorization: `Bearer ${token}` };
            request({ ...options, headers, timeout: 60_000 }, (answer) => {
                answer.resume().on("end", () => {
                    answered(answer.statusCode === 200 ? "" : `${path}: ${answer.statusCode ?? 0}`);
                });
            })
                .on("error", (error) => {
                    answered(`${path}: ${error.message}`);
                })
                .end();
        });
    const loop = async (path: string, keepAlive: boolean): Promise<void> => {
        const agent = new Agent({ keepAlive });
        while (!done) {
            const start = performance.now();
            const problem = await once(path, agent);
            longestMs = Math.max(longestMs, performance.now() - start);
            asked += 1;
            if (problem !== "") lost.push(problem);
            await sleep(100);
        }
        agent.destroy();
    };
    const loops = ["/", "/api/system/health", "/api/workflows"].flatMap((path) => [
        loop(path, true),
        loop(path, false),
    ]);
    return async () => {
        done = true;
        await Promise.all(loops);
        return { asked, lost, longestMs };
    };
}

const imageOf = async (service: string): Promise<string> =>
    String(at(await folder.containerOf(service), "Config", "Image"));

test("an update and the way back keep serving", async () => {
    const { NEXT_BACKEND_IMAGE = "", NEXT_CANVAS_IMAGE = "", ORCHEO_BACKEND_IMAGE } = inject("images");
    const update = () => run("sh", [join(dir, "update.sh"), override], { cwd: dir, env, timeoutSeconds: 600 });
    cpSync(join(dir, ".env"), join(dir, ".env.before"));
    write({ ORCHEO_HOST: "wrong host" });
    await expect(update()).rejects.toThrow(/ORCHEO_HOST: found "wrong host"/);
    expect(await imageOf("api")).toBe(ORCHEO_BACKEND_IMAGE);

    write({ ORCHEO_BACKEND_IMAGE: NEXT_BACKEND_IMAGE, ORCHEO_CANVAS_IMAGE: NEXT_CANVAS_IMAGE });
    for (const [what, before] of [
        ["update", () => undefined],
        [
            "way back",
            () => {
                cpSync(join(dir, ".env.before"), join(dir, ".env"));
            },
        ],
    ] as const) {
        before();
        const slow = await createWorkflow(entrance(), "0.33", `slow-${what.replace(" ", "-")}`, 20);
        const open = await dispatch(entrance(), slow);
        const stop = asking();
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
    }
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
    const kept: X509Certificate = await eventually(60, () => verifiedCertificate({ origin, caFile }));
    expect(kept.serialNumber).toBe(certificate.serialNumber);
});
