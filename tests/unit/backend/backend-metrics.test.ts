import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { expect, it } from "vitest";
import { pythonPackages } from "../../e2e/platform/python.ts";
import { postgresPrograms } from "../../local/postgres.ts";

const backend = resolve("images/backend");

/** What prometheus_client counts in the image, and all that these need. */
const packages = [
    ...["celery", "amqp", "billiard", "click", "click-didyoumean", "click-plugins", "click-repl", "kombu", "packaging"],
    ...["prompt-toolkit", "python-dateutil", "six", "tzdata", "tzlocal", "vine", "wcwidth"],
    ...[
        "fastapi",
        "annotated-doc",
        "annotated-types",
        "anyio",
        "idna",
        "opentelemetry-api",
        "pydantic",
        "pydantic-core",
    ],
    // Traces and metrics by OTLP, and the clients whose calls have spans.
    ...["opentelemetry-sdk", "opentelemetry-semantic-conventions", "opentelemetry-proto", "protobuf", "requests"],
    ...["opentelemetry-exporter-otlp-proto-http", "opentelemetry-exporter-otlp-proto-common"],
    ...["opentelemetry-exporter-otlp-common", "opentelemetry-exporter-http-transport", "googleapis-common-protos"],
    ...["certifi", "charset-normalizer", "urllib3", "httpx", "httpx2", "httpcore", "httpcore2", "h11", "truststore"],
    ...["starlette", "typing-extensions", "typing-inspection", "psycopg", "psycopg-binary", "psycopg-pool", "redis"],
];

/** The pinned versions and hashes of these packages, as the image installs them. */
function lockOf(): string {
    const lock = readFileSync(join(backend, "requirements-0.33.lock"), "utf8");
    const blocks = packages.map((name) => new RegExp(`^${name}==[^]*?(?=^[a-z0-9])`, "m").exec(lock)?.[0]);
    expect(packages.filter((_, index) => blocks[index] === undefined)).toEqual([]);
    return [...blocks, readFileSync(join(backend, "requirements-metrics.lock"), "utf8")].join("");
}

it("both releases have the packages that the metrics are tested with in the same versions", () => {
    const [old, recent] = ["0.33", "0.46"].map((release) =>
        readFileSync(join(backend, `requirements-${release}.lock`), "utf8"),
    );
    const version = (lock: string | undefined, name: string) => new RegExp(`^${name}==\\S+`, "m").exec(lock ?? "")?.[0];
    for (const name of ["celery", "fastapi", "httpx", "httpx2", "opentelemetry-sdk", "psycopg-pool", "starlette"])
        expect(version(old, name), name).toBe(version(recent, name));
});

// Real Celery, FastAPI and prometheus_client, of the versions in the image, and a real Postgres.
it("metrics and traces of the processes are right", { timeout: 600_000 }, async () => {
    // The folder's name is that of the packages in the cache.
    const folder = join(mkdtempSync(join(tmpdir(), "orcheo-")), "metrics");
    mkdirSync(folder);
    const lock = join(folder, "requirements.lock");
    writeFileSync(lock, lockOf());
    const programs = await postgresPrograms(dirname(folder));
    const python = spawnSync("python3", ["-m", "unittest", "discover", "-s", "metrics_tests", "-t", "."], {
        cwd: backend,
        encoding: "utf8",
        timeout: 300_000,
        env: {
            PATH: `${programs}:${process.env["PATH"]}`,
            PYTHONDONTWRITEBYTECODE: "1",
            PYTHONPATH: await pythonPackages(lock),
        },
    });
    expect(python.stderr).toMatch(/Ran [1-9]\d* tests in .*\n\nOK\n$/);
    expect(python.status).toBe(0);
});
