"""Ends a process of the worker's pool whose run takes more memory than a process may have, with its reason.

A container's limit counts all of its processes together, and the kernel ends them all when it is exceeded: the runs beside
the one that was too large would be lost with it.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from orcheo_runtime import leases
from orcheo_runtime.heartbeat import Heartbeat, connect, end_this_process, limited
from orcheo_runtime.leases import Holding

# Two looks: what grows by a gigabyte a second is found within a quarter of one.
LOOK_SECONDS = 0.25
MEBIBYTE = 1024 * 1024
VARIABLE = "ORCHEO_WORKER_PROCESS_MEMORY_MIB"
logger = logging.getLogger("orcheo_runtime.memory")


def resident_bytes(path: Path = Path("/proc/self/statm")) -> int:
    """Memory of this process, without pages that it shares with files and with the process it was forked from."""
    _, resident, shared = path.read_text(encoding="ascii").split()[:3]
    return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")


def limit_bytes() -> int | None:
    """As set by the deployment; None: the container's limit is the only one."""
    value = os.environ.get(VARIABLE)
    return int(value) * MEBIBYTE if value else None


def reason(used: int, limit: int) -> str:
    """As a person reads it in the run."""
    return (
        f"It took {used // MEBIBYTE} MiB of memory, and a process of the worker may have {limit // MEBIBYTE} MiB "
        "(worker.memoryPerProcessMiB)."
    )


def give_up(holdings: Iterable[Holding], why: str) -> None:
    """Writes the reason where the reconciler finds it. Without Postgres the run counts as lost, a minute later."""
    try:
        with connect() as connection, limited(connection):
            for holding in holdings:
                connection.execute(leases.GIVE_UP, {"run_id": holding.run_id, "token": holding.token, "reason": why})
    except Exception as error:
        logger.warning("the reason cannot be written: %s", str(error).strip())


def look(heartbeat: Heartbeat, limit: int, used: int, stop: Callable[[Holding], None] = end_this_process) -> bool:
    """Whether the process had to end: it has a run, and too much memory. Without a run it is Celery's to replace."""
    holdings = list(heartbeat.holdings.values())
    if used <= limit or not holdings:
        return False
    why = reason(used, limit)
    for holding in holdings:
        logger.error("run %s: %s", holding.run_id, why, extra={"run": holding.run_id})
    give_up(holdings, why)
    stop(holdings[0])
    return True


def watch(heartbeat: Heartbeat, limit: int) -> None:
    """Until the process ends."""
    while not look(heartbeat, limit, resident_bytes()):
        time.sleep(LOOK_SECONDS)


def guard(heartbeat: Heartbeat) -> None:
    """In each process of the pool: a thread does not survive a fork."""
    limit = limit_bytes()
    if limit is not None:
        threading.Thread(target=watch, args=(heartbeat, limit), name="memory", daemon=True).start()
