"""Parts of a dump, and that none is the last before the dump is whole. Scripts stand for pg_dump and pg_restore."""

import os
import socket
import tempfile
import time
import unittest
from contextlib import closing
from pathlib import Path

from orcheo_backup.dump import CHUNK, Dump, FailedError, wait_for
from orcheo_backup.settings import Settings

PART = 2 * CHUNK


class Parts(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        path = os.environ["PATH"]
        os.environ["PATH"] = f"{directory.name}:{path}"
        self.addCleanup(os.environ.__setitem__, "PATH", path)
        self.program("pg_restore", "cat >/dev/null")

    def program(self, name: str, script: str) -> None:
        file = self.directory / name
        file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        file.chmod(0o755)

    def dump(self, dumped: str) -> tuple[Dump, list[int], str]:
        """The dump, the sizes of its parts, and why there were no more."""
        self.program("pg_dump", dumped)
        settings = Settings("b", "p/", "r", None, None, PART, None, "postgresql://u@h/d", "a:b\\c", "/ca")
        dump = Dump(settings)
        sizes: list[int] = []
        try:
            with closing(dump.parts()) as parts:
                sizes.extend(len(part) for part in parts)
        except FailedError as error:
            return dump, sizes, str(error)
        return dump, sizes, ""

    def test_are_of_one_size_but_the_last(self) -> None:
        for size, expected in ((5 * CHUNK + 7, [PART, PART, CHUNK + 7]), (2 * CHUNK, [PART]), (9, [9])):
            dump, sizes, why = self.dump(f"head -c {size} /dev/zero")
            self.assertEqual((sizes, dump.size, why), (expected, size, ""))

    def test_the_last_one_waits_for_a_dump_that_fails(self) -> None:
        _, sizes, why = self.dump(f"head -c {3 * CHUNK} /dev/zero; echo 'error: query failed' >&2; exit 1")
        self.assertEqual(sizes, [PART])
        self.assertEqual(why, "pg_dump ended with 1: error: query failed")

    def test_and_for_one_that_cannot_be_read(self) -> None:
        for script in ("head -c 5 >/dev/null; echo broken >&2; exit 1", "cat >/dev/null; echo broken >&2; exit 1"):
            self.program("pg_restore", script)
            _, sizes, why = self.dump(f"head -c {CHUNK} /dev/zero")
            self.assertEqual((sizes, why), ([], "pg_restore ended with 1: broken"))

    def test_the_password_is_in_a_file_and_tls_is_verified(self) -> None:
        shown = self.directory / "shown"
        self.dump(f'{{ cat "$PGPASSFILE"; stat -c %a "$PGPASSFILE"; echo "$PGSSLMODE $PGSSLROOTCERT $@"; }} > {shown}')
        lines = shown.read_text(encoding="utf-8").splitlines()
        self.assertEqual(lines[:2], ["*:*:*:*:a\\:b\\\\c", "600"])
        self.assertRegex(lines[2], "^verify-full /ca --format=custom .*--dbname=postgresql://u@h/d$")

    def test_a_port_that_answers_is_waited_for_and_another_one_not_for_long(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            started = time.monotonic()
            wait_for(f"postgresql://u@127.0.0.1:{port}/d")
            self.assertLess(time.monotonic() - started, 5)
        started = time.monotonic()
        wait_for(f"postgresql://u@127.0.0.1:{port}/d", 0.1)
        self.assertGreaterEqual(time.monotonic() - started, 0.1)
