"""The vault's key belongs to the credentials in the database: another key is refused before anything is changed.

Initialisation keeps a canary, a text encrypted with the key, in orcheo_deploy.vault_canary. A database that holds
credentials and no canary yet is asked for one that the key can read. API and worker check the canary when they start.
"""

import hashlib
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    import psycopg

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

KEY_ERROR = 78
# Names the data that may be dropped, as given in the refusal; no effect afterwards.
DROP = "ORCHEO_VAULT_DROP_CREDENTIALS"
RUNBOOK = "docs/runbooks/vault-key.md"
CANARY = "the vault key of this database"
TABLE = """
CREATE TABLE IF NOT EXISTS orcheo_deploy.vault_canary (
    the_only_one boolean PRIMARY KEY DEFAULT true CHECK (the_only_one),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ciphertext text NOT NULL
)
"""
CREDENTIALS = "SELECT id, payload->'encryption'->>'algorithm', payload->'encryption'->>'ciphertext' FROM credentials ORDER BY id"
logger = logging.getLogger("orcheo_runtime.vault")


class Cipher(Protocol):
    """Orcheo's cipher, with the configured key."""

    def encrypt(self, text: str) -> str:
        """Ciphertext as Orcheo stores it."""

    def reads(self, ciphertext: str, algorithm: str | None = None) -> bool:
        """Whether the key decrypts it; `algorithm` as Orcheo stores it, None for the cipher's own."""


class OrcheoCipher:
    """The key from Orcheo's settings, which is not always the text of the file."""

    def __init__(self) -> None:
        """Imports Orcheo."""
        from orcheo.config import get_settings
        from orcheo.models import AesGcmCredentialCipher, EncryptionEnvelope

        self.cipher = AesGcmCredentialCipher(key=str(get_settings().get("VAULT_ENCRYPTION_KEY")))
        self.envelope = EncryptionEnvelope

    def encrypt(self, text: str) -> str:
        """See Cipher."""
        return self.cipher.encrypt(text).ciphertext

    def reads(self, ciphertext: str, algorithm: str | None = None) -> bool:
        """See Cipher."""
        cipher = self.cipher
        stored = self.envelope(algorithm=algorithm or cipher.algorithm, key_id=cipher.key_id, ciphertext=ciphertext)
        try:
            stored.decrypt(cipher)
        except ValueError:
            return False
        return True


@dataclass(frozen=True)
class Contents:
    """Contents of the vault in the database."""

    # None: initialised by an older image, or never.
    canary: str | None
    # Id of a credential -> whether the key decrypts it.
    credentials: Mapping[str, bool]

    @property
    def unreadable(self) -> list[str]:
        """Credentials that the key cannot decrypt."""
        return [name for name, readable in self.credentials.items() if not readable]

    @property
    def mark(self) -> str:
        """Identifies this data: consent for one set does not apply to the next."""
        told = self.canary if self.canary is not None else "\n".join(self.credentials)
        return hashlib.sha256(told.encode()).hexdigest()[:12]


def exists(connection: "Connection", table: str) -> bool:
    """Whether the table exists."""
    return connection.execute("SELECT to_regclass(%s) IS NOT NULL", (table,)).fetchone() == (True,)


def canary_of(connection: "Connection") -> str | None:
    """The canary's ciphertext, None if it does not exist."""
    if not exists(connection, "orcheo_deploy.vault_canary"):
        return None
    row = connection.execute("SELECT ciphertext FROM orcheo_deploy.vault_canary").fetchone()
    return str(row[0]) if row else None


def contents(connection: "Connection", cipher: Cipher) -> Contents:
    """Reads the canary and tries to decrypt every credential."""
    rows = connection.execute(CREDENTIALS).fetchall() if exists(connection, "credentials") else []
    readable = {str(name): bool(text) and cipher.reads(str(text), algorithm) for name, algorithm, text in rows}
    return Contents(canary_of(connection), readable)


def accepted(found: Contents, cipher: Cipher) -> bool:
    """Whether the key belongs to the data: it decrypts the canary or, without a canary, at least one credential."""
    if found.canary is not None:
        return cipher.reads(found.canary)
    return not found.credentials or any(found.credentials.values())


def refusal(found: Contents) -> str:
    """The reason for the refusal, and both remedies."""
    lost = len(found.unreadable)
    return (
        f"The vault encryption key is not the one that this database was encrypted with: {lost} of "
        f"{len(found.credentials)} stored credentials cannot be read with it. Nothing was changed. Do one of these, as "
        f"{RUNBOOK} says: 1. Give the old key back. Where it is found: with secrets.kind `pulumi` in the stack's earlier "
        f"state (resource secrets-vault) and, while that is there, in the Secret backend-secret-…; with `existing` in "
        f"the earlier version of that Secret; with `externalSecrets` in the store's earlier version. 2. If it is lost "
        f"for good, drop the credentials that cannot be read, and enter them again: set "
        f'pods.init.extraEnv: {{ {DROP}: "{found.mark}" }} and update.'
    )


def settle(connection: "Connection", cipher: Cipher, agreed: str) -> str | None:
    """Ensures that a canary of this key exists; returns the reason if the key is refused. `agreed`: the value of DROP."""
    found = contents(connection, cipher)
    if not accepted(found, cipher):
        if agreed != found.mark:
            return refusal(found)
        with connection.transaction():
            if found.unreadable:
                connection.execute("DELETE FROM credentials WHERE id = ANY(%s)", (found.unreadable,))
            connection.execute("DROP TABLE IF EXISTS orcheo_deploy.vault_canary")
        logger.warning("%s: %d credentials that could not be read were dropped", DROP, len(found.unreadable))
        found = contents(connection, cipher)
    if found.unreadable:
        logger.warning(
            "%d of %d stored credentials cannot be read with the vault key: enter them again",
            len(found.unreadable),
            len(found.credentials),
        )
    if found.canary is None:
        connection.execute(TABLE)
        connection.execute("INSERT INTO orcheo_deploy.vault_canary (ciphertext) VALUES (%s)", (cipher.encrypt(CANARY),))
    return None


def leave_with_another_key() -> None:
    """Exits API or worker with 78 if the canary cannot be decrypted; without Postgres or a canary it continues."""
    import psycopg

    try:
        with psycopg.connect(
            os.environ["ORCHEO_POSTGRES_DSN"], connect_timeout=5, autocommit=True, application_name="orcheo-vault"
        ) as connection:
            canary = canary_of(connection)
    except psycopg.Error as error:
        logger.warning("the vault key was not checked: %s", str(error).strip())
        return
    if canary is not None and not OrcheoCipher().reads(canary):
        logger.error(
            "the vault encryption key is not the one that this database was encrypted with, so no stored credential "
            "could be decrypted: restore the old key (%s)",
            RUNBOOK,
        )
        raise SystemExit(KEY_ERROR)
