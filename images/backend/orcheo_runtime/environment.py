"""The environment of Orcheo's processes: secrets from files, URLs from parts, checked names and values.

Nothing here prints, and no problem that is returned names the value of a secret.
"""

import difflib
import json
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import TypedDict
from urllib.parse import quote, urlencode

SECRET_DIR = Path("/run/secrets/orcheo")
# In the image, releases.json and the lists of names are next to this file.
DATA = Path(__file__).parent

# Secret file -> variable. Orcheo itself cannot read them from files.
SECRETS = {
    "postgres-dsn": "ORCHEO_POSTGRES_DSN",
    "redis-url": "REDIS_URL",
    "vault-encryption-key": "ORCHEO_VAULT_ENCRYPTION_KEY",
    "auth-bootstrap-service-token": "ORCHEO_AUTH_BOOTSTRAP_SERVICE_TOKEN",
    "auth-jwt-secret": "ORCHEO_AUTH_JWT_SECRET",
    "chatkit-token-signing-key": "ORCHEO_CHATKIT_TOKEN_SIGNING_KEY",
}
REQUIRED = {
    "api": ("ORCHEO_POSTGRES_DSN", "REDIS_URL", "ORCHEO_VAULT_ENCRYPTION_KEY"),
    "init": ("ORCHEO_POSTGRES_DSN", "REDIS_URL", "ORCHEO_VAULT_ENCRYPTION_KEY", "ORCHEO_AUTH_BOOTSTRAP_SERVICE_TOKEN"),
    "worker": ("ORCHEO_POSTGRES_DSN", "REDIS_URL", "ORCHEO_VAULT_ENCRYPTION_KEY"),
    "beat": ("ORCHEO_POSTGRES_DSN", "REDIS_URL"),
    "run": (),
}
# Parts of a URL -> their defaults; the password is a file.
POSTGRES_PARTS = {
    "ORCHEO_POSTGRES_HOST": "",
    "ORCHEO_POSTGRES_PORT": "5432",
    "ORCHEO_POSTGRES_DATABASE": "orcheo",
    "ORCHEO_POSTGRES_USER": "orcheo",
    "ORCHEO_POSTGRES_SSLMODE": "verify-full",
    "ORCHEO_POSTGRES_SSLROOTCERT": "",
}
REDIS_PARTS = {
    "ORCHEO_REDIS_HOST": "",
    "ORCHEO_REDIS_PORT": "6379",
    "ORCHEO_REDIS_DATABASE": "0",
    "ORCHEO_REDIS_USER": "",
    "ORCHEO_REDIS_TLS": "true",
    "ORCHEO_REDIS_CA_FILE": "",
}
# libpq's limits for a server that no longer answers; a key of the URL itself wins. Without them Linux retransmits for a quarter of an
# hour: after the loss of Postgres' node the API accepted requests, and answered none.
SILENCE = {
    "connect_timeout": "10",
    "tcp_user_timeout": "10000",
    "keepalives_idle": "5",
    "keepalives_interval": "5",
    "keepalives_count": "2",
}
# Variables of this image, independent of the release; the deployment's config reads the same file (components/stack/image-rules.ts).
RULES = json.loads((Path(__file__).parent / "own_environment.json").read_text(encoding="utf-8"))
ALLOW_UNKNOWN = "ORCHEO_RUNTIME_ALLOW_UNKNOWN"
# Name -> minimum and maximum of an integer.
NUMBERS: dict[str, tuple[int, int]] = {name: (least, greatest) for name, (least, greatest) in RULES["numbers"].items()}
CHOICES: dict[str, tuple[str, ...]] = {name: tuple(accepted) for name, accepted in RULES["choices"].items()}
# `deployment`: variables that only the deployment itself may set, including secrets and addresses.
OWN = {*NUMBERS, *CHOICES, *RULES["others"], *RULES["deployment"]}


class Contract(TypedDict):
    """`environment` of a release in releases.json."""

    # File with the names of all ORCHEO_* variables that the release reads.
    names: str
    # Name -> the only value that does not lose runs or data here.
    fixed: dict[str, str]
    defaults: dict[str, str]
    # Name -> a second name under which the release reads it.
    copies: dict[str, str]
    # Name that other releases read -> the consequence of its absence here.
    ignored: dict[str, str]


def load_contract(release: str) -> tuple[Contract, set[str]]:
    """The environment of a release, and the names it reads; raises KeyError for an unknown release."""
    table = json.loads((DATA / "releases.json").read_text(encoding="utf-8"))
    contract: Contract = table["releases"][release]["environment"]
    return contract, set((DATA / contract["names"]).read_text(encoding="utf-8").split())


def read_secret(path: Path) -> str | None:
    """The content of a secret file without one trailing newline; None if it does not exist."""
    return path.read_text(encoding="utf-8").removesuffix("\n") if path.is_file() else None


def read_secrets(environ: MutableMapping[str, str], directory: Path) -> list[str]:
    """Sets variables from the files in `directory`, ignoring unknown files; returns the problems."""
    problems: list[str] = []
    for file, variable in SECRETS.items():
        value = read_secret(directory / file)
        if value is None:
            continue
        if environ.setdefault(variable, value) != value:
            problems.append(f"{variable} and the secret file {directory / file} both are given, and differ: keep the file")
    for variable, file, parts, compose in (
        ("ORCHEO_POSTGRES_DSN", "postgres-password", POSTGRES_PARTS, postgres_dsn),
        ("REDIS_URL", "redis-password", REDIS_PARTS, redis_url),
    ):
        password = read_secret(directory / file)
        given = [name for name in parts if environ.get(name)]
        if password is not None:
            given.append(f"the secret file {file}")
        if not given:
            continue
        host = next(iter(parts))
        if environ.get(variable):
            problems.append(f"{variable} is given as a whole and in parts ({', '.join(given)}): keep one of the two")
        elif not environ.get(host):
            problems.append(f"{host} is missing: {variable} is to be made of parts ({', '.join(given)})")
        elif not password:
            problems.append(f"the password for {host} is missing: mount the secret file {directory / file}")
        else:
            values = {name: environ.get(name) or default for name, default in parts.items()}
            environ[variable] = compose(values, password)
    return problems


def postgres_dsn(parts: Mapping[str, str], password: str) -> str:
    """postgresql://… built from POSTGRES_PARTS and an arbitrary password."""
    root = parts["ORCHEO_POSTGRES_SSLROOTCERT"]
    query = {"sslmode": parts["ORCHEO_POSTGRES_SSLMODE"]} | ({"sslrootcert": root} if root else {})
    return (
        f"postgresql://{quote(parts['ORCHEO_POSTGRES_USER'], safe='')}:{quote(password, safe='')}"
        f"@{bracketed(parts['ORCHEO_POSTGRES_HOST'])}:{parts['ORCHEO_POSTGRES_PORT']}"
        f"/{quote(parts['ORCHEO_POSTGRES_DATABASE'], safe='')}?{urlencode(query, safe='/', quote_via=quote)}"
    )


def limit_silence(environ: MutableMapping[str, str]) -> None:
    """Adds to the URL of Postgres what it does not say of SILENCE."""
    dsn = environ.get("ORCHEO_POSTGRES_DSN", "")
    if "://" in dsn:
        said = {pair.partition("=")[0] for pair in dsn.partition("?")[2].split("&")}
        added = urlencode({key: value for key, value in SILENCE.items() if key not in said})
        environ["ORCHEO_POSTGRES_DSN"] = dsn + (f"{'&' if '?' in dsn else '?'}{added}" if added else "")


def redis_url(parts: Mapping[str, str], password: str) -> str:
    """rediss://… built from REDIS_PARTS and an arbitrary password; the server's certificate is always verified."""
    tls = parts["ORCHEO_REDIS_TLS"] == "true"
    ca_file = parts["ORCHEO_REDIS_CA_FILE"]
    query = ({"ssl_cert_reqs": "required"} | ({"ssl_ca_certs": ca_file} if ca_file else {})) if tls else {}
    return (
        f"{'rediss' if tls else 'redis'}://{quote(parts['ORCHEO_REDIS_USER'], safe='')}:{quote(password, safe='')}"
        f"@{bracketed(parts['ORCHEO_REDIS_HOST'])}:{parts['ORCHEO_REDIS_PORT']}/{parts['ORCHEO_REDIS_DATABASE']}"
        + (f"?{urlencode(query, safe='/', quote_via=quote)}" if query else "")
    )


def bracketed(host: str) -> str:
    """Puts an IPv6 address into brackets, as URLs require."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def unknown_names(environ: Mapping[str, str], contract: Contract, known: set[str]) -> list[str]:
    """ORCHEO_* variables that nothing reads: most likely typos that would silently leave a setting at its default."""
    allowed = {name.strip() for name in environ.get(ALLOW_UNKNOWN, "").split(",")}
    accepted = known | OWN | set(contract["copies"]) | set(contract["copies"].values()) | set(contract["ignored"])
    problems: list[str] = []
    for name in sorted(environ):
        if name.startswith("ORCHEO_") and name not in accepted | allowed:
            near = difflib.get_close_matches(name, sorted(accepted), n=1, cutoff=0.8)
            hint = f"did you mean {near[0]}?" if near else f"if a plugin reads it, name it in {ALLOW_UNKNOWN}"
            problems.append(f"{name} is not read by this release: {hint}")
    return problems


def apply_contract(role: str, environ: MutableMapping[str, str], contract: Contract) -> list[str]:
    """Fills in the values that the release needs; returns all problems."""
    problems: list[str] = []
    for name, value in contract["fixed"].items():
        if environ.setdefault(name, value) != value:
            problems.append(f'{name} must be "{value}" (or unset): anything else loses runs or data here')
    for name, value in contract["defaults"].items():
        environ.setdefault(name, value)
    for name, second in contract["copies"].items():
        if name in environ:
            environ.setdefault(second, environ[name])
    if environ["ORCHEO_AUTH_MODE"] != "required":
        problems.append('ORCHEO_AUTH_MODE must be "required" (or unset): otherwise anonymous callers are answered')
    for name in REQUIRED[role]:
        if not environ.get(name):
            files = [file for file, variable in SECRETS.items() if variable == name]
            problems.append(f"{name} is missing: mount the secret file {SECRET_DIR / files[0]}")
    dsn = environ.get("ORCHEO_POSTGRES_DSN", "")
    if dsn and dsn.partition("://")[0] not in ("postgresql", "postgres"):
        problems.append("ORCHEO_POSTGRES_DSN must be postgresql://user:password@host:5432/database?sslmode=verify-full…")
    redis = environ.get("REDIS_URL", "")
    if redis and redis.partition("://")[0] not in ("redis", "rediss"):
        problems.append("REDIS_URL must be rediss://:password@host:6379/0?… (or redis:// without TLS)")
    key = environ.get("ORCHEO_VAULT_ENCRYPTION_KEY", "")
    if key.isdigit():
        problems.append("ORCHEO_VAULT_ENCRYPTION_KEY must not be digits only: Orcheo reads it as a number and crashes")
    return problems + refused_values(environ)


def refused_values(environ: Mapping[str, str]) -> list[str]:
    """Problems with the variables that this image reads itself."""
    problems: list[str] = []
    ports = {"ORCHEO_POSTGRES_PORT": (1, 65535), "ORCHEO_REDIS_PORT": (1, 65535), "ORCHEO_REDIS_DATABASE": (0, 1000)}
    for name, (least, greatest) in (NUMBERS | ports).items():
        value = environ.get(name, str(least))
        if not value.isdecimal() or not least <= int(value) <= greatest:
            problems.append(f'{name} must be a whole number from {least} to {greatest}; found "{value}"')
    for name, accepted in CHOICES.items():
        value = environ.get(name, accepted[0])
        if value not in accepted:
            problems.append(f'{name} must be one of {", ".join(accepted)}; found "{value}"')
    return problems
