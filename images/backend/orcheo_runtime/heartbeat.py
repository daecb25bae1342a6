"""Renews the leases of this process's runs in a separate thread, and stops a run whose lease is lost."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from orcheo_runtime import leases
from orcheo_runtime.leases import HEARTBEAT_SECONDS, Holding, must_stop

if TYPE_CHECKING:
    import psycopg

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

logger = logging.getLogger("orcheo_runtime.heartbeat")
# A process that is paused in the middle must not keep its locks either.
LIMITS = f"{leases.NEVER_IDLE}, set_config('statement_timeout', '5s', true)"
# Delay after a failed renewal.
RETRY_SECONDS = 2


def connect() -> "Connection":
    """A connection that fails within seconds: a silent server must not look like a slow one."""
    import psycopg

    return psycopg.connect(
        os.environ["ORCHEO_POSTGRES_DSN"],
        autocommit=True,
        connect_timeout=5,
        tcp_user_timeout=5000,
        keepalives_idle=5,
        keepalives_interval=2,
        keepalives_count=2,
        application_name="orcheo-leases",
    )


@contextmanager
def limited(connection: "Connection") -> Iterator[None]:
    """A transaction whose statements fail within seconds. Not the session: behind a pooler it is also that of others."""
    with connection.transaction():
        connection.execute(LIMITS)
        yield


def end_this_process(holding: Holding) -> None:
    """Only this stops code that blocks. Celery replaces the process in its pool."""
    os.kill(os.getpid(), signal.SIGKILL)


class Heartbeat:
    """The runs of one process, and their renewal. It connects only when the first renewal is due."""

    def __init__(self) -> None:
        """`stop` handles a lost run; the API replaces it because it serves other requests too."""
        self.stop: Callable[[Holding], None] = end_this_process
        self.holdings: dict[str, Holding] = {}
        # Runs whose final status is being written; that releases their lease.
        self.ending: set[str] = set()
        self.busy = threading.Event()
        self.pid = 0

    def holding(self, run_id: str) -> Holding | None:
        """The lease of a run that this process executes."""
        return self.holdings.get(run_id)

    def hold(self, holding: Holding) -> None:
        """Renews it from now on."""
        # A thread does not survive a fork.
        if self.pid != os.getpid():
            self.pid = os.getpid()
            self.busy = threading.Event()
            threading.Thread(target=self.work, name="leases", daemon=True).start()
        self.holdings[holding.run_id] = holding
        self.busy.set()

    def drop(self, run_id: str) -> None:
        """It has ended."""
        self.holdings.pop(run_id, None)
        self.ending.discard(run_id)

    def lost(self, holding: Holding) -> None:
        """Another process decides, or has decided, what happens to the run."""
        logger.error(
            "run %s: this process no longer holds its lease and stops executing it", holding.run_id, extra={"run": holding.run_id}
        )
        self.drop(holding.run_id)
        self.stop(holding)

    def work(self) -> None:
        """Until the process ends."""
        connection = None
        while True:
            self.busy.wait()
            # Short runs end before the first renewal.
            time.sleep(HEARTBEAT_SECONDS)
            while self.holdings:
                pause = HEARTBEAT_SECONDS
                try:
                    connection = connection or connect()
                    self.renew(connection)
                except Exception as error:
                    logger.warning("leases cannot be renewed: %s", str(error).strip())
                    connection, pause = close(connection), RETRY_SECONDS
                self.stop_unsure()
                time.sleep(pause)
            connection = close(connection)
            self.busy.clear()
            if self.holdings:
                self.busy.set()

    def renew(self, connection: "Connection") -> None:
        """All of them, once."""
        self.stop_unsure()
        for holding in list(self.holdings.values()):
            now = time.monotonic()
            key = {"run_id": holding.run_id, "token": holding.token}
            with limited(connection):
                renewed = connection.execute(leases.RENEW, key).rowcount == 1
            # In this order: ending a run removes it from the second first.
            ending = holding.run_id in self.ending
            if self.holdings.get(holding.run_id) != holding:
                continue
            if renewed:
                self.holdings[holding.run_id] = replace(holding, renewed=now)
            elif not ending:
                self.lost(holding)

    def stop_unsure(self) -> None:
        """Also the first check after a pause of the whole process."""
        for holding in list(self.holdings.values()):
            if must_stop(holding, time.monotonic()):
                self.lost(holding)


def close(connection: "Connection | None") -> None:
    """Whatever state it is in."""
    if connection is not None:
        connection.close()
