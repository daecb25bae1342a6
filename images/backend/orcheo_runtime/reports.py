"""What the reconciler, a process of its own, reports to its worker, which serves it as metrics: JSON lines through a pipe."""

import json
import logging
import os
import threading
from collections.abc import Callable
from typing import Any

Report = dict[str, Any]
ACTIONS = ("fail", "restart", "enqueue", "finish")
NUMBERS = {
    "queue_last_look_timestamp_seconds": "When the reconciler last looked at the queue.",
    "queue_messages": "Messages that wait in Valkey.",
    "runs_waiting": "Dispatched runs that no worker has started.",
    "runs_oldest_waiting_seconds": "Age of the oldest of them; 0 without any.",
    "runs_running": "Runs that are being executed.",
}
# Reported apart, as {"servers": …}.
SERVERS = {
    "postgres_connections": "Connections to the Postgres server, of everybody.",
    "postgres_connections_max": "How many it accepts.",
    "postgres_database_bytes": "Size of Orcheo's database.",
    "postgres_deadlocks": "Deadlocks in Orcheo's database since its statistics were reset.",
    "valkey_memory_bytes": "Memory that Valkey's data use.",
    "valkey_memory_max_bytes": "The most that they may use; then it refuses new runs.",
    "valkey_clients": "Connections to Valkey.",
}
# Reported apart, as {"backup": …}; only where one was made.
BACKUP = {
    "backup_last_success_timestamp_seconds": "When the last backup was complete.",
    "backup_last_bytes": "Size of its dump.",
    "backup_last_seconds": "How long it took.",
}
# Reported apart, as {"names": …}, by every worker.
NAMES = {"names_unresolved": "Names of Postgres and Valkey that this pod gets no address for."}
PARTS = {"servers": SERVERS, "backup": BACKUP, "names": NAMES}
# Of a pipe: a longer line could be mixed with that of the process that settles.
MOST_BYTES = 512
logger = logging.getLogger("orcheo_runtime.reports")
# Where this process reports to; None: nobody serves metrics.
_reader: int | None = None
_writer: int | None = None


def open_pipe() -> None:
    """Call before the reconciler is forked."""
    global _reader, _writer
    _reader, _writer = os.pipe()
    # A worker that does not read must not hold the reconciler up.
    os.set_blocking(_writer, False)


def wanted() -> bool:
    """Whether anybody reads what this process reports."""
    return _writer is not None


def send(report: Report) -> None:
    """Does nothing where nobody reads."""
    if _writer is None:
        return
    line = json.dumps(report).encode() + b"\n"
    try:
        if len(line) <= MOST_BYTES:
            os.write(_writer, line)
    except OSError as error:
        logger.debug("not reported: %s", error)


def receive(take: Callable[[Report], None]) -> None:
    """In the worker: hands on every report from now on, in a thread."""
    global _writer
    assert _reader is not None and _writer is not None
    # Only the reconciler writes.
    os.close(_writer)
    _writer = None
    lines = os.fdopen(_reader, encoding="utf-8")

    def work() -> None:
        with lines:
            for line in lines:
                take(json.loads(line))

    threading.Thread(target=work, name="reports", daemon=True).start()
