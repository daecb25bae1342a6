/** The Python packages that the backend's metrics and traces need, as the image has them. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { pythonPackages } from "../e2e/platform/python.ts";

/** Folder of the image; its code is in orcheo_runtime. */
export const backend = resolve(import.meta.dirname, "../../images/backend");

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
    const blocks = packages.map((name) => {
        const found = new RegExp(`^${name}==[^]*?(?=^[a-z0-9])`, "m").exec(lock)?.[0];
        if (found === undefined) throw new Error(`requirements-0.33.lock has no ${name}`);
        return found;
    });
    return [...blocks, readFileSync(join(backend, "requirements-metrics.lock"), "utf8")].join("");
}

/** @returns the folder of the packages, for PYTHONPATH */
export async function metricsPackages(): Promise<string> {
    // The folder's name is that of the packages in the cache.
    const folder = join(mkdtempSync(join(tmpdir(), "orcheo-")), "metrics");
    mkdirSync(folder);
    const lock = join(folder, "requirements.lock");
    writeFileSync(lock, lockOf());
    try {
        return await pythonPackages(lock);
    } finally {
        rmSync(dirname(folder), { recursive: true });
    }
}
