"""Which database the initialisation takes."""

import os
import tempfile
import time
import unittest
from typing import Any
from unittest.mock import patch

from orcheo_runtime import init, last_words


class Database:
    """Answers the three questions that tell a generation."""

    def __init__(self, stamps: list[tuple[str]] | None, tables: dict[str, bool]) -> None:
        self.stamps = stamps
        self.tables = tables

    def execute(self, question: str) -> Any:
        if "to_regclass" in question:
            return Rows([(self.stamps is not None,)])
        if "orcheo_deploy.release" in question:
            return Rows(self.stamps or [])
        if question == init.OLDEST_TABLES:
            return Rows(list(self.tables.items()))
        raise AssertionError(question)


class Rows:
    def __init__(self, rows: list[Any]) -> None:
        self.rows = rows

    def fetchone(self) -> Any:
        return self.rows[0] if self.rows else None

    def fetchall(self) -> list[Any]:
        return self.rows


class Generations(unittest.TestCase):
    def told(self, stamps: list[tuple[str]] | None, **tables: bool) -> str | None:
        found, _ = init.generation_of(Database(stamps, tables))  # type: ignore[arg-type]
        return found

    def test_an_empty_database_belongs_to_nobody(self) -> None:
        self.assertIsNone(self.told(None))
        self.assertIsNone(self.told([]))

    def test_the_record_decides(self) -> None:
        self.assertEqual(self.told([("0.46",)], workflows=False), "0.46")

    def test_without_a_record_the_tables_do(self) -> None:
        self.assertEqual(self.told(None, workflows=False, service_tokens=False), "0.33")
        self.assertEqual(self.told(None, workflows=True, service_tokens=True), "0.46")
        # A first start of 0.33 that broke off early.
        self.assertEqual(self.told([], service_tokens=False), "0.33")


class Accounts(unittest.TestCase):
    def test_a_success_is_told_in_one_line(self) -> None:
        first = init.account("0.33 (orcheo 0.33.1)", None, 0, 37, 14.2)
        self.assertEqual(
            first,
            "Orcheo 0.33 (orcheo 0.33.1): the database is ready, after 14 s. It was empty; 37 tables were created, 37 are "
            "there; the vault key is the one of this database.",
        )
        again = init.account("0.33 (orcheo 0.33.1)", "0.33", 37, 37, 9.9)
        self.assertIn("It held Orcheo 0.33; its 37 tables were complete;", again)

    def test_the_reason_of_a_refusal_is_left_for_the_pods_status_without_secrets(self) -> None:
        with tempfile.NamedTemporaryFile() as file, patch.object(last_words, "FILE", file.name):
            os.truncate(file.name, 0)
            file.write(b"of an earlier attempt, which was a good deal longer than that")
            file.flush()
            with patch.dict(os.environ, {"REDIS_URL": "rediss://:correct horse@valkey"}), self.assertLogs("orcheo_runtime.init"):
                self.assertEqual(init.refused("no:\n rediss://:correct horse@valkey", 78), 78)
            with open(file.name, encoding="utf8") as left:
                self.assertEqual(left.read(), "no: ***")
            last_words.leave("é" * 4000)
            self.assertLessEqual(os.path.getsize(file.name), last_words.MOST_BYTES)

    def test_outside_of_kubernetes_nothing_is_left(self) -> None:
        with tempfile.TemporaryDirectory() as folder, patch.object(last_words, "FILE", f"{folder}/none"):
            last_words.leave("done")
            self.assertEqual(os.listdir(folder), [])


class Lock(unittest.TestCase):
    def test_it_is_asked_for_again_and_never_waited_for_inside_postgres(self) -> None:
        answers = iter([(False,), (False,), (True,)])
        asked: list[str] = []

        class Session:
            def execute(self, question: str, *, prepare: bool | None = None) -> Any:
                asked.append(question)
                # A snapshot that stays would let CREATE INDEX CONCURRENTLY wait for this transaction, and this for that.
                return Rows([next(answers)] if prepare is False else [])

        with patch.object(time, "sleep") as slept, self.assertLogs("orcheo_runtime.init"):
            init.lock(Session())  # type: ignore[arg-type]
        # For as long as it takes, and of the transaction: behind a pooler a session is not this client's alone.
        self.assertEqual(asked.pop(0), "SELECT set_config('idle_in_transaction_session_timeout', '0', true)")
        self.assertEqual((len(asked), slept.call_count), (3, 2))
        self.assertEqual(set(asked), {f"SELECT pg_try_advisory_xact_lock({init.LOCK_KEY})"})


class Refusals(unittest.TestCase):
    def test_the_same_and_an_empty_one_are_taken(self) -> None:
        self.assertIsNone(init.refusal("0.33", None, ""))
        self.assertIsNone(init.refusal("0.46", "0.46", ""))

    def test_another_is_refused_with_what_to_do_first(self) -> None:
        for mine, found in (("0.33", "0.46"), ("0.46", "0.33")):
            reason = init.refusal(mine, found, "its tables workflows") or ""
            self.assertIn(f"belongs to Orcheo {found} (detected by its tables workflows); this image is Orcheo {mine}", reason)
            self.assertIn("nothing was changed. Do this first: 1. keep this database", reason)
