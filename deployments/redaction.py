"""The one piece of code that keeps secrets out of events, logs, tracebacks and RQ's failure records.

Two nets: values this process has seen (`remember`) in every spelling they may travel in, and patterns of well-known
tokens for values it has not.
"""

from __future__ import annotations

import base64
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "•••"
#: Spellings of more secrets than one process can hold at a time; the oldest go first.
REMEMBERED = 100_000
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
    """Replaces secrets in text. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._secrets: OrderedDict[str, None] = OrderedDict()
        #: First letters → spellings: how long a text takes does not depend on how many secrets are known.
        self._by_start: dict[str, tuple[str, ...]] = {}

    def remember(self, secret: str) -> None:
        """From now on the value is masked: plain, URL-encoded, in base64 at any offset, and in base64 of base64."""
        if len(secret) < SHORTEST:
            return
        with self._lock:
            for spelling in spellings(secret):
                if spelling not in self._secrets:
                    start = spelling[:SHORTEST]
                    self._by_start[start] = (*self._by_start.get(start, ()), spelling)
                self._secrets[spelling] = None
                self._secrets.move_to_end(spelling)
            while len(self._secrets) > REMEMBERED:
                self._forget(self._secrets.popitem(last=False)[0])

    def _forget(self, spelling: str) -> None:
        start = spelling[:SHORTEST]
        others = tuple(each for each in self._by_start[start] if each != spelling)
        if others:
            self._by_start[start] = others
        else:
            del self._by_start[start]

    def redact(self, text: str) -> str:
        found = {
            spelling
            for index in range(len(text) - SHORTEST + 1)
            for spelling in self._by_start.get(text[index : index + SHORTEST], ())
            if text.startswith(spelling, index)
        }
        for secret in sorted(found, key=len, reverse=True):
            text = text.replace(secret, MASK)
        for pattern in PATTERNS:
            text = pattern.sub(_masked, text)
        return text


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
