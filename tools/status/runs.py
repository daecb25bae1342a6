"""Prints what Orcheo's database and queue say about its runs, as one line of JSON; it only reads.

`npm run status` sends this text to a pod of the API or the worker: it works with the image that runs there, whichever that is.
"""

import json
import os
from importlib.metadata import PackageNotFoundError, version

TIMEOUT_SECONDS = 4
RUNS = """
SELECT
    count(*) FILTER (WHERE status = 'pending'),
    count(*) FILTER (WHERE status = 'running'),
    count(*) FILTER (WHERE status = 'failed' AND updated_at > now() - interval '1 hour'),
    count(*) FILTER (WHERE status = 'succeeded' AND updated_at > now() - interval '1 hour'),
    count(*) FILTER (WHERE updated_at > now() - interval '1 hour' AND payload -> 'audit_log' @> '[{"actor": "reconciler"}]'),
    extract(epoch FROM now() - min(created_at) FILTER (WHERE status = 'pending'))
FROM workflow_runs
WHERE (status IN ('pending', 'running') OR updated_at > now() - interval '1 hour')
"""
# Somebody may record a run without asking for its execution: it waits for nothing.
DISPATCHED = """
    AND NOT (status = 'pending' AND EXISTS (
        SELECT FROM orcheo_deploy.run_leases lease WHERE lease.run_id = workflow_runs.id AND NOT lease.dispatched))
"""


def runs():
    """Counts of runs; {} before the first start has made the tables."""
    import psycopg

    with psycopg.connect(
        os.environ["ORCHEO_POSTGRES_DSN"], connect_timeout=TIMEOUT_SECONDS, application_name="orcheo-status"
    ) as connection:
        connection.read_only = True
        connection.execute(f"SET LOCAL statement_timeout = '{TIMEOUT_SECONDS}s'")
        made = "SELECT to_regclass('workflow_runs') IS NOT NULL, to_regclass('orcheo_deploy.run_leases') IS NOT NULL"
        tables, leases = connection.execute(made).fetchone()
        if not tables:
            return {}
        row = connection.execute(RUNS + (DISPATCHED if leases else "")).fetchone()
        waiting, running, failed, succeeded, settled, oldest = row
    return {
        "waiting": waiting,
        "running": running,
        "failedLastHour": failed,
        "succeededLastHour": succeeded,
        "settledLastHour": settled,
        "oldestWaitingSeconds": None if oldest is None else round(float(oldest)),
    }


def queued():
    """Messages that wait for a worker."""
    import redis

    with redis.Redis.from_url(
        os.environ["REDIS_URL"], socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
    ) as client:
        return int(client.llen("celery"))


def answer(question):
    """Its answer; of a refusal only the kind, as a driver's message may hold a whole URL."""
    try:
        return question()
    except Exception as error:
        return {"error": type(error).__name__}


def package(name):
    """Its version."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def main():
    """Reads the secrets as the image's own processes do."""
    from orcheo_runtime import environment, tls

    environment.read_secrets(os.environ, environment.SECRET_DIR)
    tls.demand_tls(os.environ)
    return {
        "release": os.environ.get("ORCHEO_RELEASE"),
        "packages": {name: package(name) for name in ("orcheo", "orcheo-backend")},
        "runs": answer(runs),
        "queued": answer(queued),
    }


if __name__ == "__main__":
    print(json.dumps(main()))
