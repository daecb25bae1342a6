"""One JSON object per line on stdout, from every logger of every process, without secrets and personal data (redact.py).

Orcheo's own JSON format is not used: it drops the traceback of an exception, keeps secrets and leaves Celery out.
"""

import io
import json
import logging
import os
import re
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from orcheo_runtime import request_ids
from orcheo_runtime.redact import Redactor

# Loggers that follow ORCHEO_LOG_LEVEL; all others log warnings and errors only.
LEVELLED = ("celery", "fastapi", "orcheo", "orcheo_backend", "orcheo_runtime", "stdout", "uvicorn")
SECRET_NAME = re.compile(r"(PASSWORD|TOKEN|SECRET|KEY|DSN|REDIS_URL)$")
# A shorter value would also match parts of harmless words.
SHORTEST_SECRET = 8
# Attributes of every record; all others were passed as `extra`. uvicorn repeats its message in colours.
PLAIN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


def secrets_of(environ: Mapping[str, str]) -> list[str]:
    """Every secret value of `environ` as it may appear in a line, the longest first."""
    found: set[str] = set()
    for name, value in environ.items():
        if SECRET_NAME.search(name):
            password = urlsplit(value).password if "://" in value else None
            for secret in (value, password, unquote(password) if password else None):
                if secret and len(secret) >= SHORTEST_SECRET:
                    found |= {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], repr(secret)[1:-1]}
    return sorted(found, key=lambda secret: (-len(secret), secret))


class Formatter(logging.Formatter):
    """A record as JSON, or as plain text for a terminal; secrets become ***."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """`environ`: holds the secrets and ORCHEO_LOG_FORMAT."""
        super().__init__()
        self.redact = Redactor(secrets_of(environ))
        self.console = environ.get("ORCHEO_LOG_FORMAT") == "console"

    def format(self, record: logging.LogRecord) -> str:
        """One line; in the console format, the traceback follows on further lines."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line: dict[str, Any] = {
            "time": time,
            "level": record.levelname,
            "logger": record.name,
            "message": self.redact(record.getMessage()),
            **request_ids.fields(),
            **answered(record),
        }
        if record.exc_info and record.exc_info[0]:
            line["exception"] = self.redact(self.formatException(record.exc_info))
        if self.console:
            text = "{time} {level} {logger}: {message}".format(**line)
            return f"{text}\n{line['exception']}" if "exception" in line else text
        if record.stack_info:
            line["stack"] = self.redact(record.stack_info)
        extra = {name: value for name, value in vars(record).items() if name not in PLAIN}
        if extra:
            line["extra"] = {name: self.redact(str(value)) for name, value in extra.items()}
        return json.dumps(line, ensure_ascii=False)


def answered(record: logging.LogRecord) -> dict[str, Any]:
    """Of an answered request, the fields that the canvas' log has too (images/canvas/nginx.conf). A query can contain tokens."""
    if record.name != "uvicorn.access" or not isinstance(record.args, tuple) or len(record.args) != 5:
        return {}
    client, method, path, _, status = record.args
    return {"client": client, "method": method, "path": str(path).partition("?")[0], "status": status}


class Lines(io.TextIOBase):
    """A stream whose lines become records, for output that bypasses the loggers."""

    def __init__(self, handler: logging.Handler, name: str, level: int) -> None:
        """Calls `handler` directly: a logger could lead back here."""
        self.handler = handler
        self.name = name
        self.level = level
        # Threads do not mix their lines.
        self.pending = threading.local()

    def writable(self) -> bool:
        """True."""
        return True

    def write(self, text: str) -> int:
        """Keeps an unfinished line for the next call."""
        *lines, rest = (getattr(self.pending, "text", "") + text).split("\n")
        self.pending.text = rest
        for line in lines:
            if line.strip():
                self.handler.handle(logging.LogRecord(self.name, self.level, "", 0, line, None, None))
        return len(text)


def install() -> None:
    """Takes over all logging of this process. Call it again after an import that configures logging itself."""
    handler = logging.StreamHandler(sys.__stdout__)
    handler.setFormatter(Formatter(os.environ))
    level = os.environ.get("ORCHEO_LOG_LEVEL", "INFO")
    logging.raiseExceptions = False
    logging.captureWarnings(True)
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(logging.WARNING)
    for name in LEVELLED:
        logging.getLogger(name).setLevel(level)
    sys.stdout = Lines(handler, "stdout", logging.INFO)
    sys.stderr = Lines(handler, "stderr", logging.WARNING)
    sys.excepthook = log_uncaught
    threading.excepthook = lambda end: log_uncaught(end.exc_type, end.exc_value, end.exc_traceback)


def log_uncaught(kind: type[BaseException], error: BaseException | None, traceback: TracebackType | None) -> None:
    """Logs an exception that ends the process or a thread."""
    if error is not None and not issubclass(kind, (KeyboardInterrupt, SystemExit)):
        logging.getLogger("orcheo_runtime").critical("uncaught", exc_info=(kind, error, traceback))
