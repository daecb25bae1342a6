"""Names, values, secrets and addresses of the environment."""

import json
import tempfile
import unittest
from pathlib import Path
from unittest.mock import patch
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from orcheo_runtime import environment

HERE = Path(__file__).parents[1]
RELEASES = tuple(json.loads((HERE / "releases.json").read_text(encoding="utf-8"))["releases"])
GOOD = {
    "ORCHEO_POSTGRES_DSN": "postgresql://orcheo:pw@postgres:5432/orcheo?sslmode=verify-full",
    "REDIS_URL": "rediss://:pw@valkey:6379/0",
    "ORCHEO_VAULT_ENCRYPTION_KEY": "ab" * 32,
    "ORCHEO_AUTH_BOOTSTRAP_SERVICE_TOKEN": "token",
}
# Whatever the program may set on any role of any release.
PROGRAM = {
    "ORCHEO_RELEASE": "0.33",
    "ORCHEO_LOG_LEVEL": "INFO",
    "ORCHEO_AUTH_MODE": "required",
    "ORCHEO_WORKFLOW_TRUST_MODE": "managed",
    "ORCHEO_CORS_ALLOW_ORIGINS": "https://orcheo.example",
    "ORCHEO_STUDIO_URL": "https://orcheo.example",
    "ORCHEO_CHATKIT_PUBLIC_BASE_URL": "https://orcheo.example",
    "ORCHEO_AUTH_ISSUER": "https://issuer.example",
    "ORCHEO_AUTH_JWKS_URL": "https://issuer.example/jwks",
    "ORCHEO_AUTH_AUDIENCE": "orcheo",
    "ORCHEO_TRACING_EXPORTER": "otlp",
    "ORCHEO_TRACING_ENDPOINT": "http://collector:4318",
    "ORCHEO_WORKER_CONCURRENCY": "2",
    "ORCHEO_API_DRAIN_SECONDS": "40",
}


class WithData(unittest.TestCase):
    """Reads the tables of the checkout; in the image they lie beside the module."""

    def setUp(self) -> None:
        patched = patch.object(environment, "DATA", HERE)
        patched.start()
        self.addCleanup(patched.stop)

    def problems(self, role: str, release: str, **changes: str) -> list[str]:
        contract, known = environment.load_contract(release)
        environ = GOOD | changes
        return environment.unknown_names(environ, contract, known) + environment.apply_contract(role, environ, contract)


class Contracts(WithData):
    def test_what_the_program_sets_passes_in_every_release(self) -> None:
        for release in RELEASES:
            for role in environment.REQUIRED:
                self.assertEqual(self.problems(role, release, **PROGRAM), [], (release, role))

    def test_a_store_outside_postgres_is_refused(self) -> None:
        self.assertEqual(
            self.problems("worker", "0.33", ORCHEO_VAULT_BACKEND="file"),
            ['ORCHEO_VAULT_BACKEND must be "postgres" (or unset): anything else loses runs or data here'],
        )

    def test_runs_inside_the_api_are_refused(self) -> None:
        self.assertEqual(len(self.problems("api", "0.46", ORCHEO_INPROCESS_EXECUTION="true")), 1)

    def test_all_problems_come_at_once_and_name_no_secret(self) -> None:
        found = self.problems(
            "api", "0.33", ORCHEO_AUTH_MODE="optional", REDIS_URL="", ORCHEO_POSTGRES_DSN="mysql://x:s3cret@y"
        )
        self.assertEqual(len(found), 3)
        self.assertNotIn("s3cret", "".join(found))

    def test_a_key_of_digits_is_refused(self) -> None:
        self.assertEqual(len(self.problems("worker", "0.46", ORCHEO_VAULT_ENCRYPTION_KEY="1" * 64)), 1)

    def test_the_images_own_values(self) -> None:
        for name, value in (
            ("ORCHEO_WORKER_CONCURRENCY", "0"),
            ("ORCHEO_WORKER_CONCURRENCY", "two"),
            ("ORCHEO_WORKER_CONCURRENCY", ""),
            ("ORCHEO_API_DRAIN_SECONDS", "-1"),
            ("ORCHEO_POSTGRES_PORT", "65536"),
            ("ORCHEO_LOG_LEVEL", "verbose"),
            ("ORCHEO_LOG_FORMAT", "xml"),
            ("ORCHEO_REDIS_TLS", "yes"),
            ("ORCHEO_WORKER_LOST_RUNS", "retry"),
            ("ORCHEO_WORKER_LONGEST_RUN_SECONDS", "86401"),
        ):
            found = self.problems("worker", "0.33", **{name: value})
            self.assertEqual(len(found), 1, (name, value))
            self.assertIn(f'found "{value}"', found[0])

    def test_second_names_are_filled_in(self) -> None:
        for release, name, second in (
            ("0.33", "ORCHEO_CRON_DISPATCH_INTERVAL", "CRON_DISPATCH_INTERVAL"),
            ("0.46", "REDIS_URL", "ORCHEO_REDIS_URL"),
        ):
            environ = GOOD | {"ORCHEO_CRON_DISPATCH_INTERVAL": "30"}
            environment.apply_contract("beat", environ, environment.load_contract(release)[0])
            self.assertEqual(environ[second], environ[name])

    def test_an_unknown_release(self) -> None:
        with self.assertRaises(KeyError):
            environment.load_contract("0.1")


    def test_beat_needs_no_vault(self) -> None:
        for release in RELEASES:
            self.assertEqual(self.problems("beat", release, ORCHEO_VAULT_ENCRYPTION_KEY=""), [])


class UnknownNames(WithData):
    def test_the_nearest_name_is_suggested(self) -> None:
        self.assertEqual(
            self.problems("api", "0.46", ORCHEO_WORKFLOW_TRUSTMODE="managed"),
            ["ORCHEO_WORKFLOW_TRUSTMODE is not read by this release: did you mean ORCHEO_WORKFLOW_TRUST_MODE?"],
        )

    def test_names_of_another_release_are_unknown(self) -> None:
        self.assertEqual(len(self.problems("api", "0.33", ORCHEO_SMTP_HOST="mail")), 1)
        self.assertEqual(self.problems("api", "0.46", ORCHEO_SMTP_HOST="mail"), [])

    def test_the_escape_hatch(self) -> None:
        found = self.problems("worker", "0.33", ORCHEO_MY_PLUGIN="1")
        self.assertIn("name it in ORCHEO_RUNTIME_ALLOW_UNKNOWN", found[0])
        allowed = {"ORCHEO_RUNTIME_ALLOW_UNKNOWN": "ORCHEO_OTHER, ORCHEO_MY_PLUGIN"}
        self.assertEqual(self.problems("worker", "0.33", ORCHEO_MY_PLUGIN="1", **allowed), [])

    def test_names_without_the_prefix_are_nobodys_business(self) -> None:
        self.assertEqual(self.problems("worker", "0.33", OPENAI_BASE_URL="x", ORCHEO="x"), [])


class Secrets(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)

    def read(self, files: dict[str, str], **environ: str) -> tuple[dict[str, str], list[str]]:
        for name, text in files.items():
            (self.directory / name).write_text(text, encoding="utf-8")
        problems = environment.read_secrets(environ, self.directory)
        return environ, problems

    def test_files_become_variables(self) -> None:
        environ, problems = self.read({"redis-url": "rediss://:a b@c\n", "unknown": "x"})
        self.assertEqual((environ, problems), ({"REDIS_URL": "rediss://:a b@c"}, []))

    def test_a_file_and_another_value_are_refused(self) -> None:
        _, problems = self.read({"redis-url": "rediss://:s3cret@c"}, REDIS_URL="rediss://:other@c")
        self.assertEqual(len(problems), 1)
        self.assertNotIn("s3cret", problems[0])

    def test_addresses_from_parts(self) -> None:
        password = "p@ss/w:rd?#%&=+ \\\"'é"
        environ, problems = self.read(
            {"postgres-password": password + "\n", "redis-password": password},
            ORCHEO_POSTGRES_HOST="db.example",
            ORCHEO_POSTGRES_USER="the user",
            ORCHEO_POSTGRES_SSLROOTCERT="/etc/orcheo/authority/ca.crt",
            ORCHEO_REDIS_HOST="fd00::1",
            ORCHEO_REDIS_CA_FILE="/etc/orcheo/authority/ca.crt",
        )
        self.assertEqual(problems, [])
        dsn = urlsplit(environ["ORCHEO_POSTGRES_DSN"])
        self.assertEqual((dsn.scheme, dsn.hostname, dsn.port, dsn.path), ("postgresql", "db.example", 5432, "/orcheo"))
        self.assertEqual((unquote(dsn.username or ""), unquote(dsn.password or "")), ("the user", password))
        self.assertEqual(dsn.query, "sslmode=verify-full&sslrootcert=/etc/orcheo/authority/ca.crt")
        redis = urlsplit(environ["REDIS_URL"])
        self.assertEqual((redis.scheme, redis.hostname, redis.port, redis.path), ("rediss", "fd00::1", 6379, "/0"))
        self.assertEqual((redis.username, unquote(redis.password or "")), ("", password))
        self.assertEqual(redis.query, "ssl_cert_reqs=required&ssl_ca_certs=/etc/orcheo/authority/ca.crt")

    def test_a_silent_postgres_is_given_up_within_seconds(self) -> None:
        own = {"sslmode": "verify-full", "connect_timeout": "3", "keepalives_idle": "60"}
        for dsn, added in (
            ("postgresql://o:pw@db/o", environment.SILENCE),
            (f"postgresql://o:pw@db/o?{urlencode(own)}", environment.SILENCE | own),
            (f"postgresql://o:pw@db/o?{urlencode(environment.SILENCE)}", environment.SILENCE),
        ):
            environ = {"ORCHEO_POSTGRES_DSN": dsn}
            environment.limit_silence(environ)
            url = urlsplit(environ["ORCHEO_POSTGRES_DSN"])
            self.assertEqual(sorted(parse_qsl(url.query)), sorted(added.items()))
            self.assertTrue(environ["ORCHEO_POSTGRES_DSN"].startswith(dsn))
        empty: dict[str, str] = {}
        environment.limit_silence(empty)
        self.assertEqual(empty, {})

    def test_a_cache_without_tls(self) -> None:
        environ, _ = self.read({"redis-password": "pw"}, ORCHEO_REDIS_HOST="cache", ORCHEO_REDIS_TLS="false")
        self.assertEqual(environ["REDIS_URL"], "redis://:pw@cache:6379/0")

    def test_the_whole_and_parts_are_refused(self) -> None:
        for files, environ in (
            ({"postgres-dsn": GOOD["ORCHEO_POSTGRES_DSN"], "postgres-password": "s3cret"}, {}),
            ({"postgres-dsn": GOOD["ORCHEO_POSTGRES_DSN"]}, {"ORCHEO_POSTGRES_HOST": "db"}),
            ({"redis-password": "s3cret"}, {"REDIS_URL": "redis://c"}),
        ):
            for left in self.directory.iterdir():
                left.unlink()
            _, problems = self.read(files, **environ)
            self.assertEqual(len(problems), 1, files)
            self.assertIn("as a whole and in parts", problems[0])
            self.assertNotIn("s3cret", problems[0])

    def test_missing_parts(self) -> None:
        self.assertIn("ORCHEO_POSTGRES_HOST is missing", self.read({"postgres-password": "x"})[1][0])
        (self.directory / "postgres-password").unlink()
        _, problems = self.read({}, ORCHEO_POSTGRES_HOST="db")
        self.assertEqual(
            problems,
            [
                "the password for ORCHEO_POSTGRES_HOST is missing: mount the secret file "
                f"{self.directory / 'postgres-password'}"
            ],
        )
