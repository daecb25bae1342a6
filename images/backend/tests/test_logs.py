"""Lines of the log: form and secrets."""

import contextvars
import io
import json
import logging
import os
import unittest
from subprocess import run
from sys import executable, exc_info
from pathlib import Path
from typing import Any

from orcheo_runtime import logs, request_ids

HERE = Path(__file__).parents[1]
SECRETS = {
    "ORCHEO_POSTGRES_DSN": "postgresql://orcheo:p%40ss%2Fword%22x@db:5432/orcheo",
    "ORCHEO_AUTH_BOOTSTRAP_SERVICE_TOKEN": 'boot"strap\\token',
    "ORCHEO_SMTP_PASSWORD": "short",
    "ORCHEO_CORS_ALLOW_ORIGINS": "https://orcheo.example",
}


def line(message: object, *args: object, console: bool = False, **attributes: Any) -> str:
    record = logging.LogRecord("orcheo.x", logging.WARNING, "", 0, message, args, attributes.pop("exc_info", None))
    vars(record).update(attributes)
    return logs.Formatter(SECRETS | ({"ORCHEO_LOG_FORMAT": "console"} if console else {})).format(record)


class Form(unittest.TestCase):
    def test_time_level_logger_and_message(self) -> None:
        found = json.loads(line("a %s\nb", "é"))
        self.assertRegex(found.pop("time"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(found, {"level": "WARNING", "logger": "orcheo.x", "message": "a é\nb"})

    def test_an_exception_keeps_its_traceback_on_the_same_line(self) -> None:
        try:
            raise ValueError("boom")
        except ValueError:
            text = line("failed", exc_info=exc_info())
        self.assertNotIn("\n", text)
        exception = json.loads(text)["exception"]
        self.assertIn("Traceback", exception)
        self.assertTrue(exception.endswith("ValueError: boom"))

    def test_extra_fields(self) -> None:
        self.assertEqual(json.loads(line("m", run=1, color_message="x"))["extra"], {"run": "1"})

    def test_what_an_answered_request_was(self) -> None:
        record = logging.LogRecord(
            "uvicorn.access", logging.INFO, "", 0, '%s - "%s %s HTTP/%s" %d', ("10.0.0.1:5", "GET", "/x?token=abc1", "1.1", 200), None
        )
        found = json.loads(logs.Formatter({}).format(record))
        self.assertEqual(found.pop("message"), '10.0.0.1:5 - "GET /x?token=*** HTTP/1.1" 200')
        self.assertEqual({name: found[name] for name in ("client", "method", "path", "status")}, {"client": "10.0.0.1:5", "method": "GET", "path": "/x", "status": 200})

    def test_where_it_comes_from(self) -> None:
        def said() -> dict[str, Any]:
            request_ids.request.set("request-1")
            request_ids.run.set("run-1")
            return dict(json.loads(line("m")))

        found = contextvars.copy_context().run(said)
        self.assertEqual((found["request"], found["run"]), ("request-1", "run-1"))
        self.assertNotIn("request", json.loads(line("m")))

    def test_for_a_terminal(self) -> None:
        self.assertRegex(line("hello", console=True), r"^\S+Z WARNING orcheo\.x: hello$")


class Redaction(unittest.TestCase):
    def test_nothing_secret_passes(self) -> None:
        for said, kept in (
            ('"GET /ws/workflow/1?access_token=abc.def&x=1"', '"GET /ws/workflow/1?access_token=***&x=1"'),
            ("Authorization: Bearer abc.def-_1=", "Authorization: Bearer ***"),
            ("subprotocols orcheo-auth, bearer.abc.def", "subprotocols orcheo-auth, bearer.***"),
            ("to redis://user:pa$$@cache/0 now", "to redis://user:***@cache/0 now"),
            ("dsn postgresql://orcheo:p%40ss%2Fword%22x@db:5432/orcheo", "dsn ***"),
            ('password p@ss/word"x wrong', "password *** wrong"),
            ('token boot"strap\\token', "token ***"),
            (repr('boot"strap\\token'), "'***'"),
            (json.dumps({"t": 'boot"strap\\token'}), '{"t": "***"}'),
        ):
            self.assertEqual(json.loads(line(said))["message"], kept)
            self.assertEqual(json.loads(line("%s", said))["message"], kept)

    def test_in_exceptions_and_extra_fields_too(self) -> None:
        try:
            raise ValueError('p@ss/word"x')
        except ValueError:
            text = line("m", exc_info=exc_info(), dsn=SECRETS["ORCHEO_POSTGRES_DSN"])
        self.assertEqual(json.loads(text)["extra"], {"dsn": "***"})
        self.assertTrue(json.loads(text)["exception"].endswith("ValueError: ***"))

    def test_harmless_words_stay(self) -> None:
        said = "a short line about https://orcheo.example:8443/x and bearer"
        self.assertEqual(json.loads(line(said))["message"], said)


class Process(unittest.TestCase):
    def test_all_that_is_said_is_json_on_stdout(self) -> None:
        script = """
import logging, sys, threading, warnings
from orcheo_runtime import logs, request_ids
logs.install()
logging.root.handlers[:] = [logging.StreamHandler()]
logging.warning("someone else took over")
logs.install()
print("printed"); print("half", end=""); print(" a line", file=sys.stdout); sys.stderr.write("to stderr\\n")
logging.getLogger("httpx").info("not said"); logging.getLogger("celery.worker").info("said")
warnings.warn("old")
thread = threading.Thread(target=lambda: 1 / 0); thread.start(); thread.join()
raise RuntimeError("end")
"""
        ended = run(
            [executable, "-c", script],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(HERE)},
            capture_output=True,
            text=True,
            timeout=30,
        )
        self.assertEqual((ended.returncode, ended.stderr), (1, ""))
        lines = [json.loads(text) for text in ended.stdout.splitlines()]
        self.assertEqual(
            [(entry["level"], entry["logger"]) for entry in lines],
            [
                ("WARNING", "stderr"),
                ("INFO", "stdout"),
                ("INFO", "stdout"),
                ("WARNING", "stderr"),
                ("INFO", "celery.worker"),
                ("WARNING", "py.warnings"),
                ("CRITICAL", "orcheo_runtime"),
                ("CRITICAL", "orcheo_runtime"),
            ],
        )
        self.assertEqual(lines[2]["message"], "half a line")
        self.assertTrue(lines[-1]["exception"].endswith("RuntimeError: end"))


class Streams(unittest.TestCase):
    def test_threads_and_empty_lines(self) -> None:
        said = io.StringIO()
        handler = logging.StreamHandler(said)
        stream = logs.Lines(handler, "stdout", logging.INFO)
        self.assertEqual(stream.write("one\n\ntw"), 7)
        stream.write("o\n")
        self.assertEqual(said.getvalue(), "one\ntwo\n")
