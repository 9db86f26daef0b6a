"""The one piece of code that keeps secrets out of events, logs, tracebacks and RQ's failure records.

Two nets: values this process has seen (`remember`) in every spelling they may travel in, and patterns of well-known
tokens for values it has not.
"""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus

MASK = "•••"
#: More secrets than one process works with at a time; those not seen for longest go first.
REMEMBERED = 2_000
SHORTEST = 6

PATTERNS = [
    re.compile(r"(?i)\b(bearer|basic|token)\s+[a-z0-9._~+/=-]{12,}"),
    re.compile(r"\bdckr_(?:pat|oat)_[A-Za-z0-9_-]{4,}"),
    re.compile(r"\b(?:gh[pousr]|github_pat)_[A-Za-z0-9_]{16,}"),
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"),
    re.compile(
        r"(?i)([\"']?(?:password|client_secret|secret_?token|api_?token|access_token)[\"']?\s*[:=]\s*)[^\s,;}&]+"
    ),
    re.compile(r"([?&]token=)[^\s&\"'<>]+"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL),
]


class Redactor:
    """Replaces secrets in text. Thread-safe. Keeps of each spelling its length and a digest, never the spelling."""

    def __init__(self, most: int = REMEMBERED) -> None:
        self._most = most
        self._lock = threading.Lock()
        #: Digest of a secret → its spellings; those not seen for longest come first.
        self._secrets: OrderedDict[bytes, list[Spelling]] = OrderedDict()
        #: First letters → spellings: how long a text takes does not depend on how many secrets are known.
        self._by_start: dict[str, tuple[Spelling, ...]] = {}

    def remember(self, secret: str) -> None:
        """From now on the value is masked: plain, URL-encoded, in base64 at any offset, and in base64 of base64."""
        if len(secret) < SHORTEST:
            return
        known = _digest(secret)
        with self._lock:
            if known in self._secrets:
                self._secrets.move_to_end(known)
                return
            self._secrets[known] = [Spelling.of(text) for text in spellings(secret)]
            for spelling in self._secrets[known]:
                self._by_start[spelling.start] = (*self._by_start.get(spelling.start, ()), spelling)
            while len(self._secrets) > self._most:
                self._forget(self._secrets.popitem(last=False)[1])

    def _forget(self, old: list[Spelling]) -> None:
        for spelling in old:
            others = list(self._by_start[spelling.start])
            others.remove(spelling)
            if others:
                self._by_start[spelling.start] = tuple(others)
            else:
                del self._by_start[spelling.start]

    def redact(self, text: str) -> str:
        found = {
            text[index : index + spelling.length]
            for index in range(len(text) - SHORTEST + 1)
            for spelling in self._by_start.get(text[index : index + SHORTEST], ())
            if spelling.is_at(text, index)
        }
        for secret in sorted(found, key=len, reverse=True):
            text = text.replace(secret, MASK)
        for pattern in PATTERNS:
            text = pattern.sub(_masked, text)
        return text


class Spelling(NamedTuple):
    """Enough of a secret's spelling to know it again: a key of three thousand letters takes as little as a password."""

    start: str
    length: int
    digest: bytes

    @classmethod
    def of(cls, text: str) -> Spelling:
        return cls(text[:SHORTEST], len(text), _digest(text))

    def is_at(self, text: str, index: int) -> bool:
        return index + self.length <= len(text) and _digest(text[index : index + self.length]) == self.digest


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()


def _masked(match: re.Match[str]) -> str:
    # The group, where a pattern has one, is the harmless beginning ("password: ") that tells what was masked.
    return f"{match.group(1)} {MASK}" if match.re.groups and match.group(1) else MASK


def spellings(secret: str) -> set[str]:
    """The ways in which a value may appear.

    Plain, escaped for JSON or a URL, inside the base64 of something longer, and inside base64 of that: a Kubernetes
    Secret with a registry's sign-in is base64 of JSON that holds base64.
    """
    escaped, encoded = secret.replace("\\", "\\\\").replace('"', '\\"'), quote(secret, safe="")
    found = {secret, escaped, escaped.replace("\\", "\\\\"), encoded, _small_escapes(encoded), quote_plus(secret)}
    once = {piece for text in (secret, escaped) for piece in _in_base64(text)}
    twice = {piece for text in once for piece in _in_base64(text)}
    return {spelling for spelling in found | once | twice if len(spelling) >= SHORTEST}


def _in_base64(text: str) -> set[str]:
    """What certainly stands in the base64 of anything that holds the text, in both alphabets."""
    raw, found = text.encode(), set()
    for pad in range(3):
        # Characters that mix with the unknown neighbours are cut off at both ends.
        encoded = base64.b64encode(b"\0" * pad + raw).decode().rstrip("=")
        start = (0, 2, 3)[pad]
        end = len(encoded) - (0 if (pad + len(raw)) % 3 == 0 else 1)
        middle = encoded[start:end]
        found |= {middle, middle.replace("+", "-").replace("/", "_")}
    return found


def _small_escapes(encoded: str) -> str:
    return re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), encoded)


_redactor = Redactor()
remember = _redactor.remember
redact = _redactor.redact


#: Names of fields whose value is masked whatever it is.
SENSITIVE = re.compile(
    r"(?i)(^|[_-])(password|passphrase|secret|token|authorization|cookie|api_?key|private_?key|credentials?)$"
)
DEEPEST = 8


def redacted(value: Any, name: str = "", depth: int = 0) -> Any:
    """The same value, with plain numbers and masked text all the way down; other objects become their masked text."""
    if value is None or isinstance(value, bool):
        return value
    if SENSITIVE.search(name):
        return MASK
    if isinstance(value, int | float):
        return value if redact(text := str(value)) == text else MASK
    if isinstance(value, Mapping) and depth < DEEPEST:
        return {redact(str(key)): redacted(each, str(key), depth + 1) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset) and depth < DEEPEST:
        return [redacted(each, name, depth + 1) for each in value]
    return redact(_text(value))


def _text(value: object) -> str:
    try:
        return value.decode("utf-8", "replace") if isinstance(value, bytes | bytearray) else str(value)
    except Exception:
        return f"<{type(value).__name__} that cannot be told>"
