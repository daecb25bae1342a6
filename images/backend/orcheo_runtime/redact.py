"""Removes secrets and personal data from text before it is logged: by a secret's own value, its format or its name.

What formats and names of secrets look like is the policy pack's knowledge (policies/secrets.ts), which searches plain
configuration for them; secret_patterns.json is a copy that a test compares.
"""

import functools
import json
import re
from collections.abc import Iterable
from pathlib import Path

REMOVED = "***"
SEPARATORS = " \t\n\"'`=:;,.|/([{<&?#!@-"


def _python(source: str) -> str:
    """As the pack writes them, "(?i)" at the beginning is JavaScript's flag; Python knows it for a group."""
    return f"(?i:{source.removeprefix('(?i)')})" if source.startswith("(?i)") else source


PATTERNS = json.loads(Path(__file__).with_name("secret_patterns.json").read_text("utf-8"))
NAMES = {name: re.compile(_python(source)) for name, source in PATTERNS["names"].items()}
# Each with the rest of its token: the pack needs to see only where one begins.
FORMATS = [re.compile(rf"(?:{_python(source)})[\w+/=~$.-]*") for source in PATTERNS["formats"]]
PRIVATE_KEY = re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?(?:-----END \1-----|\Z)", re.DOTALL)
# A password may contain all but the @ that ends it.
USER_INFO = re.compile(r"(\b[a-z][a-z0-9+.-]{0,30}://[^\s:/@]*:)[^\s@]+(?=@)", re.IGNORECASE)
# A word of letters alone is one of a sentence, unless its case changes within; "Bearer" begins few sentences.
SCHEME = re.compile(
    r"(\b(?:bearer|basic|negotiate) )(?=[\w.~+/-]*(?:\d|(?-i:[a-z][A-Z])))[\w.~+/=-]{6,}"
    r"|(\b(?-i:Bearer) )(?!(?:auth\w+|realm|scope|error|tokens?)\b)[\w.~+/=-]{8,}"
    # In the subprotocol of a WebSocket.
    r"|(\bbearer\.)[\w~+/=-][\w.~+/=-]*",
    re.IGNORECASE,
)
HEADER = re.compile(
    r"((?:\b(?:proxy-)?authorization|\b(?:set-)?cookie|\bx-[a-z-]{0,30}(?:key|token|secret))[\"']?\s*[:=,]\s*(?:b?[\"'])?)(?!(?:[\w-]+\s+)?\*\*\*)"
    r"((?:(?:basic|bearer|digest|token|apikey|negotiate|aws4-hmac-sha256)\s+)?)([^\"'\n]*)",
    re.IGNORECASE,
)
# `NAME=value` and `"name": "value"`; after `name: ` mostly follows what is wrong with it, unless it is no word.
VALUE = r"\"(?:[^\"\\]|\\.)*\"?|'(?:[^'\\]|\\.)*'?|[^\s&,;\"')}\]]+"
ASSIGNED = re.compile(rf"(?<![\w.])([A-Za-z][\w.-]{{1,80}})(=|[\"']\s*[:=]\s*b?|:\s+(?=[^\s,;]*(?:\d|[a-z][A-Z]))(?=[^\s,;]{{6}}))({VALUE})")
# The value is a fingerprint, and what that line of the log is read for (vault.py).
PUBLIC = {"ORCHEO_VAULT_DROP_CREDENTIALS"}
# An OIDC code, in a query only: elsewhere a code is a status.
CODE = re.compile(r"([?&](?:code|state|nonce)=)[^&\s\"']+")
ADDRESS = re.compile(
    r"(?<![\w.%+'-])(?!git(?:@|%40))[\w.%+'-]{1,64}(?:@|%40)(?:[a-z0-9-]{1,63}\.){1,8}"
    # A host of a cluster or network is nobody's address.
    r"(?!(?:internal|local|localdomain|svc|cluster)(?![\w-]))[a-z]{2,24}(?![\w-]|\.\w)",
    re.IGNORECASE,
)
NUMBER = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-]|\.\d)")
ACCOUNT = re.compile(r"(?<![a-z0-9])[a-z]{2}\d{2}(?: ?[a-z0-9]{4}){2,7}(?: ?[a-z0-9]{1,3})?(?![a-z0-9])", re.IGNORECASE)
PHONE = re.compile(
    r"(?<![\w.+/:-])(?:"
    # With the code of a country, E.164.
    r"(?:\+|00(?=[1-9]\d{0,2}[ ().-]))[1-9](?:[ ().-]{0,2}\d){7,14}"
    # North America.
    r"|(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}[.-])\d{3}[.-]\d{4}|[2-9]\d\d [2-9]\d\d \d{4}"
    # With a code of an area that begins with 0.
    r"|\(?0\d{1,5}\)?(?: ?[/-] ?| )\d{2,8}(?:[ -]\d{2,8}){0,4}"
    r")(?![\w:/-]|\.\d)"
)
# What each of the slower searches cannot do without.
SPEAKS_OF_SECRETS = (*PATTERNS["anyName"].split("|"), "sig=", "basic", "negotiate", "code=", "state=", "nonce=")
LONG_WORD = re.compile(r"[\w+/=~$.:-]{16}|://|-----|\"")
LONG_NUMBER = re.compile(r"\d[\d ()./-]{6,}\d")


class Redactor:
    """Redacts lines. Compiled once; what it costs is in docs/logs.md."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """`secrets`: values that are removed wherever they stand, the longest first."""
        self.secrets = list(secrets)

    def __call__(self, text: str) -> str:
        """`text` with *** for whatever is secret or personal."""
        for secret in self.secrets:
            text = text.replace(secret, REMOVED)
        if "://" in text:
            text = USER_INFO.sub(rf"\1{REMOVED}", text)
        lower = text.lower()
        if any(word in lower for word in SPEAKS_OF_SECRETS):
            text = _without_named(text)
        if LONG_WORD.search(text):
            for pattern in FORMATS:
                text = pattern.sub(_token, text)
        return _without_personal(text)


def _without_named(text: str) -> str:
    text = PRIVATE_KEY.sub(REMOVED, text)
    text = SCHEME.sub(lambda match: f"{match[match.lastindex or 0]}{REMOVED}", text)
    text = HEADER.sub(_header, text)
    text = CODE.sub(rf"\1{REMOVED}", text)
    return ASSIGNED.sub(_assigned, text)


def _without_personal(text: str) -> str:
    if "@" in text or "%40" in text:
        text = ADDRESS.sub(REMOVED, text)
    # First: groups of its digits look like a telephone number.
    text = ACCOUNT.sub(_account, text)
    if LONG_NUMBER.search(text):
        text = NUMBER.sub(_card, text)
        text = PHONE.sub(_phone, text)
    return text


def _token(match: re.Match[str]) -> str:
    """What separates a token from the text before it is part of the match, and stays."""
    first = match[0][0]
    return first + REMOVED if first in SEPARATORS else REMOVED


def _header(match: re.Match[str]) -> str:
    name, scheme, value = match.groups()
    # In words: "authorization: required", "cookie, not set".
    credential = scheme or "cookie" in name.lower() and "=" in value or re.search(r"\d|[a-z][A-Z]", value) and len(value) >= 6
    return f"{name}{scheme}{REMOVED}" if credential else match[0]


def _assigned(match: re.Match[str]) -> str:
    name, sign, value = match.groups()
    kind = "" if name in PUBLIC else _kind(name)
    quote = value[0] if value[0] in "\"'" else ""
    if kind and _is_secret(kind, value.strip(quote or None)):
        return f"{name}{sign}{quote}{REMOVED}{quote}"
    return match[0]


@functools.lru_cache(4096)
def _kind(name: str) -> str:
    """What a name says of its value: "password", "token", "key" or nothing. As isNamedSecret of the pack."""
    if NAMES["harmlessEnds"].search(name) or NAMES["harmlessParts"].search(name):
        return ""
    if NAMES["passwordNames"].search(name) or NAMES["camelNames"].search(name):
        return "password"
    return "token" if NAMES["tokenNames"].search(name) else "key" if NAMES["keyNames"].search(name) else ""


def _is_secret(kind: str, value: str) -> bool:
    if NAMES["harmlessValues"].search(value) or NAMES["variableNames"].search(value):
        return False
    if kind == "password":
        return True
    return not NAMES["harmlessTokens"].search(value) and (kind == "token" or not NAMES["harmlessKeys"].search(value))


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _card(match: re.Match[str]) -> str:
    """By issuer and check digit (ISO/IEC 7812)."""
    digits = _digits(match[0])
    issuer = re.match(r"4|5[1-5]|2[2-7]|3[04-9]|6[0245]", digits)
    doubled = [int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(digits))]
    return REMOVED if issuer and sum(each // 10 + each % 10 for each in doubled) % 10 == 0 else match[0]


def _phone(match: re.Match[str]) -> str:
    return REMOVED if 9 <= len(_digits(match[0])) <= 15 else match[0]


def _account(match: re.Match[str]) -> str:
    """An IBAN by its check digits (ISO 13616)."""
    compact = match[0].replace(" ", "").upper()
    turned = "".join(str(int(letter, 36)) for letter in compact[4:] + compact[:4])
    return REMOVED if 15 <= len(compact) <= 34 and int(turned) % 97 == 1 else match[0]
