"""What is removed from log lines: a corpus of personal data and secrets, and one of innocent lines that look like them.

Nothing here belongs to anybody: numbers are those that are set aside for examples, or have their check digits only.
"""

import itertools
import json
import time
import unittest
from collections.abc import Iterator

from orcheo_runtime.redact import Redactor

redact = Redactor(["a-known-secret"])

EMAILS = (
    "ada@example.com", "ada.lovelace+orcheo@mail.example.co.uk", "A_B-C'd@sub-domain.example.org", "x@example.museum",
    "ada%40example.com", "1234@example.de", "first.last@xn--bcher-kva.example",
)
PHONES = (
    "+49 30 901820", "+1 415-555-0132", "+1 (415) 555-0132", "+442079460958", "0049 30 901820 12", "(415) 555-0132",
    "415-555-0132", "415.555.0132", "1-800-555-0199", "030 90182012", "0171/23456789", "020 7946 0958", "01 23 45 67 89",
    "+33 1 23 45 67 89", "+81-3-1234-5678", "089 / 12345678", "0151-23456789",
)
ACCOUNTS = (
    "DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "GB82 WEST 1234 5698 7654 32", "gb82west12345698765432",
    "FR1420041010050500013M02606", "NL91ABNA0417164300", "CH9300762011623852957", "NO9386011117947",
)
CARDS = (
    "4111111111111111", "4111 1111 1111 1111", "4111-1111-1111-1111", "5555555555554444", "378282246310005",
    "3782 822463 10005", "6011111111111117", "30569309025904", "3530111333300000", "2223003122003222", "4222222222222",
)
JWT = ".".join(("eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiIxIn0", "c2lnbmF0dXJlLW9mLW5vYm9keQ"))
CREDENTIALS = (
    JWT, "AKIA" + "IOSFODNN7EXAMPLE", "ghp_" + "a1B2" * 9, "sk-" + "a1B2" * 8, "glpat-" + "a1B2" * 5, "xoxb-" + "1234567890-abc",
    "a-known-secret", "$2b$12$" + "a" * 53,
)
HEADERS = (
    "Authorization: Basic {}", "authorization: Bearer {}", "'Authorization': 'Token {}'", "(b'authorization', b'ApiKey {}')",
    '"x-api-key": "{}"', "X-Auth-Token: {}", "Cookie: session={}; theme=dark", "set-cookie: sid={}; HttpOnly",
    "Proxy-Authorization: Basic {}", "sent Basic {} to it", "Bearer {} is unknown", "Authorization: {}", "subprotocols orcheo-auth, bearer.{}", "headers={{'cookie': 'sid={}'}}",
)
VALUES = ("dXNlcjpwYXNz", "c2VjcmV0OjEyMzQ1", "9f86d081884c7d65", "Zm9vOmJhcjE=")
ASSIGNED = (
    "password={}", '"password": "{}"', "'client_secret': '{}'", "--api-key={}", "POST /login?token={}&next=/", "secret = x, api_key={}",
    "DB_PASSWORD={}", "{{'refresh_token': '{}', 'n': 1}}", "password: {}", "AccountKey={};EndpointSuffix=x", "/callback?code={}&state=1",
)
URLS = ("postgresql://orcheo:{}@db:5432/orcheo", "redis://:{}@cache/0", "https://me:{}@git.example/x", "amqp://u:{}@h")
PASSWORDS = ("pa55w/rd", "hunter2:x", "p%40ss", "longer-than-that")

AROUND = ("{}", "mail to {} failed", "user={} denied", '{{"who": "{}"}}', "ValueError: bad value '{}'", "({})", "{}, then", "to <{}>.")

INNOCENT = (
    '10.244.0.12:52114 - "GET /api/workflows/550e8400-e29b-41d4-a716-446655440000/runs?limit=20&offset=40 HTTP/1.1" 200',
    '[2001:db8::12]:52114 - "POST /api/runs HTTP/1.1" 202', "connection open", "WebSocket /ws/workflow/7c9e6679-7425-40de-944b-e07fc1f90ae7",
    "Task orcheo_backend.worker.tasks.execute_run[7f1d1c2e-0b3a-4d8e-9a41-3c1b52f1d0aa] received",
    "Task execute_run[7f1d1c2e-0b3a-4d8e-9a41-3c1b52f1d0aa] succeeded in 1.2345678901234567s: None",
    "celery@orcheo-worker-6c7f9d5b4-x2x9k ready.", "celery@ip-10-0-12-34.eu-central-1.compute.internal ready.",
    "Scheduler: Sending due task dispatch-cron-triggers (orcheo_backend.worker.tasks.dispatch_cron_triggers)",
    "2026-11-28 08:49:13,123 started", "2026-11-28T08:49:13.123456+00:00", "28.11.2026 08:49:13", "11/28/2026 08:49:13 PM",
    "epoch 1764319753", "epoch 1764319753123 ms", "1764319753123456789 ns", "took 0.000123456789 s", "offset +0100", "GMT+02:00",
    "image sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "commit 68e2678a9b0c1d2e3f405162738495a6b7c8d9e0",
    "etag d41d8cd98f00b204e9800998ecf8427e", "trace 4bf92f3577b34da6a3ce929d0e0e4736", "pid 12345, ppid 1", "uid=1000(orcheo) gid=1000",
    "listening on 0.0.0.0:8443 and [::]:8443", "10.96.0.1:443, 192.168.1.254, 127.0.0.1", "node 10.0.12.34 port 30443", "mac 02:42:ac:11:00:02",
    "postgres 17.12 (Debian 17.12-1.pgdg13+1)", "uvicorn 0.54.0, fastapi 0.165.0, python 3.13.5", "v2.0.0-20250806165243-bee5e4fa4815",
    "1,234,567 rows in 12.5 s (98,765 rows/s)", "used 1234567890 of 5000000000 bytes", "12345678901234 keys", "exit code=137 state=OOMKilled",
    "cron 0 3 * * 1-5 of Europe/Berlin", "retry 3/10 in 30 s", "HTTP/1.1 503 Service Unavailable", "0 of 1234567 requests failed",
    "git@github.com:AI-Colleagues/orcheo.git", "npm package @pulumi/kubernetes@4.25.0", "@app.get decorator", "user@host without a domain",
    "the password is wrong", "password: incorrect", "password authentication failed for user \"orcheo\"", "token: expired", "secret: not found",
    "authorization: required", "Authorization header is missing", "no cookie, no session", "token expired at 2026-11-28T08:49:13Z",
    "max_tokens=4096 temperature=0.2", "total_tokens=1234567", "token_type=bearer", "DB_PASSWORD_FILE=/run/secrets/db-password",
    "key=orders:2026:11", "cache key 0123456789abcdef", "public_key_path=/etc/keys/a.pub", "api_key=None", "password=***", '"token": null',
    "secrets from /run/secrets/orcheo", "https://orcheo.example:8443/x?tab=2", "postgresql://db:5432/orcheo", "redis://cache:6379/0",
    'File "/opt/orcheo/lib/python3.13/site-packages/psycopg/connection.py", line 117, in connect', "Traceback (most recent call last):",
    "psycopg.errors.UndefinedTable: relation \"workflow_runs\" does not exist", "LINE 1: SELECT 1 FROM x WHERE id = $1", "KeyError: 'nodes'",
    "workflow wf_01HZX3K5T9Q2M8N7V6B4C1D0EF saved", "node step-12 of 345 done", "range 0-1048575/146515", "model gpt-4.1-mini, 3 messages",
    "version 0.46.0 build 20261128", "temperature 21.5, humidity 0.55", "ratio 3.14159265358979", "x = [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144]",
    "matrix 0.1 0.2 0.3 0.4 0.5", "sizes 640x480 1024x768", "2026-11-28 0 errors", "limits: cpu=500m memory=1Gi pids=256",
    "bearer of bad news", "Bearer authentication failed", 'www-authenticate: Bearer realm="orcheo"', "bearer authentication is required", "basic auth is off", "a basic 2 step flow", "Secret `api-tls` is mounted", "AB12 is a short code", 'set backend.env: {ORCHEO_VAULT_DROP_CREDENTIALS: "0123456789ab"} for one update', "lease 12 of run 34 renewed",
)


def sensitive() -> Iterator[tuple[str, str]]:
    """Lines, and what must not be left of each."""
    for value in itertools.chain(EMAILS, PHONES, ACCOUNTS, CARDS, CREDENTIALS):
        for around in AROUND:
            yield around.format(value), value
    for form, value in itertools.chain(itertools.product(HEADERS + ASSIGNED, VALUES), itertools.product(URLS, PASSWORDS)):
        yield form.format(value), value


class Corpus(unittest.TestCase):
    def test_nothing_secret_or_personal_is_left(self) -> None:
        lines = list(sensitive())
        self.assertGreater(len(lines), 450)
        leaks = [(line, redact(line)) for line, value in lines if value in redact(line)]
        self.assertEqual(leaks, [])

    def test_the_rest_of_the_line_stays(self) -> None:
        for value in itertools.chain(EMAILS, PHONES, ACCOUNTS, CARDS, CREDENTIALS):
            self.assertEqual(redact(f"before [{value}] after"), "before [***] after")
        self.assertEqual(redact("redis://:pa55@cache/0 is away"), "redis://:***@cache/0 is away")
        self.assertEqual(redact('"GET /ws?access_token=abc.def&x=1"'), '"GET /ws?access_token=***&x=1"')

    def test_innocent_lines_stay_as_they_are(self) -> None:
        self.assertGreater(len(INNOCENT), 89)
        self.assertEqual([(line, redact(line)) for line in INNOCENT if redact(line) != line], [])

    def test_numbers_with_other_check_digits_stay(self) -> None:
        for wrong in ("4111111111111112", "DE88370400440532013000", "GB83 WEST 1234 5698 7654 32"):
            self.assertEqual(redact(f"number {wrong} x"), f"number {wrong} x")

    def test_a_private_key_goes_with_all_its_lines(self) -> None:
        for end in ("\n-----END EC PRIVATE KEY-----\nafter", ""):
            self.assertNotIn("MHcC", redact(f"key\n-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIA\nMHcCAQEEIB{end}"))

    def test_what_is_redacted_stays_the_same_when_redacted_again(self) -> None:
        for line, _ in sensitive():
            self.assertEqual(redact(redact(line)), redact(line))

    def test_long_lines_take_time_in_proportion(self) -> None:
        for piece in ("a", "1", "1 ", "a@", "=", ":", "a=", '"', "'", "\\", "eyJ", "x.", "+1", "0 ", "://", "AB12", "bearer ", "token=", "-"):
            line = (piece * 20_000)[:20_000]
            started = time.process_time()
            redact(line)
            self.assertLess(time.process_time() - started, 2, json.dumps(piece))
