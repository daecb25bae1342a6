"""The dump: pg_dump's output in parts, read by pg_restore as it passes through."""

import hashlib
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from subprocess import PIPE, Popen
from tempfile import NamedTemporaryFile, TemporaryFile
from typing import IO
from urllib.parse import urlsplit

from orcheo_backup.settings import Settings

CHUNK = 1 << 20
# One snapshot of everything. It waits at most a minute for a lock, because others queue behind it.
DUMP = ["pg_dump", "--format=custom", "--compress=zstd:3", "--no-password", "--lock-wait-timeout=60s"]
# Reads the whole archive, down to the last row.
READ = ["pg_restore", "--file=/dev/null"]
# The database's network policy takes a few seconds to apply to a new pod.
WAIT_SECONDS = 60


class FailedError(Exception):
    """A failure that a retry may fix."""


class Dump:
    """One run of pg_dump."""

    def __init__(self, settings: Settings) -> None:
        """`settings` has the database and the size of a part."""
        self.settings = settings
        self.size = 0
        self.sha256 = hashlib.sha256()

    def parts(self) -> Iterator[bytearray]:
        """Parts of equal size; the last one only once the dump is complete. Raises FailedError otherwise."""
        with ExitStack() as stack:
            environ = os.environ | {
                "PGPASSFILE": stack.enter_context(password_file(self.settings.password)).name,
                "PGSSLMODE": "verify-full",
                "PGSSLROOTCERT": self.settings.database_ca,
                "PGCONNECT_TIMEOUT": "10",
                "PGAPPNAME": "backup",
            }
            complaints = [stack.enter_context(TemporaryFile()) for _ in (DUMP, READ)]
            dump = Popen([*DUMP, f"--dbname={self.settings.dsn}"], env=environ, stdout=PIPE, stderr=complaints[0])
            stack.callback(end, dump)
            read = Popen(READ, stdin=PIPE, stderr=complaints[1])
            stack.callback(end, read)
            part = bytearray()
            ended = [(dump, complaints[0]), (read, complaints[1])]
            while chunk := dump.stdout.read(CHUNK):
                if len(part) + len(chunk) > self.settings.part_bytes:
                    yield part
                    part = bytearray()
                self.size += len(chunk)
                self.sha256.update(chunk)
                part += chunk
                try:
                    read.stdin.write(chunk)
                except BrokenPipeError:
                    # The reader refused it: its message comes first.
                    ended.reverse()
                    break
            dump.stdout.close()
            with suppress(BrokenPipeError):
                read.stdin.close()
            for process, complaint in ended:
                if process.wait() != 0:
                    raise FailedError(f"{process.args[0]} ended with {process.returncode}: {last_words(complaint)}")
        yield part


def wait_for(dsn: str, seconds: float = WAIT_SECONDS) -> None:
    """Waits at most `seconds` until the database's port is open; pg_dump reports any other problem better."""
    address = urlsplit(dsn)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(OSError, ValueError), socket.create_connection((address.hostname or "", address.port or 5432), timeout=5):
            return
        time.sleep(1)


def password_file(password: str) -> IO[bytes]:
    """A password file in libpq's format, valid for every host; deleted when closed."""
    file = NamedTemporaryFile()
    escaped = password.replace("\\", "\\\\").replace(":", "\\:")
    file.write(f"*:*:*:*:{escaped}\n".encode())
    file.flush()
    return file


def end(process: Popen[bytes]) -> None:
    """Nothing outlives its dump."""
    if process.poll() is None:
        process.kill()
    process.wait()


def last_words(complaint: IO[bytes]) -> str:
    """The last lines of a program's output; a libpq error has up to four."""
    complaint.seek(0)
    lines = [line.strip() for line in complaint.read().decode(errors="replace").split("\n")]
    return " ".join([line for line in lines if line][-4:])
