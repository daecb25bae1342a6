"""Pools of Postgres connections that only hand out live connections.

Orcheo asks for no check: after each restart or failover of the server its first requests would fail, and with them the
worker's first runs. The check is one empty round trip to the server for each use of a connection.
"""


def check_before_use() -> None:
    """Makes the check the default for every pool created from now on; call before importing Orcheo."""
    import psycopg_pool

    for pool in (psycopg_pool.ConnectionPool, psycopg_pool.AsyncConnectionPool):
        defaults = pool.__init__.__kwdefaults__
        if defaults is None or "check" not in defaults:
            raise RuntimeError(f"this version's {pool.__name__} takes no `check`")
        defaults["check"] = pool.check_connection
