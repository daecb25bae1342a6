"""Pools of Postgres connections that only hand out live connections.

Orcheo asks for no check: after each restart or failover of the server its first requests would fail, and with them the
worker's first runs. psycopg's own check is one round trip for each use of a connection, and a list in Orcheo uses two for
each of its entries. So it is made only where the socket does not answer it: a server that stops closes its connections.
"""

import select
import time
from typing import Any
from weakref import WeakKeyDictionary

# One that vanishes says nothing. Of connections that were in use a moment ago, a request finds that out itself.
UNUSED_SECONDS = 1.0
used: WeakKeyDictionary[Any, float] = WeakKeyDictionary()


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


def check_before_use() -> None:
    """Makes the check the default for every pool created from now on; call before importing Orcheo."""
    import psycopg_pool

    ask = psycopg_pool.ConnectionPool.check_connection
    ask_async = psycopg_pool.AsyncConnectionPool.check_connection

    def check(connection: Any) -> None:
        if not in_use(connection):
            ask(connection)

    async def check_async(connection: Any) -> None:
        if not in_use(connection):
            await ask_async(connection)

    for pool, its_check in ((psycopg_pool.ConnectionPool, check), (psycopg_pool.AsyncConnectionPool, check_async)):
        defaults = pool.__init__.__kwdefaults__
        if defaults is None or "check" not in defaults:
            raise RuntimeError(f"this version's {pool.__name__} takes no `check`")
        defaults["check"] = its_check
