"""Notes the last backup in the database itself, where the workers read it for their metrics (orcheo_runtime/servers.py)."""

from orcheo_backup import libpq
from orcheo_backup.settings import Settings

# The schema has what this deployment adds to Orcheo. One row.
TABLE = """
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS orcheo_deploy;
CREATE TABLE IF NOT EXISTS orcheo_deploy.last_backup (
    one boolean PRIMARY KEY DEFAULT true CHECK (one), ended_at timestamptz NOT NULL, bytes bigint NOT NULL, seconds real NOT NULL
);
"""
ROW = """
INSERT INTO orcheo_deploy.last_backup (ended_at, bytes, seconds) VALUES (clock_timestamp(), {size:d}, {seconds:f})
ON CONFLICT (one) DO UPDATE SET ended_at = excluded.ended_at, bytes = excluded.bytes, seconds = excluded.seconds
"""


def note(settings: Settings, size: int, seconds: float) -> None:
    """Raises libpq.ExecuteError or OSError."""
    given = {
        "dbname": settings.dsn,
        "password": settings.password,
        "sslmode": "verify-full",
        "sslrootcert": settings.database_ca,
        "connect_timeout": "10",
        "application_name": "backup",
    }
    libpq.execute(given, TABLE + ROW.format(size=size, seconds=seconds))
