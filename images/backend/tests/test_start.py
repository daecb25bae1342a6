"""The start step as a program."""

import io
import json
import os
import tempfile
import unittest
from contextlib import redirect_stderr
from pathlib import Path
from subprocess import PIPE, Popen, run
from sys import executable
from unittest.mock import patch

from orcheo_runtime import environment, start

HERE = Path(__file__).parents[1]


class Usage(unittest.TestCase):
    def test_an_unknown_role_is_refused(self) -> None:
        for arguments in ([], ["shell"], ["run"]):
            with redirect_stderr(io.StringIO()) as said:
                self.assertEqual(start.main(arguments), start.USAGE_ERROR)
            self.assertIn("usage", said.getvalue())

    def test_an_unknown_release_is_refused(self) -> None:
        with patch.object(environment, "DATA", HERE), patch.dict(os.environ, {"ORCHEO_RELEASE": "0.1"}):
            with redirect_stderr(io.StringIO()) as said:
                self.assertEqual(start.main(["api"]), start.CONFIGURATION_ERROR)
            self.assertIn("'0.1'", said.getvalue())


class Program(unittest.TestCase):
    """As a process: `main` replaces the process it runs in."""

    def command(self, *arguments: str, before: str = "pass") -> list[str]:
        script = (
            "import sys; from pathlib import Path; from orcheo_runtime import environment, start;"
            f"environment.DATA = Path({str(HERE)!r}); environment.SECRET_DIR = Path({self.secrets!r});"
            f"start.MODULES['beat'] = 'slow'; {before}; sys.exit(start.main(sys.argv[1:]))"
        )
        return [executable, "-c", script, *arguments]

    def environment(self) -> dict[str, str]:
        path = f"{HERE}:{self.secrets}"
        return {"PATH": os.environ["PATH"], "PYTHONPATH": path, "ORCHEO_RELEASE": "0.33"}

    def start(self, role: str, *arguments: str, **environ: str) -> tuple[int, str, str]:
        ended = run(
            self.command(role, *arguments),
            env=self.environment() | environ,
            capture_output=True,
            text=True,
            timeout=30,
        )
        return ended.returncode, ended.stdout, ended.stderr

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.secrets = directory.name

    def test_every_problem_is_a_line_of_json(self) -> None:
        Path(self.secrets, "postgres-dsn").write_text("mysql://orcheo:s3cret-s3cret@db/x", encoding="utf-8")
        code, out, err = self.start("worker", ORCHEO_LOG_LEVL="INFO")
        self.assertEqual(code, start.CONFIGURATION_ERROR)
        lines = [json.loads(line) for line in out.splitlines()]
        self.assertEqual({line["level"] for line in lines}, {"ERROR"})
        messages = "\n".join(line["message"] for line in lines)
        for part in ("did you mean ORCHEO_LOG_LEVEL?", "REDIS_URL is missing", "ORCHEO_POSTGRES_DSN must be"):
            self.assertIn(part, messages)
        self.assertNotIn("s3cret", out + err)

    def test_told_to_stop_while_it_starts_it_leaves_at_once(self) -> None:
        Path(self.secrets, "redis-url").write_text("rediss://:s3cret@cache", encoding="utf-8")
        Path(self.secrets, "slow.py").write_text("import time; print('begun', flush=True); time.sleep(30)", encoding="utf-8")
        Path(self.secrets, "postgres-dsn").write_text("postgresql://orcheo@db/orcheo", encoding="utf-8")
        with Popen(self.command("beat"), env=self.environment(), stdout=PIPE, text=True) as process:
            assert process.stdout is not None
            self.assertIn("begun", process.stdout.readline())
            process.terminate()
            # 143, by the handler: -15 would be the default, which process 1 of a container has not.
            self.assertEqual(process.wait(10), 143)

    def test_imports_wait_before_the_role_begins(self) -> None:
        Path(self.secrets, "redis-url").write_text("rediss://:s3cret@cache", encoding="utf-8")
        Path(self.secrets, "postgres-dsn").write_text("postgresql://orcheo@db/orcheo", encoding="utf-8")
        Path(self.secrets, "slow.py").write_text("print('begun')", encoding="utf-8")
        command = self.command("beat", before="start.imports.install = lambda role: print('wait in', role)")
        ended = run(command, env=self.environment(), capture_output=True, text=True, timeout=30, check=True)
        self.assertEqual([json.loads(line)["message"] for line in ended.stdout.splitlines()], ["wait in beat", "begun"])

    def test_a_program_gets_the_secrets_and_names_of_its_own(self) -> None:
        Path(self.secrets, "redis-url").write_text("redis://cache", encoding="utf-8")
        code, out, _ = self.start("run", "sh", "-c", "echo $REDIS_URL $ORCHEO_MINE", ORCHEO_MINE="1")
        self.assertEqual((code, out), (0, "redis://cache 1\n"))

    def test_what_it_becomes_does_not_wait_forever_for_postgres(self) -> None:
        Path(self.secrets, "postgres-dsn").write_text("postgresql://orcheo@db/orcheo", encoding="utf-8")
        _, out, _ = self.start("run", "sh", "-c", "echo $ORCHEO_POSTGRES_DSN")
        self.assertIn("tcp_user_timeout=10000", out)
