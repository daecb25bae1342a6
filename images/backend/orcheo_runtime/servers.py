"""How full Postgres and Valkey are, as far as Orcheo's own user may see it: the same for servers of the stack and managed ones."""

import logging
import os
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from orcheo_runtime import reports

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis

    from orcheo_runtime.heartbeat import Connection

# Of all databases of the server, which share its connections; the rest is of Orcheo's own.
POSTGRES = """
SELECT (SELECT sum(numbackends) FROM pg_stat_database), current_setting('max_connections')::int,
    pg_database_size(current_database()), deadlocks
FROM pg_stat_database WHERE datname = current_database()
"""
POSTGRES_NAMES = ("postgres_connections", "postgres_connections_max", "postgres_database_bytes", "postgres_deadlocks")
# The backup writes it, once its dump is complete (images/backup/orcheo_backup/record.py).
BACKUP = "SELECT extract(epoch FROM ended_at), bytes, seconds FROM orcheo_deploy.last_backup"
logger = logging.getLogger("orcheo_runtime.servers")


def of_postgres(connection: "Connection") -> dict[str, float]:
    """Empty where a server refuses."""
    import psycopg

    try:
        row = connection.execute(POSTGRES).fetchone()
    except psycopg.Error as error:
        logger.debug("Postgres does not say how full it is: %s", error)
        return {}
    return {} if row is None else dict(zip(POSTGRES_NAMES, map(float, row), strict=True))


def of_backup(connection: "Connection") -> dict[str, float]:
    """Empty before the first one."""
    import psycopg

    try:
        if connection.execute("SELECT to_regclass('orcheo_deploy.last_backup') IS NULL").fetchone() != (False,):
            return {}
        row = connection.execute(BACKUP).fetchone()
    except psycopg.Error as error:
        logger.debug("Postgres does not say when the last backup was: %s", error)
        return {}
    return {} if row is None else dict(zip(reports.BACKUP, map(float, row), strict=True))


def of_names() -> dict[str, float]:
    """Whether DNS knows the servers: connections that are open outlive it, new ones do not."""
    hosts = {urlsplit(os.environ[url]).hostname or "" for url in ("ORCHEO_POSTGRES_DSN", "REDIS_URL")}
    return {"names_unresolved": float(sum(not is_known(host) for host in hosts))}


def is_known(host: str) -> bool:
    """True for an address."""
    try:
        socket.getaddrinfo(host, None)
    except OSError as error:
        logger.debug("no address for %s: %s", host, error)
        return False
    return True


def of_valkey(client_of: "Callable[[], redis.Redis]") -> dict[str, float]:
    """Empty while it does not answer."""
    import redis

    try:
        with client_of() as client:
            info: Any = client.info()
    except (redis.RedisError, OSError) as error:
        logger.debug("Valkey does not say how full it is: %s", error)
        return {}
    return numbers_of(info)


def numbers_of(info: dict[str, Any]) -> dict[str, float]:
    """From Valkey's answer to INFO."""
    found = {"valkey_memory_bytes": float(info["used_memory"]), "valkey_clients": float(info["connected_clients"])}
    limit = float(info.get("maxmemory", 0))
    return found | ({"valkey_memory_max_bytes": limit} if limit > 0 else {})
