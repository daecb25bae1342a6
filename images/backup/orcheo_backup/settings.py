"""The backup's settings: variables, and secrets as files. Nothing here prints a secret or includes one in a message."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from orcheo_backup import libpq, urls

SECRET_DIR = Path("/run/secrets/orcheo")
ACCEPTED = "postgresql://user:password@host:5432/database, with sslmode=verify-full or none"
# S3 accepts parts from 5 MiB (except the last one) to 5 GiB, and at most 10,000 of them.
PART_MIB = (5, 64, 5120)


class RefusedError(Exception):
    """A permanent failure: retrying will not help."""


@dataclass(frozen=True)
class Settings:
    """Checked settings."""

    bucket: str
    prefix: str
    region: str
    # None: AWS itself.
    endpoint: str | None
    # None: the bucket's default.
    kms_key_id: str | None
    part_bytes: int
    # None: the pod's identity.
    credentials: tuple[str, str] | None
    # Without the password.
    dsn: str
    password: str
    # The CA of the database's certificate.
    database_ca: str


def read(environ: Mapping[str, str], directory: Path = SECRET_DIR) -> Settings:
    """Raises RefusedError with every problem at once."""
    problems: list[str] = []

    def variable(name: str) -> str:
        value = environ.get(name, "")
        if not value:
            problems.append(f"{name} is missing")
        return value

    def secret(file: str) -> str | None:
        path = directory / file
        return path.read_text(encoding="utf-8").removesuffix("\n") if path.is_file() else None

    part = environ.get("BACKUP_PART_MIB", str(PART_MIB[1]))
    if not part.isdecimal() or not PART_MIB[0] <= int(part) <= PART_MIB[2]:
        problems.append(f'BACKUP_PART_MIB must be a whole number from {PART_MIB[0]} to {PART_MIB[2]}; found "{part}"')
        part = "0"
    key_id, key = secret("access-key-id"), secret("secret-access-key")
    if bool(key_id) != bool(key):
        problems.append(f"{directory} must hold access-key-id and secret-access-key, or neither for the pod's identity")
    database_ca = variable("PGSSLROOTCERT")
    url = secret("postgres-dsn")
    if not url:
        problems.append(f"{directory / 'postgres-dsn'} is missing: mount the database's URL there")
    refused = refused_url(url, database_ca, environ.get("POSTGRES_PORT_OPEN")) if url else []
    problems += refused
    dsn, password = without_password(url) if url and not refused else ("", "")
    settings = Settings(
        bucket=variable("BACKUP_BUCKET"),
        prefix=variable("BACKUP_PREFIX"),
        region=variable("BACKUP_REGION"),
        endpoint=environ.get("BACKUP_ENDPOINT") or None,
        kms_key_id=environ.get("BACKUP_KMS_KEY_ID") or None,
        part_bytes=int(part) << 20,
        credentials=(key_id, key) if key_id and key else None,
        dsn=dsn,
        password=password,
        database_ca=database_ca,
    )
    if problems:
        raise RefusedError("; ".join(problems))
    return settings


def without_password(url: str) -> tuple[str, str]:
    """The URL without its password, safe to show in a process list, and the password."""
    parts = urlsplit(url)
    user, _, rest = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    return parts._replace(netloc=f"{name}@{rest}" if user else rest).geturl(), unquote(password)


def refused_url(url: str, database_ca: str, port: str | None) -> list[str]:
    """Problems with the database's URL: insufficient TLS, or clients would interpret it differently."""
    found = urls.read(urls.DATABASE, url, database_ca)
    if found.problems:
        return [f"postgres-dsn must not be {problem}; accepted: {ACCEPTED}" for problem in found.problems]
    if port is not None and str(found.port) != port:
        return [f"postgres-dsn leads to port {found.port}, and the network opens {port}: both must be the same"]
    return mistaken(url, found)


def mistaken(url: str, meant: urls.ServerUrl) -> list[str]:
    """Whether libpq, which pg_dump uses to connect, finds a different server in it."""
    read = libpq.read(url)
    if read is None:
        return []
    host, port = read.get("host", "").lower(), read.get("port", str(urls.DATABASE.port))
    if (host, port, read.get("sslmode", "verify-full")) == (meant.host.strip("[]").lower(), str(meant.port), "verify-full"):
        return []
    return [f"postgres-dsn is read by libpq as another server than it seems to name; accepted: {ACCEPTED}"]
