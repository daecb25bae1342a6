"""Pools of Postgres connections that only hand out live connections, in a worker named after the run's request.

Orcheo asks for no check: after each restart or failover of the server its first requests would fail, and with them the
worker's first runs. psycopg's own check is one round trip for each use of a connection, and a list in Orcheo uses two for
each of its entries. So it is made only where the socket does not answer it: a server that stops closes its connections.
"""

import os
import select
import time
from typing import Any
from weakref import WeakKeyDictionary

from orcheo_runtime import request_ids

# One that vanishes says nothing. Of connections that were in use a moment ago, a request finds that out itself.
UNUSED_SECONDS = 1.0
used: WeakKeyDictionary[Any, float] = WeakKeyDictionary()
named: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
NAME = "SELECT set_config('application_name', %s, false)"
# Postgres cuts a longer one off.
LONGEST_NAME = 63


def in_use(connection: Any) -> bool:
    """Whether it was handed out a moment ago, and the server has sent nothing since its last answer."""
    now = time.monotonic()
    before = used.get(connection)
    used[connection] = now
    if before is None or now - before > UNUSED_SECONDS:
        return False
    # Not select: its descriptors end at 1023.
    unread = select.poll()
    unread.register(connection.fileno(), select.POLLIN)
    return not unread.poll(0)


def new_name(connection: Any) -> str | None:
    """What pg_stat_activity and Postgres' log are to call it from now on; None: as before.

    Only for runs: one more round trip for each, while it would be one more for most of the API's requests.
    """
    run = request_ids.run.get()
    name = run and (request_ids.request.get() or run)
    if not name or named.get(connection) == name:
        return None
    named[connection] = name
    return name[:LONGEST_NAME]


def check_before_use() -> None:
    """Makes the check the default for every pool created from now on; call before importing Orcheo."""
    import psycopg_pool

    ask = psycopg_pool.ConnectionPool.check_connection
    ask_async = psycopg_pool.AsyncConnectionPool.check_connection

    def check(connection: Any) -> None:
        if not in_use(connection):
            ask(connection)
        name = new_name(connection)
        if name:
            before = connection.autocommit
            # Without it, whoever gets the connection would be in a transaction already.
            connection.autocommit = True
            connection.execute(NAME, (name,))
            connection.autocommit = before

    async def check_async(connection: Any) -> None:
        if not in_use(connection):
            await ask_async(connection)
        name = new_name(connection)
        if name:
            before = connection.autocommit
            await connection.set_autocommit(True)
            await connection.execute(NAME, (name,))
            await connection.set_autocommit(before)

    # A pooler's replica that stops waits for its clients to leave, and a pool under load uses each of its connections.
    lifetime = os.environ.get("POSTGRES_CONNECTION_SECONDS", "")
    for pool, its_check in ((psycopg_pool.ConnectionPool, check), (psycopg_pool.AsyncConnectionPool, check_async)):
        defaults = pool.__init__.__kwdefaults__
        if defaults is None or "check" not in defaults:
            raise RuntimeError(f"this version's {pool.__name__} takes no `check`")
        defaults["check"] = its_check
        if lifetime:
            defaults["max_lifetime"] = float(lifetime)
