"""Which vault keys are taken, and what becomes of credentials that a key cannot read."""

import contextlib
import json
import unittest
from collections.abc import Iterator
from typing import Any

from orcheo_runtime import environment, vault

from tests.test_init import Rows


class Key:
    """A cipher whose ciphertext says which key made it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def encrypt(self, text: str) -> str:
        return f"{self.name}:{text}"

    def reads(self, ciphertext: str, algorithm: str | None = None) -> bool:
        return ciphertext.startswith(f"{self.name}:") and algorithm in (None, "aes")


class Database:
    """The tables that matter; `credentials` is None before there is a table."""

    def __init__(self, credentials: dict[str, tuple[str, str | None]] | None, canary: str | None = None) -> None:
        self.credentials = credentials
        self.canary = canary

    def execute(self, question: str, values: tuple[Any, ...] = ()) -> Rows:
        if "to_regclass" in question:
            there = {"credentials": self.credentials is not None, "orcheo_deploy.vault_canary": self.canary is not None}
            return Rows([(there[values[0]],)])
        if question == vault.CREDENTIALS:
            return Rows([(name, *stored) for name, stored in sorted((self.credentials or {}).items())])
        if question == "SELECT ciphertext FROM orcheo_deploy.vault_canary":
            return Rows([(self.canary,)])
        if question.startswith("DELETE FROM credentials"):
            self.credentials = {name: at for name, at in (self.credentials or {}).items() if name not in values[0]}
        elif question.startswith("DROP TABLE"):
            self.canary = None
        elif question.startswith("INSERT"):
            self.canary = values[0]
        elif question != vault.TABLE:
            raise AssertionError(question)
        return Rows([])

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        yield


def settled(database: Database, key: str, agreed: str = "") -> str | None:
    return vault.settle(database, Key(key), agreed)  # type: ignore[arg-type]


def mark_of(reason: str | None) -> str:
    return (reason or "").split(f'{vault.DROP}: "')[1].split('"')[0]


class Keys(unittest.TestCase):
    def test_an_empty_database_takes_the_first_key_and_then_no_other(self) -> None:
        for empty in (Database(None), Database({})):
            self.assertIsNone(settled(empty, "old"))
            self.assertIsNone(settled(empty, "old"))
            self.assertIn("0 of 0 stored credentials", settled(empty, "new") or "")
            self.assertTrue((empty.canary or "").startswith("old:"))

    def test_credentials_from_before_there_was_a_canary_decide(self) -> None:
        database = Database({"a": ("aes", "old:x"), "b": ("aes", "old:y")})
        self.assertIn("2 of 2 stored credentials cannot be read", settled(database, "new") or "")
        self.assertIsNone(database.canary)
        self.assertIsNone(settled(database, "old"))
        self.assertTrue((database.canary or "").startswith("old:"))

    def test_one_that_is_read_is_enough_and_the_others_are_counted(self) -> None:
        database = Database({"a": ("aes", "lost:x"), "b": ("aes", "old:y"), "c": ("other", "old:z"), "d": ("aes", None)})
        with self.assertLogs("orcheo_runtime.vault") as said:
            self.assertIsNone(settled(database, "old"))
        self.assertIn("3 of 4 stored credentials cannot be read", said.output[0])
        self.assertEqual(len(database.credentials or {}), 4)

    def test_the_way_out_is_in_the_refusal(self) -> None:
        reason = settled(Database({"a": ("aes", "old:hunter2")}, "old:canary"), "new") or ""
        for part in ("Nothing was changed", "`pulumi`", "`existing`", "`externalSecrets`", vault.RUNBOOK, "pods.init.extraEnv"):
            self.assertIn(part, reason)
        self.assertNotIn("hunter2", reason)

    def test_what_may_be_dropped_is_dropped_once(self) -> None:
        database = Database({"a": ("aes", "old:x"), "b": ("aes", "new:y")}, "old:canary")
        mark = mark_of(settled(database, "new"))
        self.assertIsNotNone(settled(database, "new", "000000000000"))
        self.assertIsNotNone(settled(database, "new", ""))
        with self.assertLogs("orcheo_runtime.vault"):
            self.assertIsNone(settled(database, "new", mark))
        self.assertEqual(database.credentials, {"b": ("aes", "new:y")})
        self.assertTrue((database.canary or "").startswith("new:"))
        # The setting stays in the configuration; it agrees to nothing else.
        self.assertIsNotNone(settled(database, "old", mark))
        self.assertEqual(database.credentials, {"b": ("aes", "new:y")})

    def test_so_it_is_without_a_canary(self) -> None:
        database = Database({"a": ("aes", "old:x")})
        mark = mark_of(settled(database, "new"))
        with self.assertLogs("orcheo_runtime.vault"):
            self.assertIsNone(settled(database, "new", mark))
        self.assertEqual(database.credentials, {})

    def test_the_setting_is_a_variable_of_the_image_in_both_releases(self) -> None:
        releases = json.loads((environment.DATA.parent / "releases.json").read_text(encoding="utf-8"))["releases"]
        for release in releases.values():
            self.assertEqual(environment.unknown_names({vault.DROP: "1"}, release["environment"], set()), [])
