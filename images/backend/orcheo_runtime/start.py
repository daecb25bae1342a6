"""Reads secrets from files, checks the environment of the image's release, then becomes one of Orcheo's processes.

    start api | worker | beat | init | run PROGRAM [ARGUMENT ...]

Exit code 78: the environment is wrong; every problem is listed on stderr and no secret is ever printed.
"""

import json
import os
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

CONFIGURATION_ERROR = 78
SECRET_DIR = Path("/run/secrets/orcheo")

# Secret file -> variable. Orcheo itself reads none of them from a file.
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
MODULES = {name: f"orcheo_runtime.{name}" for name in ("api", "worker", "beat", "init")}


def read_secrets(directory: Path) -> dict[str, str]:
    """Variables from the files of `directory`; unknown files are left alone, one trailing newline is dropped."""
    found: dict[str, str] = {}
    for file, variable in SECRETS.items():
        path = directory / file
        if path.is_file():
            found[variable] = path.read_text(encoding="utf-8").removesuffix("\n")
    return found


def load_release(name: str) -> dict[str, Any]:
    """The row of releases.json; raises KeyError for an unknown release."""
    table = json.loads((Path(__file__).parent / "releases.json").read_text(encoding="utf-8"))
    release: dict[str, Any] = table["releases"][name]
    return release


def apply_contract(role: str, environ: MutableMapping[str, str], contract: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Fills in what the release needs; returns every problem, in words that name no value of a secret."""
    problems: list[str] = []
    for name, value in contract["fixed"].items():
        if environ.setdefault(name, value) != value:
            problems.append(f'{name} must be "{value}" (or unset): anything else loses runs or data here')
    for name, value in contract["defaults"].items():
        environ.setdefault(name, value)
    if environ["ORCHEO_AUTH_MODE"] != "required":
        problems.append('ORCHEO_AUTH_MODE must be "required" (or unset): otherwise anonymous callers are answered')
    for name in REQUIRED[role]:
        if not environ.get(name):
            files = [file for file, variable in SECRETS.items() if variable == name]
            problems.append(f"{name} is missing: mount the secret file {SECRET_DIR / files[0]}")
    dsn = environ.get("ORCHEO_POSTGRES_DSN", "")
    if dsn and urlsplit(dsn).scheme not in ("postgresql", "postgres"):
        problems.append("ORCHEO_POSTGRES_DSN must be postgresql://user:password@host:5432/database?sslmode=verify-full…")
    redis = environ.get("REDIS_URL", "")
    if redis and urlsplit(redis).scheme not in ("redis", "rediss"):
        problems.append("REDIS_URL must be rediss://:password@host:6379/0?… (or redis:// without TLS)")
    key = environ.get("ORCHEO_VAULT_ENCRYPTION_KEY", "")
    if key.isdigit():
        problems.append("ORCHEO_VAULT_ENCRYPTION_KEY must not be digits only: Orcheo reads it as a number and crashes")
    concurrency = environ.get("ORCHEO_WORKER_CONCURRENCY", "2")
    if not concurrency.isdecimal() or int(concurrency) < 1:
        problems.append("ORCHEO_WORKER_CONCURRENCY must be a whole number of at least 1")
    return problems


def main(arguments: list[str]) -> int:
    """Never returns when all is well: the process becomes the wanted one."""
    role = arguments[0] if arguments else ""
    if role not in REQUIRED or (role == "run" and len(arguments) < 2):
        print(f"usage: {' | '.join(MODULES)} | run PROGRAM [ARGUMENT ...]; got {role!r}", file=sys.stderr)
        return 64
    for name, value in read_secrets(SECRET_DIR).items():
        os.environ.setdefault(name, value)
    release = os.environ.get("ORCHEO_RELEASE", "")
    try:
        contract = load_release(release)["environment"]
    except KeyError:
        print(f"ORCHEO_RELEASE {release!r} is not a release of this image", file=sys.stderr)
        return CONFIGURATION_ERROR
    problems = apply_contract(role, os.environ, contract)
    if problems:
        print(f"{role} of Orcheo {release} cannot start:", *problems, sep="\n  - ", file=sys.stderr)
        return CONFIGURATION_ERROR
    if role == "run":
        os.execvp(arguments[1], arguments[1:])
    os.execv(sys.executable, [sys.executable, "-m", MODULES[role]])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
