"""URLs of a database and a cache, read as libpq, redis-py and kombu read them: what two of them would understand differently
is refused, in words that show nothing of the URL but its known keys.

images/backup/orcheo_backup/urls.py is the same file; components/config/server-urls.ts holds the same rules for the
deployment, and tests/fixtures/server-urls.json is for all three.
"""

import ipaddress
import re
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import quote, unquote

NUMBER = r"\d{1,9}"
TEXT = r"[\x20-\x7e]+"


class Rules(NamedTuple):
    """Accepted form of one kind of URL."""

    schemes: tuple[str, ...]
    port: int
    # Query keys, each with the values that are accepted.
    keys: dict[str, str]
    # Query keys that messages name, each with the reason.
    refused: dict[str, str]
    # Characters that end or split the URL for one of its parsers.
    raw: str


def elsewhere(part: str) -> str:
    """Reason to refuse a key for a part that the URL contains."""
    return f"which the URL says as its {part}"


DATABASE = Rules(
    schemes=("postgresql://", "postgres://"),
    port=5432,
    keys={
        "sslmode": "verify-full",
        "application_name": TEXT,
        "channel_binding": "prefer|require",
        "client_encoding": "(?i:utf-?8)",
        "connect_timeout": NUMBER,
        "fallback_application_name": TEXT,
        "gssencmode": "disable|prefer",
        "keepalives": "[01]",
        "keepalives_count": NUMBER,
        "keepalives_idle": NUMBER,
        "keepalives_interval": NUMBER,
        "options": TEXT,
        "require_auth": "scram-sha-256",
        "ssl_min_protocol_version": r"TLSv1\.[23]",
        "sslnegotiation": "postgres|direct",
        "sslsni": "1",
        "target_session_attrs": "any|read-write|primary",
        "tcp_user_timeout": NUMBER,
    },
    refused={
        "sslrootcert": "which follows from authority",
        "ssl": "which is JDBC's; libpq has sslmode=verify-full",
        "host": elsewhere("host"),
        "hostaddr": elsewhere("host"),
        "port": elsewhere("port"),
        "user": elsewhere("user"),
        "password": elsewhere("password"),
        "dbname": elsewhere("path"),
    },
    raw="\\[]",
)
CACHE = Rules(
    schemes=("rediss://",),
    port=6379,
    # Celery passes every other key to a constructor that does not accept it.
    keys={"ssl_cert_reqs": "required", "ssl_check_hostname": "(?i:true)"},
    refused={
        "ssl_ca_certs": "which follows from authority",
        "db": elsewhere("path"),
        "host": elsewhere("host"),
        "port": elsewhere("port"),
        "username": elsewhere("user"),
        "password": elsewhere("password"),
    },
    # Celery interprets `;` as the end of one broker's URL.
    raw="\\[];",
)
# Key of the file that verifies the server's certificate.
FILES = {DATABASE.port: "sslrootcert", CACHE.port: "ssl_ca_certs"}


@dataclass(frozen=True)
class ServerUrl:
    """A URL in parts."""

    base: str
    host: str
    port: int
    query: list[tuple[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read(rules: Rules, url: str, ca_file: str | None = None) -> ServerUrl:
    """The URL in parts, or every problem with it; `ca_file`: the one file that a completed URL may name."""
    problems = malformed(rules, url)
    if problems:
        return ServerUrl(url, "", rules.port, problems=problems)
    base, _, query = url.partition("?")
    authority = base.partition("://")[2]
    place, slash, path = authority.rpartition("@")[2].partition("/")
    found = re.fullmatch(r"(\[[^\]]*\]|[^:]*)(?::(.*))?", place)
    host, port = (found[1], found[2]) if found else ("", None)
    pairs = query.split("&") if query else []
    own = f"{FILES[rules.port]}={ca_file}"
    asked = [pair for pair in pairs if unquote(pair) != own]
    problems = host_problems(place, host, port) + path_problems(rules, slash + path) + query_problems(rules, asked)
    parts = [(key, value) for key, _, value in (pair.partition("=") for pair in pairs)]
    number = int(port) if port and port.isdecimal() else rules.port
    return ServerUrl(base, host, number, parts, problems)


def listed(characters: list[str]) -> str:
    """The escaped form of each character."""
    return ", ".join(f"{each} as {quote(each, safe='')}" for each in characters)


def malformed(rules: Rules, url: str) -> list[str]:
    """Problems with a URL as a whole, before it can be split into parts."""
    if not re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*://", url):
        return ["no URL"]
    scheme = next((each for each in rules.schemes if url.startswith(each)), None)
    if scheme is None:
        return [f"a URL that does not begin with {rules.schemes[0]}"]
    rest = url.removeprefix(scheme)
    user = rest.rpartition("@")[0]
    split = [each for each in "/?@" if each in user] + [each for each in "#" if each in rest]
    split += [each for each in rules.raw if each in user]
    problems: list[str] = []
    if not re.fullmatch(r"[\x21-\x7e]*", url):
        problems.append("a space, a control character or one that is not ASCII: write it as %XX")
    if split:
        problems.append(f"characters that end the password, or the URL, for some clients: write {listed(split)}")
    if re.search(r"%(?![0-9a-fA-F]{2})|%00", rest):
        problems.append("a % without two hexadecimal digits, or with 00, behind it: write % itself as %25")
    return problems


def is_host(host: str) -> bool:
    """A DNS name or an address, IPv6 in brackets."""
    inner = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        return (ipaddress.ip_address(inner).version == 6) == (inner != host) and "%" not in host
    except ValueError:
        labels = host.split(".")
        formed = all(re.fullmatch("[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?", label) for label in labels)
        return formed and len(host) <= 253 and not labels[-1].isdecimal()


def host_problems(place: str, host: str, port: str | None) -> list[str]:
    """Problems of host and port."""
    if "," in place:
        return ["several hosts: name one, for instance a name that leads to the primary"]
    problems: list[str] = []
    if not host:
        problems.append("a URL without a host")
    elif "%" in host:
        problems.append("a percent-encoded host: give a name or an address, not a socket's path")
    elif not is_host(host):
        problems.append("a host that is neither a name nor an address (IPv6 in brackets)")
    if port is not None and not (re.fullmatch("[1-9][0-9]{0,4}", port) and int(port) <= 65535):
        problems.append("a port that is none: give one from 1 to 65535, or leave out the colon")
    return problems


def path_problems(rules: Rules, path: str) -> list[str]:
    """Problems of the database's name or number."""
    if rules is CACHE:
        formed = re.fullmatch("(/[0-9]{0,4})?", path)
        return [] if formed else ["a database that is no number: clients would silently take 0"]
    return ["a database's name with a raw /: write / as %2F"] if "/" in path[1:] else []


def query_problems(rules: Rules, pairs: list[str]) -> list[str]:
    """Problems of each key and its value."""
    seen: set[str] = set()
    problems: list[str] = []
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if key in rules.refused:
            problems.append(f"{key}, {rules.refused[key]}")
        elif key not in rules.keys:
            problems.append(f"a query key other than {', '.join(rules.keys)}")
        elif key in seen:
            problems.append(f"{key} twice")
        elif not equals or "=" in value or "+" in value:
            problems.append(f"a value of {key} with a raw = or +, or none: write = as %3D, + as %2B, a space as %20")
        elif not re.fullmatch(rules.keys[key], unquote(value, errors="surrogateescape")):
            only = rules.keys[key]
            named = re.fullmatch(r"[\w.-]+", only) is not None
            problems.append(f"{key} other than {only}" if named else f"a value of {key} that is not accepted")
        seen.add(key)
    return problems
