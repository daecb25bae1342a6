"""The URLs of database and cache: parsed strictly, completed with verified TLS, and parsed again as their clients do.

POSTGRES_PORT_OPEN and REDIS_PORT_OPEN are the ports that the deployment opens; with them only a URL that every client
understands alike is accepted. PGSSLMODE and PGSSLROOTCERT complete a PostgreSQL URL, REDIS_TLS_CA_FILE the cache's, where
the deployment itself never reads it. What is refused is told in words that show nothing of the URL.
"""

from collections.abc import MutableMapping
from typing import NamedTuple
from urllib.parse import quote

from orcheo_runtime import urls


class Server(NamedTuple):
    """Environment variables of one server."""

    rules: urls.Rules
    url: str
    port: str
    ca_file: str
    mode: tuple[str, str]


SERVERS = (
    Server(urls.DATABASE, "ORCHEO_POSTGRES_DSN", "POSTGRES_PORT_OPEN", "PGSSLROOTCERT", ("sslmode", "verify-full")),
    Server(urls.CACHE, "REDIS_URL", "REDIS_PORT_OPEN", "REDIS_TLS_CA_FILE", ("ssl_cert_reqs", "required")),
)


def demand_tls(environ: MutableMapping[str, str]) -> list[str]:
    """Completes the URLs in place; returns every problem."""
    problems: list[str] = []
    for server in SERVERS:
        if environ.get(server.url) and (environ.get(server.port) or environ.get(server.ca_file)):
            problems += complete(server, environ)
    return problems


def complete(server: Server, environ: MutableMapping[str, str]) -> list[str]:
    """One of them."""
    ca_file, port = environ.get(server.ca_file, ""), environ.get(server.port)
    url = environ[server.url]
    # A URL that the deployment completed already contains the file.
    named = next((value for key, value in written(url) if key == urls.FILES[server.rules.port]), None)
    found = urls.read(server.rules, url, None if ca_file or named is None else urls.unquote(named))
    if found.problems:
        return [f"{server.url} must not be {problem}" for problem in found.problems]
    if port is not None and str(found.port) != port:
        return [f"{server.url} leads to port {found.port}, and the network opens {port}: both must be the same"]
    if ca_file:
        kept = [(key, value) for key, value in found.query if key != server.mode[0]]
        query = [*kept, server.mode, (urls.FILES[server.rules.port], quote(ca_file, safe="/"))]
        url = f"{found.base}?{'&'.join(f'{key}={value}' for key, value in query)}"
    verify = verified_database if server.rules is urls.DATABASE else verified_cache
    wrong = verify(url, found.host.strip("[]"), found.port)
    if wrong:
        return [f"{server.url} would be used with {wrong}"]
    environ[server.url] = url
    return []


def written(url: str) -> list[tuple[str, str]]:
    """The query's raw keys and values."""
    return [(key, value) for key, _, value in (pair.partition("=") for pair in url.partition("?")[2].split("&"))]


def verified_database(url: str, host: str, port: int) -> str | None:
    """How libpq's interpretation of the URL differs from the intended one; None if it does not."""
    try:
        from psycopg import ProgrammingError
        from psycopg.conninfo import conninfo_to_dict
    except ModuleNotFoundError:
        # Without libpq nothing could connect anyway: only the tests run without it.
        return None
    try:
        read = conninfo_to_dict(url)
    except ProgrammingError:
        return "a form that libpq does not read"
    if read.get("sslmode") != "verify-full" or not read.get("sslrootcert"):
        return "less than sslmode=verify-full and a CA file"
    return mistaken(str(read.get("host")), int(read.get("port") or urls.DATABASE.port), host, port)


def verified_cache(url: str, host: str, port: int) -> str | None:
    """The same for redis-py."""
    try:
        from redis.connection import ConnectionPool, SSLConnection
    except ModuleNotFoundError:
        return None
    try:
        pool = ConnectionPool.from_url(url)
    except (ValueError, TypeError):
        return "a form that redis-py does not read"
    read = pool.connection_kwargs
    verified = issubclass(pool.connection_class, SSLConnection) and read.get("ssl_cert_reqs") == "required"
    if not verified or not read.get("ssl_ca_certs") or read.get("ssl_check_hostname") is False:
        return "less than ssl_cert_reqs=required, a CA file and the host's name checked"
    return mistaken(str(read.get("host")), int(read.get("port") or urls.CACHE.port), host, port)


def mistaken(host: str, port: int, meant_host: str, meant_port: int) -> str | None:
    """Whether a client would connect to another server."""
    if host.lower() != meant_host.lower():
        return "another host than it seems to name"
    return None if port == meant_port else "another port than it seems to name"
