"""Which tokens of an OpenID provider are taken, and what the others are answered."""

import asyncio
import os
import sys
import unittest
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, ClassVar
from unittest.mock import patch

from orcheo_runtime import sign_in

ISSUER = "https://id.example.com/team"


class RefusedError(Exception):
    """As Orcheo's AuthenticationError."""

    def __init__(self, message: str, code: str, status_code: int = 401) -> None:
        """Its fields."""
        super().__init__(message)
        self.code = code
        self.status_code = status_code


class UnreachableError(Exception):
    """As httpx.HTTPError."""


class Client:
    """As httpx.AsyncClient: answers what the test wrote down, and keeps what it was asked for."""

    answers: ClassVar[dict[str, Any]] = {}
    asked: ClassVar[list[str]] = []

    def __init__(self, **_: Any) -> None:
        """Any timeout."""

    async def __aenter__(self) -> "Client":
        """Opened."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closed."""

    async def get(self, url: str) -> Any:
        """An answer, or no connection."""
        Client.asked.append(url)
        if url not in Client.answers:
            raise UnreachableError("connection refused")
        return SimpleNamespace(raise_for_status=lambda: None, json=lambda: Client.answers[url], headers={"Cache-Control": "max-age=60"})


def module() -> Any:
    """Orcheo's module, as far as it is changed."""

    class Cache:
        def __init__(self, fetch: Any) -> None:
            self.fetch = fetch
            self._expires_at: Any = None
            self.known: list[Mapping[str, Any]] = []

        async def keys(self) -> list[Mapping[str, Any]]:
            if self._expires_at is None:
                self.known, _ = await self.fetch()
                self._expires_at = "later"
            return self.known

    class JWTAuthenticator:
        def __init__(self, url: str) -> None:
            self._settings = SimpleNamespace(jwks_url=url, jwks_timeout=5, issuer=ISSUER)
            self._jwks_cache = Cache(self._fetch_jwks)

        @property
        def jwks_cache(self) -> Cache:
            return self._jwks_cache

        async def _fetch_jwks(self) -> tuple[list[Mapping[str, Any]], int | None]:
            async with Client() as client:
                return (await client.get(self._settings.jwks_url)).json()["keys"], None

        async def _resolve_signing_key_impl(self, header: Mapping[str, Any]) -> Any:
            return next((key for key in await self._jwks_cache.keys() if key["kid"] == header["kid"]), None)

        def _decode_claims(self, token: str, _key: Any) -> Any:
            raise RefusedError("", token, 403)

    jwt = SimpleNamespace(decode=lambda *arguments, **more: (arguments, more), get_unverified_header=lambda token: token)
    changed = SimpleNamespace(
        JWTAuthenticator=JWTAuthenticator,
        AuthenticationError=RefusedError,
        httpx=SimpleNamespace(AsyncClient=Client, HTTPError=UnreachableError),
        jwt=jwt,
        _parse_max_age=lambda header: int(header.partition("=")[2]),
    )
    sign_in.improve(changed, 30)
    return changed


class SignIn(unittest.TestCase):
    """A provider that can be reached, and one that cannot."""

    def setUp(self) -> None:
        """A provider with one key."""
        Client.asked = []
        Client.answers = {
            f"{ISSUER}{sign_in.DISCOVERY}": {"issuer": ISSUER, "jwks_uri": "https://keys.example.com/jwks"},
            "https://keys.example.com/jwks": {"keys": [{"kid": "one"}, "no key"]},
        }
        self.module = module()
        self.authenticator = self.module.JWTAuthenticator(f"{ISSUER}{sign_in.DISCOVERY}")

    def key(self, kid: str) -> Any:
        """The key for a token's header."""
        return asyncio.run(self.authenticator._resolve_signing_key_impl({"kid": kid}))

    def test_keys_are_those_of_the_discovery_document(self) -> None:
        """And are not read again for each token."""
        self.assertEqual(self.key("one"), {"kid": "one"})
        self.key("one")
        self.assertEqual(Client.asked, list(Client.answers))

    def test_keys_at_an_address_need_no_discovery(self) -> None:
        """The address that the settings name."""
        self.authenticator = self.module.JWTAuthenticator("https://keys.example.com/jwks")
        self.assertEqual(self.key("one"), {"kid": "one"})
        self.assertEqual(Client.asked, ["https://keys.example.com/jwks"])

    def test_a_rotated_key_is_found_at_once(self) -> None:
        """Without waiting until the old ones expire."""
        self.key("one")
        Client.answers["https://keys.example.com/jwks"] = {"keys": [{"kid": "two"}]}
        self.assertEqual(self.key("two"), {"kid": "two"})

    def test_a_token_of_another_issuer_is_401_and_cannot_make_us_ask_for_ever(self) -> None:
        """Its key is unknown."""
        for _ in range(5):
            with self.assertRaises(RefusedError) as refused:
                self.key("somebody's")
            self.assertEqual((refused.exception.code, refused.exception.status_code), ("auth.invalid_token", 401))
        self.assertEqual(len(Client.asked), 4)

    def test_an_issuer_that_is_away(self) -> None:
        """The last keys go on; without any it is 503."""
        self.key("one")
        Client.answers = {}
        self.authenticator._jwks_cache._expires_at = None
        self.assertEqual(self.key("one"), {"kid": "one"})
        self.authenticator = self.module.JWTAuthenticator(f"{ISSUER}{sign_in.DISCOVERY}")
        with self.assertLogs("orcheo_runtime.sign_in", "WARNING"), self.assertRaises(RefusedError) as refused:
            self.key("one")
        self.assertEqual((refused.exception.code, refused.exception.status_code), ("auth.provider_unavailable", 503))

    def test_the_first_keys_are_read_before_the_first_token(self) -> None:
        """Again and again while the issuer is away; from then on the process outlives one that goes away."""
        pauses: list[int] = []

        async def pause(seconds: int) -> None:
            pauses.append(seconds)
            if len(pauses) == 3:
                Client.answers = answers

        answers, Client.answers = Client.answers, {}
        authenticator = SimpleNamespace(_jwt_authenticator=self.authenticator)
        orcheo = SimpleNamespace(AuthenticationError=RefusedError, get_authenticator=lambda: authenticator)
        with (
            patch.dict(os.environ, {"ORCHEO_AUTH_ISSUER": ISSUER}),
            patch.dict(sys.modules, {"orcheo_backend.app.authentication": orcheo}),
            patch.object(asyncio, "sleep", pause),
            self.assertLogs("orcheo_runtime.sign_in", "WARNING"),
        ):
            asyncio.run(sign_in.first_keys())
        self.assertEqual(pauses, [1, 2, 4])
        Client.answers = {}
        self.assertEqual(self.key("one"), {"kid": "one"})

    def test_a_discovery_document_of_somebody_else_is_not_followed(self) -> None:
        """Nor one with keys in clear."""
        for document in ({"issuer": "https://evil.example", "jwks_uri": "https://e/"}, {"issuer": ISSUER, "jwks_uri": "http://k/"}, []):
            with self.assertRaises(ValueError):
                sign_in.keys_address(document, ISSUER)
        self.assertEqual(sign_in.keys_address({"issuer": f"{ISSUER}/", "jwks_uri": "https://k/"}, ISSUER), "https://k/")

    def test_a_token_for_another_audience_is_401(self) -> None:
        """And other refusals stay as they are."""
        for code, status in (("auth.invalid_audience", 401), ("auth.invalid_issuer", 401), ("auth.else", 403)):
            with self.assertRaises(RefusedError) as refused:
                self.authenticator._decode_claims(code, None)
            self.assertEqual(refused.exception.status_code, status)

    def test_times_are_compared_with_a_tolerance(self) -> None:
        """Of the setting."""
        self.assertEqual(self.module.jwt.decode("token", "key", algorithms=["RS256"])[1]["leeway"], 30)

    def test_nothing_is_changed_without_an_issuer(self) -> None:
        """Orcheo is not even loaded."""
        with patch.dict(os.environ, clear=True):
            sign_in.install()
            asyncio.run(sign_in.first_keys())


if __name__ == "__main__":
    unittest.main()
