"""What becomes of a run that may be lost: from what is stored and the time to an action, and nothing else.

Read with leases.py. A run ends when it exceeds its limits. It is lost when it is `running` and nobody holds its lease, or `pending` and no message of the
queue names it. The history of a run is lost when the run has ended and nobody ended its history.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from orcheo_runtime.leases import CONFIRM_SECONDS, LEASE_SECONDS

Policy = Literal["fail", "restart"]

# Who Orcheo says started the run when one of its workers did.
WORKER = "worker"
# A message that was just sent is not looked for yet, and none is sent again sooner.
PENDING_SECONDS = 30
ENQUEUE_AGAIN_SECONDS = 60
# A worker ends the history right after the run; a person who cancels a run does not end it at all.
HISTORY_SECONDS = 30
# A run that ends its worker each time is not executed forever.
MOST_STARTS = 3
# Beyond the longest run, for one that was started by an image without leases.
SPARE_SECONDS = 60


@dataclass(frozen=True)
class Settings:
    """Of the deployment."""

    policy: Policy
    longest_run_seconds: int


@dataclass(frozen=True)
class Running:
    """A run that Orcheo says is running; the lease's part is None where there is no lease."""

    run_id: str
    started_by: str | None
    started_at: datetime | None
    holder: str | None
    token: str | None
    renewed_at: datetime | None
    suspected_at: datetime | None
    starts: int
    # Why its holder gave it up.
    reason: str | None = None


@dataclass(frozen=True)
class Pending:
    """A run that waits; `enqueued_at`: when its message was last sent again."""

    run_id: str
    changed_at: datetime
    enqueued_at: datetime | None
    dispatched: bool


@dataclass(frozen=True)
class Ended:
    """A run that has ended, whose history has not or says something else."""

    run_id: str
    ended_at: datetime


@dataclass(frozen=True)
class Action:
    """`suspect`: watch it; `fail`, `restart`, `enqueue`: as they say; `finish` its history. `token` of the lease that was seen."""

    kind: Literal["suspect", "fail", "restart", "enqueue", "finish"]
    run_id: str
    reason: str
    token: str | None = None
    # Its holder is alive: it loses the run, and ends its process.
    held: bool = False


def decide_running(run: Running, now: datetime, settings: Settings) -> Action | None:
    """None: its holder lives, or may yet, and keeps to its limits."""
    if run.token is None or run.renewed_at is None:
        return decide_unleased(run, now, settings)
    # Another execution would need as much: neither of the two starts again, whatever the policy.
    if run.reason is not None:
        return Action("fail", run.run_id, run.reason, run.token, held=True)
    if run.started_by == WORKER and run.started_at and now - run.started_at >= timedelta(seconds=settings.longest_run_seconds):
        limit = f"It ran for longer than {settings.longest_run_seconds} s, the longest that a run may take here (worker.longestRunSeconds)."
        return Action("fail", run.run_id, limit, run.token, held=True)
    silence = now - run.renewed_at
    if silence < timedelta(seconds=LEASE_SECONDS):
        return None
    if run.suspected_at is None:
        return Action("suspect", run.run_id, f"{run.holder} is silent", run.token)
    if now - run.suspected_at < timedelta(seconds=CONFIRM_SECONDS):
        return None
    lost = f"The process that executed this run ({run.holder}) was lost: no sign of life since {stamp(run.renewed_at)}."
    return end_of(run, lost, settings)


def decide_unleased(run: Running, now: datetime, settings: Settings) -> Action | None:
    """A worker without leases started it, or somebody who executes runs outside of this deployment and ends them himself."""
    if run.started_by != WORKER or run.started_at is None:
        return None
    if now - run.started_at < timedelta(seconds=settings.longest_run_seconds + SPARE_SECONDS):
        return None
    lost = f"The worker that executed this run was lost: it was started at {stamp(run.started_at)} and nobody holds it."
    return end_of(run, lost, settings)


def end_of(run: Running, lost: str, settings: Settings) -> Action:
    """By the policy. A conversation has nobody left who waits for its answer, so only what workers execute starts again."""
    if settings.policy == "restart" and run.started_by == WORKER:
        if run.starts < MOST_STARTS:
            return Action("restart", run.run_id, f"{lost} It is executed again from its input.", run.token)
        return Action("fail", run.run_id, f"{lost} It was started {run.starts} times and is not started again.", run.token)
    return Action("fail", run.run_id, lost, run.token)


def decide_pending(run: Pending, now: datetime, queued: Collection[str]) -> Action | None:
    """None: a message of the queue names it, or it is too early to say, or nobody dispatched it."""
    if not run.dispatched or run.run_id in queued:
        return None
    if now - run.changed_at < timedelta(seconds=PENDING_SECONDS):
        return None
    if run.enqueued_at is not None and now - run.enqueued_at < timedelta(seconds=ENQUEUE_AGAIN_SECONDS):
        return None
    return Action("enqueue", run.run_id, "It waited, and no message of the queue named it.")


def decide_ended(run: Ended, now: datetime) -> Action | None:
    """None: whoever ended the run is about to end its history."""
    if now - run.ended_at < timedelta(seconds=HISTORY_SECONDS):
        return None
    return Action("finish", run.run_id, f"The run ended at {stamp(run.ended_at)}, and its history did not.")


def stamp(time: datetime) -> str:
    """To the second, in UTC."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC")
