"""Where traces and metrics are sent: any server that speaks OTLP over HTTP, as the deployment's settings say."""

import logging
import os
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from orcheo_runtime.environment import SECRET_DIR, read_secret

# Of one batch, its retries included: while the server is away nothing else waits longer.
TIMEOUT_SECONDS = 5
# While the server is away, each batch would log its tries.
LOG_SECONDS = 60.0


def variable(signal: str, name: str) -> str:
    """("traces", "ENDPOINT") -> ORCHEO_OTLP_TRACES_ENDPOINT."""
    return f"ORCHEO_OTLP_{signal.upper()}_{name}"


def wanted(signal: str) -> bool:
    """Whether the deployment wants `signal` ("traces" or "metrics"); nothing of OpenTelemetry is imported for this."""
    return bool(os.environ.get(variable(signal, "ENDPOINT")))


def keep_own_provider() -> None:
    """Before orcheo_backend is imported: it would set a provider of its own then, without any of the rules of traces.py.

    Orcheo's own spans go the same way as all others.
    """
    if wanted("traces"):
        from orcheo.tracing import provider

        provider._configured = True


def measured() -> bool:
    """Whether the process counts what it does: for a scraper, or to send it."""
    return bool(os.environ.get("ORCHEO_METRICS_PORT")) or wanted("metrics")


def headers(signal: str, directory: Path = SECRET_DIR) -> dict[str, str]:
    """From the secret file, in the form of OTEL_EXPORTER_OTLP_HEADERS: name=value,name=value, percent-encoded.

    Read when it is needed: as a variable it would be in the environment of every program that a run starts.
    """
    text = read_secret(directory / f"otlp-{signal}-headers") or ""
    pairs = (each.partition("=") for each in text.split(",") if "=" in each)
    return {unquote(name.strip()).lower(): unquote(value.strip()) for name, _, value in pairs}


def session() -> Any:
    """Of the exporter's requests. What it verifies certificates by is its own: REQUESTS_CA_BUNDLE would take the place of the CA that is named."""
    import requests

    class Session(requests.Session):
        def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
            return super().merge_environment_settings(url, proxies, stream, self.verify if verify is None else verify, cert)

    return Session()


def options(signal: str) -> dict[str, Any]:
    """Of the exporter. The certificate is always verified: by the CA that is named, else by those that the process trusts."""
    return {
        "session": session(),
        "endpoint": os.environ[variable(signal, "ENDPOINT")],
        "headers": headers(signal),
        "certificate_file": os.environ.get(variable(signal, "CA_FILE")) or None,
        "timeout": TIMEOUT_SECONDS,
    }


class Seldom(logging.Filter):
    """Lets one record through a minute."""

    def __init__(self) -> None:
        """For one logger."""
        super().__init__()
        self.last = -LOG_SECONDS

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is logged."""
        now = time.monotonic()
        if now - self.last < LOG_SECONDS:
            return False
        self.last = now
        return True


def log_seldom(*names: str) -> None:
    """Loggers of an exporter."""
    for name in names:
        logger = logging.getLogger(name)
        if not any(isinstance(each, Seldom) for each in logger.filters):
            logger.addFilter(Seldom())


def resource(role: str) -> Any:
    """Which process it is."""
    from opentelemetry.sdk.resources import Resource

    attributes = {"service.name": f"orcheo-{role}", "service.instance.id": f"{os.uname().nodename}/{os.getpid()}"}
    optional = {"service.namespace": "ORCHEO_OTLP_NAMESPACE", "service.version": "ORCHEO_OTLP_VERSION"}
    return Resource.create(attributes | {name: os.environ[key] for name, key in optional.items() if os.environ.get(key)})
