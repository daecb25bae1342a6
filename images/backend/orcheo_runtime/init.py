"""The initialisation: creates all tables before any replica starts, and refuses a database of another generation or key.

Safe to run again and several times at once: a Postgres advisory lock lets one in at a time.
"""

import asyncio
import inspect
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, TypeAlias

from orcheo_runtime import imports, last_words, leases, logs, vault

if TYPE_CHECKING:
    import psycopg

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

GENERATION_ERROR = 78
WAIT_SECONDS = 180
STORE_SECONDS = 60
# Arbitrary lock number: "orcheo" in ASCII.
LOCK_KEY = 0x6F726368656F

STAMP_TABLE = """
CREATE SCHEMA IF NOT EXISTS orcheo_deploy;
CREATE TABLE IF NOT EXISTS orcheo_deploy.release (
    at timestamptz PRIMARY KEY DEFAULT clock_timestamp(),
    generation text NOT NULL,
    release text NOT NULL
);
"""
# Tables that every release creates early; since 0.46 their rows belong to a workspace.
OLDEST_TABLES = """
SELECT table_name, bool_or(column_name = 'workspace_id') FROM information_schema.columns
WHERE table_schema = current_schema() AND table_name IN ('workflows', 'service_tokens', 'chat_threads')
GROUP BY table_name
"""

# Requests that use each store. Client errors are acceptable (0.46 requires a workspace first).
FIRST_USES = (
    "/api/workflows",
    "/api/system/plugins",
    "/api/credentials",
    "/api/admin/service-tokens",
    "/api/credentials/templates",
)
logger = logging.getLogger("orcheo_runtime.init")


def connect() -> "Connection":
    """Waits for Postgres, at most three minutes; raises the last error then."""
    import psycopg

    end = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            return psycopg.connect(os.environ["ORCHEO_POSTGRES_DSN"], connect_timeout=5, autocommit=True)
        except psycopg.OperationalError as error:
            if time.monotonic() > end:
                raise
            logger.warning("waiting for Postgres: %s", str(error).strip())
            time.sleep(3)


def lock(connection: "Connection") -> None:
    """Returns when this transaction holds the lock. A session's would stay with a pooler's connection to the server."""
    # A server may end a transaction that waits for so long.
    connection.execute("SELECT set_config('idle_in_transaction_session_timeout', '0', true)")
    # Polled: a session that waits inside Postgres would block LangGraph's CREATE INDEX
    # CONCURRENTLY in the session that holds the lock, forever.
    while not leases.try_lock(connection, LOCK_KEY):
        logger.info("another initialisation is running")
        time.sleep(2)


def generation_of(connection: "Connection") -> tuple[str | None, str]:
    """The generation of the database, None if it is empty, and how it was detected."""
    if connection.execute("SELECT to_regclass('orcheo_deploy.release') IS NOT NULL").fetchone() == (True,):
        row = connection.execute("SELECT generation FROM orcheo_deploy.release ORDER BY at DESC LIMIT 1").fetchone()
        if row:
            return str(row[0]), "its record in orcheo_deploy.release"
    # Initialised by Orcheo itself, without this image.
    tables: dict[str, bool] = dict(connection.execute(OLDEST_TABLES).fetchall())
    if not tables:
        return None, "no table of Orcheo"
    return "0.46" if any(tables.values()) else "0.33", f"its tables {', '.join(sorted(tables))}"


def refusal(generation: str, found: str | None, told_by: str) -> str | None:
    """Why a database of generation `found` cannot be used by `generation`; None when it can."""
    if found is None or found == generation:
        return None
    return (
        f"This database belongs to Orcheo {found} (detected by {told_by}); this image is Orcheo {generation}, and there is "
        f"no upgrade in place between them: nothing was changed. "
        f"Do this first: 1. keep this database for {found} (back it up). 2. Create an empty database and point the "
        f"secret postgres-dsn at it. 3. Deploy {generation}; then export the workflows from {found} (`orcheo workflow "
        f"download`) and upload them to {generation} (`orcheo workflow upload`); credentials must be entered again."
    )


def stores() -> Iterator[tuple[str, Callable[[], Any]]]:
    """Name and getter of each store that creates its tables on first use."""
    from orcheo_backend.app import chatkit_runtime, dependencies

    for name in ("repository", "history_store", "checkpoint_store", "vault", "plugin_installation_store"):
        # 0.33 keeps no plugins in the database.
        if hasattr(dependencies, f"get_{name}"):
            yield name, getattr(dependencies, f"get_{name}")
    yield "chatkit", lambda: chatkit_runtime.get_chatkit_server().store


async def make_tables() -> list[str]:
    """Creates the tables of every store and of LangGraph; returns the names of those that failed."""
    from orcheo.config import get_settings
    from orcheo.persistence import create_checkpointer, create_graph_store

    failed: list[str] = []
    for name, get in stores():
        try:
            store = get()
            # 0.33's checkpoint store waits for a lock that it holds itself unless its connections are open.
            if hasattr(store, "_get_pool"):
                await asyncio.wait_for(store._get_pool(), STORE_SECONDS)
            made = store._ensure_initialized()
            if inspect.isawaitable(made):
                await asyncio.wait_for(made, STORE_SECONDS)
        except Exception:
            logger.exception("the tables of %s cannot be created", name)
            failed.append(name)
    for create in (create_checkpointer, create_graph_store):
        try:
            async with create(get_settings()):
                pass
        except Exception:
            logger.exception("%s failed", create.__name__)
            failed.append(create.__name__)
    return failed


def use_every_store() -> list[str]:
    """Boots the backend in this process, creates all tables and queries each store once; returns the failures."""
    with imports.without_collection():
        from fastapi.testclient import TestClient
        from orcheo_backend.app import app

    logs.install()
    token = os.environ["ORCHEO_AUTH_BOOTSTRAP_SERVICE_TOKEN"]
    client = TestClient(app, raise_server_exceptions=False, headers={"Authorization": f"Bearer {token}"})
    # Left open: closing it waits for every pool, see leaving.run_without_waiting. The process ends by os._exit.
    ExitStack().enter_context(client)
    assert client.portal is not None
    failed: list[str] = client.portal.call(make_tables)
    for path in FIRST_USES:
        status = client.get(path).status_code
        logger.info("GET %s: %s", path, status)
        if status >= 500:
            failed.append(path)
    return failed


def stamp(connection: "Connection", generation: str) -> None:
    """Records the generation that initialised the database."""
    connection.execute(
        "INSERT INTO orcheo_deploy.release (generation, release) VALUES (%s, %s)", (generation, version("orcheo"))
    )


def tables_of(connection: "Connection") -> int:
    """How many tables Orcheo has made."""
    row = connection.execute("SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema()").fetchone()
    assert row is not None
    return int(row[0])


def account(release: str, found: str | None, before: int, after: int, seconds: float) -> str:
    """What a successful initialisation did, in one line."""
    was = f"It held Orcheo {found}" if found is not None else "It was empty"
    made = after - before
    tables = f"{made} tables were created, {after} are there" if made else f"its {after} tables were complete"
    return f"Orcheo {release}: the database is ready, after {seconds:.0f} s. {was}; {tables}; the vault key is the one of this database."


def main() -> int:
    """0: initialised and stamped; 1: a store failed; 78: a database of another generation, or of another vault key."""
    generation = os.environ["ORCHEO_RELEASE"]
    started = time.monotonic()
    with connect() as guard, guard.transaction(), connect() as connection:
        lock(guard)
        found, told_by = generation_of(connection)
        reason = refusal(generation, found, told_by)
        if reason:
            return refused(reason, GENERATION_ERROR)
        before = tables_of(connection)
        # Stamped before the first table: an interrupted run leaves no database of unknown generation or key.
        connection.execute(STAMP_TABLE)
        reason = vault.settle(connection, vault.OrcheoCipher(), os.environ.get(vault.DROP, ""))
        if reason:
            return refused(reason, vault.KEY_ERROR)
        leases.ensure_table(connection)
        stamp(connection, generation)
        failed = use_every_store()
        after = tables_of(connection)
    if failed:
        return refused(f"these failed: {', '.join(failed)}", 1)
    done = account(f"{generation} (orcheo {version('orcheo')})", found, before, after, time.monotonic() - started)
    logger.info(done)
    last_words.leave(done)
    return 0


def refused(reason: str, code: int) -> int:
    """Says why, in the log and in the pod's status."""
    logger.error(reason)
    last_words.leave(reason)
    return code


if __name__ == "__main__":
    logs.install()
    code = 1
    try:
        code = main()
    except Exception:
        logger.exception("the initialisation failed")
    # Orcheo leaves its connection pools open, and their threads would delay the exit by 20 s.
    os._exit(code)
