"""The initialisation: makes all tables before any replica starts, and refuses a database of another generation.

Safe to run again and several times at once: a Postgres advisory lock lets one in at a time.
"""

import os
import sys
import time

import psycopg

WAIT_SECONDS = 180
# Any constant of our own; "orcheo" in ASCII.
LOCK_KEY = 0x6F726368656F

STAMP_TABLE = """
CREATE SCHEMA IF NOT EXISTS orcheo_deploy;
CREATE TABLE IF NOT EXISTS orcheo_deploy.release (
    at timestamptz PRIMARY KEY DEFAULT clock_timestamp(),
    generation text NOT NULL,
    release text NOT NULL
);
"""

# Each makes the tables of its store on first use. Client errors are fine (0.46 wants a workspace first).
FIRST_USES = (
    "/api/workflows",
    "/api/system/plugins",
    "/api/credentials",
    "/api/admin/service-tokens",
    "/api/credentials/templates",
)


def connect() -> psycopg.Connection:
    """Waits for Postgres, at most three minutes; raises the last error then."""
    end = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            return psycopg.connect(os.environ["ORCHEO_POSTGRES_DSN"], connect_timeout=5, autocommit=True)
        except psycopg.OperationalError as error:
            if time.monotonic() > end:
                raise
            print(f"waiting for Postgres: {type(error).__name__}", file=sys.stderr)
            time.sleep(3)


def refusal(generation: str, found: str | None) -> str | None:
    """Why a database of generation `found` cannot be used by `generation`; None when it can."""
    if found is None or found == generation:
        return None
    return (
        f"This database belongs to Orcheo {found}; this image is Orcheo {generation}, and there is no upgrade in place "
        f"between them: nothing was changed.\n"
        f"Do this first: 1. keep this database for {found} (back it up). 2. Create an empty database and point the "
        f"secret postgres-dsn at it. 3. Deploy {generation}; then export the workflows from {found} (`orcheo workflow "
        f"download`) and upload them to {generation} (`orcheo workflow upload`); credentials must be entered again."
    )


def use_every_store() -> list[str]:
    """Boots the backend in this process, asks each store once; returns what failed."""
    from fastapi.testclient import TestClient
    from orcheo_backend.app import app

    failed: list[str] = []
    token = os.environ["ORCHEO_AUTH_BOOTSTRAP_SERVICE_TOKEN"]
    with TestClient(app, raise_server_exceptions=False, headers={"Authorization": f"Bearer {token}"}) as client:
        for path in FIRST_USES:
            status = client.get(path).status_code
            print(f"GET {path}: {status}")
            if status >= 500:
                failed.append(path)
    return failed


def main() -> int:
    """0: initialised and stamped; 1: a store failed; 78: a database of another generation."""
    generation = os.environ["ORCHEO_RELEASE"]
    with connect() as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (LOCK_KEY,))
        connection.execute(STAMP_TABLE)
        row = connection.execute("SELECT generation FROM orcheo_deploy.release ORDER BY at DESC LIMIT 1").fetchone()
        reason = refusal(generation, row[0] if row else None)
        if reason:
            print(reason, file=sys.stderr)
            return 78
        if row is None:
            # Claimed before the first table: a run that breaks off leaves no database of unknown generation.
            stamp(connection, generation)
        failed = use_every_store()
        if failed:
            print(f"these answered with a server error: {', '.join(failed)}", file=sys.stderr)
            return 1
        if row is not None:
            stamp(connection, generation)
    print(f"Orcheo {generation}: the database is ready")
    return 0


def stamp(connection: psycopg.Connection, generation: str) -> None:
    """Records who initialised the database."""
    from importlib.metadata import version

    connection.execute(
        "INSERT INTO orcheo_deploy.release (generation, release) VALUES (%s, %s)", (generation, version("orcheo"))
    )


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Orcheo leaves its connection pools open, and their threads would hold the exit for 20 s.
    os._exit(code)
