"""Short, independent checks of Postgres and Redis, for probes."""

import os

TIMEOUT_SECONDS = 3


def postgres_answers() -> bool:
    """Whether a new connection answers SELECT 1 within a few seconds."""
    import psycopg

    try:
        with psycopg.connect(
            os.environ["ORCHEO_POSTGRES_DSN"],
            connect_timeout=TIMEOUT_SECONDS,
            application_name="orcheo-probe",
        ) as connection:
            # Of this transaction: a pooler refuses it as an option of the connection.
            connection.execute("SELECT set_config('statement_timeout', %s, true)", (f"{TIMEOUT_SECONDS}s",))
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.Error:
        return False


def redis_answers() -> bool:
    """Whether a new connection answers PING within a few seconds."""
    import redis

    try:
        with redis.Redis.from_url(
            os.environ["REDIS_URL"], socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
        ) as client:
            return bool(client.ping())
    except (redis.RedisError, OSError):
        return False
