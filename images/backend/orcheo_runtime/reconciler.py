"""Finds lost runs every ten seconds and has them settled; in each worker, of which one at a time looks.

A process of its own, forked while the worker is still small and has one thread. It keeps no connection between two looks
(so it needs nothing of a pooler, and a failover is over at the next look) and holds only psycopg and redis; what Orcheo
must do itself is done in a further fork, which ends.
"""

import json
import logging
import os
import signal
import sys
import time
from base64 import b64decode
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from orcheo_runtime import leases, logs, reports, servers
from orcheo_runtime.delivery import longest_run_seconds
from orcheo_runtime.heartbeat import connect, limited
from orcheo_runtime.lost_runs import (
    WORKER,
    Action,
    Ended,
    Pending,
    Running,
    Settings,
    decide_ended,
    decide_pending,
    decide_running,
)

if TYPE_CHECKING:
    import redis

    from orcheo_runtime.heartbeat import Connection

LOOK_SECONDS = 10
# Of one look.
MOST_RUNS = 500
SETTLE_SECONDS = 300
QUEUE = "celery"
QUEUE_PAGE = 1000
# Any constant of our own.
LOCK_KEY = 0x6F7263727265
logger = logging.getLogger("orcheo_runtime.reconciler")

# The newest start of a run names who executes it. Runs that others execute have no limit of time, and without a lease they
# are theirs to end: they would be found at every look, and fill it.
RUNNING = """
SELECT run.id, start.entry ->> 'actor', (run.payload ->> 'started_at')::timestamptz, lease.holder, lease.token::text,
    lease.renewed_at, lease.suspected_at, coalesce(lease.starts, 0), lease.reason
FROM workflow_runs run LEFT JOIN orcheo_deploy.run_leases lease ON lease.run_id = run.id
LEFT JOIN LATERAL (
    SELECT entry FROM jsonb_array_elements(run.payload -> 'audit_log') WITH ORDINALITY AS log (entry, place)
    WHERE entry ->> 'action' = 'run_started' ORDER BY place DESC LIMIT 1
) start ON true
WHERE run.status = 'running'
    AND (
        lease.reason IS NOT NULL OR lease.renewed_at < clock_timestamp() - make_interval(secs => %s)
        OR start.entry ->> 'actor' = %s AND (run.payload ->> 'started_at')::timestamptz < clock_timestamp() - make_interval(secs => %s)
    )
ORDER BY run.updated_at LIMIT %s
"""
PENDING = """
SELECT run.id, run.updated_at, lease.enqueued_at, coalesce(lease.dispatched, true)
FROM workflow_runs run LEFT JOIN orcheo_deploy.run_leases lease ON lease.run_id = run.id
WHERE run.status = 'pending' AND coalesce(lease.dispatched, true)
ORDER BY run.updated_at LIMIT %s
"""
NUMBERS = """
SELECT count(*) FILTER (WHERE run.status = 'pending'),
    coalesce(extract(epoch FROM clock_timestamp() - min(run.updated_at) FILTER (WHERE run.status = 'pending')), 0),
    count(*) FILTER (WHERE run.status = 'running')
FROM workflow_runs run LEFT JOIN orcheo_deploy.run_leases lease ON lease.run_id = run.id
WHERE run.status = 'running' OR run.status = 'pending' AND coalesce(lease.dispatched, true)
"""
ENDED = """
SELECT lease.run_id, lease.ended_at
FROM orcheo_deploy.run_leases lease JOIN workflow_runs run ON run.id = lease.run_id
WHERE lease.ended_at IS NOT NULL AND run.status NOT IN ('running', 'pending')
ORDER BY lease.ended_at LIMIT %s
"""


def settings() -> Settings:
    """Of the deployment."""
    policy = os.environ.get("ORCHEO_WORKER_LOST_RUNS", "fail")
    return Settings("restart" if policy == "restart" else "fail", longest_run_seconds())


def look(connection: "Connection") -> list[Action]:
    """Every action that is due now, those that only mark a run done already."""
    leases.ensure_table(connection)
    if connection.execute("SELECT to_regclass('workflow_runs') IS NULL").fetchone() == (True,):
        return []
    connection.execute(leases.FORGET)
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    (now,) = row
    limits = (leases.LEASE_SECONDS, WORKER, settings().longest_run_seconds, MOST_RUNS)
    running = [Running(*each) for each in connection.execute(RUNNING, limits).fetchall()]
    pending = [Pending(*each) for each in connection.execute(PENDING, (MOST_RUNS,)).fetchall()]
    ended = [Ended(*each) for each in connection.execute(ENDED, (MOST_RUNS,)).fetchall()]
    decided = [decide_running(run, now, settings()) for run in running]
    decided += [decide_ended(run, now) for run in ended]
    # Nothing is asked of Valkey while all waiting runs are too young to be missed.
    if any(decide_pending(run, now, ()) for run in pending):
        queued = queued_runs({run.run_id for run in pending})
        decided += [] if queued is None else [decide_pending(run, now, queued) for run in pending]
    actions = [action for action in decided if action is not None]
    for action in actions:
        if action.kind == "suspect":
            connection.execute(leases.SUSPECT, {"run_id": action.run_id, "token": action.token})
    return [action for action in actions if action.kind != "suspect"]


def valkey() -> "redis.Redis":
    """A client that fails within seconds."""
    import redis

    return redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=5, socket_connect_timeout=5)


def queued_runs(wanted: Collection[str]) -> set[str] | None:
    """Those of `wanted` that a message of the queue names; None while Valkey does not answer."""
    import redis

    found: set[str] = set()
    try:
        with valkey() as client:
            # From the end that grows, so that what moves meanwhile is met rather twice than never.
            for start in range(0, int(client.llen(QUEUE)) + QUEUE_PAGE, QUEUE_PAGE):
                page: Any = client.lrange(QUEUE, start, start + QUEUE_PAGE - 1)
                found.update(run_id for message in page for run_id in named_in(message) if run_id in wanted)
                if len(found) == len(wanted):
                    break
    except (redis.RedisError, OSError) as error:
        logger.warning("waiting runs are not looked for, Valkey does not answer: %s", error)
        return None
    return found


def named_in(message: bytes | str) -> Iterator[str]:
    """The run that a message of Celery names, if it names one."""
    try:
        envelope = json.loads(message)
        if envelope["headers"]["task"].endswith(".execute_run"):
            arguments = json.loads(b64decode(envelope["body"]))[0]
            yield str(arguments[0])
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return


def measure(connection: "Connection") -> reports.Report:
    """How much waits and runs now, for the worker's metrics."""
    report: reports.Report = {"queue_last_look_timestamp_seconds": time.time(), "queue_messages": queue_length()}
    if connection.execute("SELECT to_regclass('workflow_runs') IS NULL").fetchone() == (False,):
        row = connection.execute(NUMBERS).fetchone()
        assert row is not None
        report |= zip(("runs_waiting", "runs_oldest_waiting_seconds", "runs_running"), map(float, row), strict=True)
    return report


def queue_length() -> int | None:
    """None while Valkey does not answer."""
    import redis

    try:
        with valkey() as client:
            return int(client.llen(QUEUE))
    except (redis.RedisError, OSError):
        return None


def look_once() -> None:
    """One look, unless another worker has it under way."""
    with connect() as watch:
        # A lock of the transaction, not of the session: it also holds through a pooler that shares sessions.
        with watch.transaction():
            if not leases.try_lock(watch, LOCK_KEY):
                return
            with connect() as connection, limited(connection):
                actions = look(connection)
                if reports.wanted():
                    reports.send(measure(connection))
                    reports.send({"servers": servers.of_postgres(connection) | servers.of_valkey(valkey)})
                    reports.send({"backup": servers.of_backup(connection)})
            if actions:
                settle_apart(actions)


def settle_apart(actions: list[Action]) -> None:
    """In a further process, whose memory is free again when it has ended."""
    pid = os.fork()
    if pid == 0:
        try:
            signal.alarm(SETTLE_SECONDS)
            from orcheo_runtime import settle

            settle.main(actions)
        except BaseException:
            logger.exception("lost runs cannot be settled now")
        finally:
            os._exit(0)
    os.waitpid(pid, 0)


def watch(parent: int) -> None:
    """Until the worker is gone."""
    while os.getppid() == parent:
        started = time.monotonic()
        try:
            if reports.wanted():
                reports.send({"names": servers.of_names()})
            look_once()
        except Exception as error:
            logger.warning("lost runs are not looked for, Postgres does not answer: %s", str(error).strip())
        # In short steps: the end of the worker is noticed soon.
        while os.getppid() == parent and time.monotonic() - started < LOOK_SECONDS:
            time.sleep(1)


def fork() -> int:
    """Starts it; returns its process id. Not an own program: that one would show the secrets in its environment."""
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        # The worker's to hear: it finishes its runs, and this goes on as long.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        logs.install()
        watch(parent)
    finally:
        sys.stdout.flush()
        os._exit(0)
