"""The start step without Orcheo: python3 -m unittest discover -s tests -t . (in images/backend)."""

import io
import json
import tempfile
import unittest
from contextlib import redirect_stderr
from pathlib import Path
from unittest.mock import patch

from orcheo_runtime import start

TABLE = json.loads((Path(__file__).parents[1] / "releases.json").read_text(encoding="utf-8"))["releases"]
GOOD = {
    "ORCHEO_POSTGRES_DSN": "postgresql://orcheo:pw@postgres:5432/orcheo?sslmode=verify-full",
    "REDIS_URL": "rediss://:pw@valkey:6379/0",
    "ORCHEO_VAULT_ENCRYPTION_KEY": "ab" * 32,
    "ORCHEO_AUTH_BOOTSTRAP_SERVICE_TOKEN": "token",
}


def problems(role: str, release: str, **changes: str) -> list[str]:
    environ = GOOD | changes
    return start.apply_contract(role, environ, TABLE[release]["environment"])


class Contract(unittest.TestCase):
    def test_a_complete_environment_passes(self) -> None:
        for release in TABLE:
            for role in ("api", "worker", "beat", "init", "run"):
                self.assertEqual(problems(role, release), [], (release, role))

    def test_a_store_outside_postgres_is_refused(self) -> None:
        self.assertEqual(
            problems("worker", "0.33", ORCHEO_VAULT_BACKEND="file"),
            ['ORCHEO_VAULT_BACKEND must be "postgres" (or unset): anything else loses runs or data here'],
        )

    def test_runs_inside_the_api_are_refused(self) -> None:
        self.assertEqual(len(problems("api", "0.46", ORCHEO_INPROCESS_EXECUTION="true")), 1)

    def test_all_problems_come_at_once(self) -> None:
        found = problems("api", "0.33", ORCHEO_AUTH_MODE="optional", REDIS_URL="", ORCHEO_POSTGRES_DSN="mysql://x:s3cret@y")
        self.assertEqual(len(found), 3)
        self.assertNotIn("s3cret", "".join(found))

    def test_a_key_of_digits_is_refused(self) -> None:
        self.assertEqual(len(problems("worker", "0.46", ORCHEO_VAULT_ENCRYPTION_KEY="1" * 64)), 1)

    def test_concurrency(self) -> None:
        for value in ("0", "-1", "two", ""):
            self.assertEqual(len(problems("worker", "0.33", ORCHEO_WORKER_CONCURRENCY=value)), 1, value)


class Secrets(unittest.TestCase):
    def test_files_become_variables(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            (directory / "redis-url").write_text("rediss://:a b@c\n", encoding="utf-8")
            (directory / "unknown").write_text("x", encoding="utf-8")
            self.assertEqual(start.read_secrets(directory), {"REDIS_URL": "rediss://:a b@c"})


class Usage(unittest.TestCase):
    def test_an_unknown_role_is_refused(self) -> None:
        for arguments in ([], ["shell"], ["run"]):
            with redirect_stderr(io.StringIO()) as said:
                self.assertEqual(start.main(arguments), 64)
            self.assertIn("usage", said.getvalue())

    def test_an_unknown_release_is_refused(self) -> None:
        with tempfile.TemporaryDirectory() as empty, patch.object(start, "SECRET_DIR", Path(empty)):
            with patch.object(start, "load_release", side_effect=KeyError), redirect_stderr(io.StringIO()):
                self.assertEqual(start.main(["api"]), start.CONFIGURATION_ERROR)


if __name__ == "__main__":
    unittest.main()
