"""Tokens of an OpenID provider: keys by discovery, a tolerance for clocks, and 401 for whatever is not meant for this API.

Orcheo itself takes the address of the keys only, looks at them again after five minutes at the earliest (until then a
token signed with a new key is answered with 503), knows no tolerance, and answers 403 or 503 to tokens of others.
"""

import asyncio
import logging
import os
import time
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

DISCOVERY = "/.well-known/openid-configuration"
# An unknown key may be new: the issuer is asked again, and no more often than this, whoever sends such tokens.
RETRY_SECONDS = 10
# While the issuer is away its last keys go on, and it is asked again after this time.
STALE_SECONDS = 30
# A process without any keys asks again after this time, and after twice as long each time, up to STALE_SECONDS.
FIRST_SECONDS = 1
NOT_FOR_US = ("auth.invalid_audience", "auth.invalid_issuer")
logger = logging.getLogger("orcheo_runtime.sign_in")


def keys_address(document: Any, issuer: str) -> str:
    """`jwks_uri` of a discovery document; ValueError when it is another issuer's or has none."""
    found = document.get("issuer") if isinstance(document, Mapping) else None
    # Orcheo 0.46 drops a slash at the end, and compares without it.
    if not isinstance(found, str) or found.rstrip("/") != issuer.rstrip("/"):
        raise ValueError(f"the discovery document is one of {found!r}, not of {issuer!r}")
    address = document.get("jwks_uri")
    if not isinstance(address, str) or not address.startswith("https://"):
        raise ValueError(f"the discovery document has the jwks_uri {address!r}; an https:// URL is needed")
    return address


def with_leeway(jwt: Any, seconds: int) -> SimpleNamespace:
    """PyJWT, which compares the times of tokens with a tolerance."""

    def decode(*arguments: Any, **more: Any) -> Any:
        return jwt.decode(*arguments, leeway=seconds, **more)

    return SimpleNamespace(decode=decode, get_unverified_header=jwt.get_unverified_header)


def follow_discovery(authenticator: Any, module: Any) -> None:
    """Keys from where the discovery document says; the last ones while the issuer is away."""
    plain = authenticator._fetch_jwks

    async def fetch(self: Any) -> tuple[list[Mapping[str, Any]], int | None]:
        address: str = self._settings.jwks_url
        try:
            if address.endswith(DISCOVERY):
                async with module.httpx.AsyncClient(timeout=self._settings.jwks_timeout) as client:
                    response = await client.get(address)
                    response.raise_for_status()
                    keys_url = keys_address(response.json(), self._settings.issuer or address.removesuffix(DISCOVERY))
                    response = await client.get(keys_url)
                response.raise_for_status()
                found = [dict(key) for key in response.json().get("keys", []) if isinstance(key, Mapping)]
                ttl = module._parse_max_age(response.headers.get("Cache-Control"))
            else:
                found, ttl = await plain(self)
        except (module.httpx.HTTPError, ValueError) as problem:
            logger.warning("the issuer's keys cannot be read at %s: %s", address, problem)
            known: list[Mapping[str, Any]] = getattr(self, "_last_keys", [])
            if known:
                return known, STALE_SECONDS
            raise module.AuthenticationError(
                "The identity provider does not answer", code="auth.provider_unavailable", status_code=503
            ) from problem
        self._last_keys = found
        return found, ttl

    authenticator._fetch_jwks = fetch


def look_again(authenticator: Any, module: Any) -> None:
    """A token with an unknown key: the issuer may have a new one, else the token is none of its own."""
    plain = authenticator._resolve_signing_key_impl

    async def resolve(self: Any, header: Mapping[str, Any]) -> Any:
        key = await plain(self, header)
        cache = self._jwks_cache
        if key is None and cache is not None and time.monotonic() - getattr(self, "_looked", -RETRY_SECONDS) >= RETRY_SECONDS:
            self._looked = time.monotonic()
            cache._expires_at = None
            key = await plain(self, header)
        if key is None:
            raise module.AuthenticationError("Bearer token is signed with an unknown key", code="auth.invalid_token")
        return key

    authenticator._resolve_signing_key_impl = resolve


def answer_401(authenticator: Any, module: Any) -> None:
    """RFC 6750: a token for someone else is an invalid one, not a forbidden request; the canvas then signs in again."""
    plain = authenticator._decode_claims

    def decode(self: Any, token: str, key: Any) -> Any:
        try:
            return plain(self, token, key)
        except module.AuthenticationError as refused:
            if refused.code in NOT_FOR_US:
                refused.status_code = 401
            raise

    authenticator._decode_claims = decode


def improve(module: Any, skew_seconds: int) -> None:
    """Changes `orcheo_backend.app.authentication.jwt_authenticator`, before anything makes an authenticator."""
    for change in (follow_discovery, look_again, answer_401):
        change(module.JWTAuthenticator, module)
    module.jwt = with_leeway(module.jwt, skew_seconds)


async def first_keys() -> None:
    """Reads the keys as soon as the process starts, and tries until it has some: without an issuer there is nothing to read.

    Otherwise the first request with a token would read them, and be answered with 503 if the issuer was away at that moment.
    """
    if not os.environ.get("ORCHEO_AUTH_ISSUER"):
        return
    from orcheo_backend.app.authentication import AuthenticationError, get_authenticator

    cache = get_authenticator()._jwt_authenticator.jwks_cache
    pause = FIRST_SECONDS
    while cache is not None:
        try:
            await cache.keys()
        except AuthenticationError:
            await asyncio.sleep(pause)
            pause = min(2 * pause, STALE_SECONDS)
        else:
            return


def install() -> None:
    """Does nothing without an issuer."""
    if not os.environ.get("ORCHEO_AUTH_ISSUER"):
        return
    from orcheo_backend.app.authentication import jwt_authenticator

    improve(jwt_authenticator, int(os.environ.get("ORCHEO_AUTH_CLOCK_SKEW_SECONDS") or "0"))
