import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { backend, metricsPackages } from "../../local/backend-packages.ts";
import { postgresPrograms } from "../../local/postgres.ts";

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
    const programs = await postgresPrograms(mkdtempSync(join(tmpdir(), "orcheo-")));
    const python = spawnSync("python3", ["-m", "unittest", "discover", "-s", "metrics_tests", "-t", "."], {
        cwd: backend,
        encoding: "utf8",
        timeout: 300_000,
        env: {
            PATH: `${programs}:${process.env["PATH"]}`,
            PYTHONDONTWRITEBYTECODE: "1",
            PYTHONPATH: await metricsPackages(),
        },
    });
    expect(python.stderr).toMatch(/Ran [1-9]\d* tests in .*\n\nOK\n$/);
    expect(python.status).toBe(0);
});
