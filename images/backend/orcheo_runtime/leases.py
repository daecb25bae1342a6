"""Who executes a run: one row for each run that has not ended, or whose history has not, in orcheo_deploy.run_leases.

The process that starts a run takes its lease in the same transaction and renews it every ten seconds. Every time is
Postgres' own: the clocks of the pods do not matter.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, LiteralString, TypeAlias

if TYPE_CHECKING:
    import psycopg

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

HEARTBEAT_SECONDS = 10
# Silent for so long, a holder is suspected.
LEASE_SECONDS = 60
# A holder that could not renew for so long stops its run by itself: before anybody else may act, however slowly it finds out.
STOP_SECONDS = 45
# So long an expired lease is watched before it counts as lost: after an outage of Postgres its holder comes first.
CONFIRM_SECONDS = 20

# `token` is null while nobody executes the run; `starts` counts executions; `dispatched` is false for a run that was only
# recorded and that nobody asked the worker to execute; `ended_at` is set until the history of a run has ended as well;
# `reason` says why its holder gave it up.
TABLE = """
CREATE SCHEMA IF NOT EXISTS orcheo_deploy;
CREATE TABLE IF NOT EXISTS orcheo_deploy.run_leases (
    run_id text PRIMARY KEY,
    holder text,
    token uuid,
    renewed_at timestamptz,
    suspected_at timestamptz,
    starts integer NOT NULL DEFAULT 0,
    enqueued_at timestamptz,
    dispatched boolean NOT NULL DEFAULT true
);
ALTER TABLE orcheo_deploy.run_leases ADD COLUMN IF NOT EXISTS ended_at timestamptz;
ALTER TABLE orcheo_deploy.run_leases ADD COLUMN IF NOT EXISTS reason text
"""
# Its newest column: an older image may have made it.
EXISTS = """
SELECT EXISTS (
    SELECT FROM pg_attribute WHERE attrelid = to_regclass('orcheo_deploy.run_leases') AND attname = 'reason'
) AS made
"""

# A process that is paused, or whose node is lost, in the middle of a transaction would keep its locks for as long as the
# server waits for it: a day on some. Until then nobody could end its run.
IDLE_SECONDS = 30
NEVER_IDLE = f"SELECT set_config('idle_in_transaction_session_timeout', '{IDLE_SECONDS}s', true)"
LOCK_RUN = f"{NEVER_IDLE} FROM workflow_runs WHERE id = %(run_id)s FOR UPDATE"
LOCK_LEASE = "SELECT token, suspected_at FROM orcheo_deploy.run_leases WHERE run_id = %(run_id)s FOR UPDATE"
# No row: someone else decides what becomes of the run. The lease cannot change hands before the transaction ends.
KEEP = f"{NEVER_IDLE} FROM orcheo_deploy.run_leases WHERE run_id = %(run_id)s AND token = %(token)s FOR SHARE"
TAKE = """
INSERT INTO orcheo_deploy.run_leases AS lease (run_id, holder, token, renewed_at, starts)
VALUES (%(run_id)s, %(holder)s, %(token)s, clock_timestamp(), 1)
ON CONFLICT (run_id) DO UPDATE SET holder = excluded.holder, token = excluded.token, renewed_at = excluded.renewed_at,
    suspected_at = NULL, reason = NULL, starts = lease.starts + 1
"""
RENEW = """
UPDATE orcheo_deploy.run_leases SET renewed_at = clock_timestamp(), suspected_at = NULL
WHERE run_id = %(run_id)s AND token = %(token)s
"""
# The run waits again: it was put back, or its message was sent again.
WAIT = """
INSERT INTO orcheo_deploy.run_leases (run_id, enqueued_at) VALUES (%(run_id)s, clock_timestamp())
ON CONFLICT (run_id) DO UPDATE SET holder = NULL, token = NULL, renewed_at = NULL, suspected_at = NULL, reason = NULL,
    enqueued_at = excluded.enqueued_at
"""
ONLY_RECORDED = """
INSERT INTO orcheo_deploy.run_leases (run_id, dispatched) VALUES (%(run_id)s, false) ON CONFLICT (run_id) DO NOTHING
"""
# A run that was never executed has no history. Any other has one or lacks it: Postgres was away when it was to be made.
END = """
WITH never_executed AS (DELETE FROM orcheo_deploy.run_leases WHERE run_id = %(run_id)s AND starts = 0)
UPDATE orcheo_deploy.run_leases
SET holder = NULL, token = NULL, renewed_at = NULL, suspected_at = NULL, ended_at = clock_timestamp()
WHERE run_id = %(run_id)s AND starts > 0
"""
# Run and history say the same.
HISTORY_ENDED = """
DELETE FROM orcheo_deploy.run_leases lease USING workflow_runs run, execution_history history
WHERE lease.run_id = %(run_id)s AND lease.ended_at IS NOT NULL
    AND run.id = lease.run_id AND history.execution_id = lease.run_id
    AND (run.status, history.status) IN (('succeeded', 'completed'), ('failed', 'error'), ('cancelled', 'cancelled'))
"""
# Its holder ends itself next: what becomes of the run is decided without waiting for its silence.
GIVE_UP = """
UPDATE orcheo_deploy.run_leases SET reason = %(reason)s, suspected_at = clock_timestamp()
WHERE run_id = %(run_id)s AND token = %(token)s
"""
SUSPECT = "UPDATE orcheo_deploy.run_leases SET suspected_at = clock_timestamp() WHERE run_id = %(run_id)s AND token = %(token)s"
FORGET = "DELETE FROM orcheo_deploy.run_leases WHERE NOT EXISTS (SELECT FROM workflow_runs WHERE id = run_id)"


class LostLeaseError(Exception):
    """This process no longer holds the run that it executes: whatever it would write is someone else's to write."""


@dataclass(frozen=True)
class Holding:
    """A run that this process executes."""

    run_id: str
    token: str
    # time.monotonic() just before the last successful renewal was sent.
    renewed: float


def try_lock(connection: "Connection", key: int) -> bool:
    """Whether this transaction has the lock now. Neither with parameters nor prepared: the snapshot of such a statement stays
    until the next one, and the CREATE INDEX CONCURRENTLY of another session waits for it."""
    return connection.execute(f"SELECT pg_try_advisory_xact_lock({key:d})", prepare=False).fetchone() == (True,)


def must_stop(holding: Holding, now: float) -> bool:
    """Whether the holder may no longer be sure of its lease: it could not renew it for STOP_SECONDS."""
    return now - holding.renewed >= STOP_SECONDS


def ensure_table(connection: "Connection") -> None:
    """Makes the table where the initialisation was an older image's; does nothing, and needs no right, where it is there."""
    if connection.execute(EXISTS).fetchone() != (True,):
        script: LiteralString = TABLE
        connection.execute(script)
