"""The one piece of code that keeps secrets out of events, logs, tracebacks and RQ's failure records.

Two nets: values this process has seen (`remember`) in every spelling they may travel in, and patterns of well-known
tokens for values it has not.
"""

from __future__ import annotations

import base64
import logging
import re
import threading
from collections import OrderedDict
from urllib.parse import quote, quote_plus

MASK = "•••"
#: More than one worker process can hold at a time; the oldest go first.
REMEMBERED = 2048
SHORTEST = 6

PATTERNS = [
    re.compile(r"(?i)\b(bearer|basic|token)\s+[a-z0-9._~+/=-]{12,}"),
    re.compile(r"\bdckr_(?:pat|oat)_[A-Za-z0-9_-]{4,}"),
    re.compile(r"\b(?:gh[pousr]|github_pat)_[A-Za-z0-9_]{16,}"),
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"),
    re.compile(
        r"(?i)([\"']?(?:password|client_secret|secret_?token|api_?token|access_token)[\"']?\s*[:=]\s*)[^\s,;}&]+"
    ),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL),
]


class Redactor:
    """Replaces secrets in text. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._secrets: OrderedDict[str, None] = OrderedDict()
        self._longest_first: tuple[str, ...] = ()

    def remember(self, secret: str) -> None:
        """From now on the value is masked, plain, base64 (at any offset) and URL-encoded."""
        if len(secret) < SHORTEST:
            return
        with self._lock:
            for spelling in spellings(secret):
                self._secrets[spelling] = None
                self._secrets.move_to_end(spelling)
            while len(self._secrets) > REMEMBERED:
                self._secrets.popitem(last=False)
            self._longest_first = tuple(sorted(self._secrets, key=len, reverse=True))

    def redact(self, text: str) -> str:
        # One `in` each is far cheaper than one regular expression of a thousand alternatives.
        for secret in self._longest_first:
            if secret in text:
                text = text.replace(secret, MASK)
        for pattern in PATTERNS:
            text = pattern.sub(_masked, text)
        return text


def _masked(match: re.Match[str]) -> str:
    # The group, where a pattern has one, is the harmless beginning ("password: ") that tells what was masked.
    return f"{match.group(1)} {MASK}" if match.re.groups and match.group(1) else MASK


def spellings(secret: str) -> set[str]:
    """The ways in which a value may appear: plain, escaped for JSON or a URL, and inside base64 of something longer."""
    raw = secret.encode()
    found = {secret, quote(secret, safe=""), quote_plus(secret), secret.replace("\\", "\\\\").replace('"', '\\"')}
    for pad in range(3):
        # Characters that mix with the unknown neighbours are cut off at both ends.
        encoded = base64.b64encode(b"\0" * pad + raw).decode().rstrip("=")
        start = (0, 2, 3)[pad]
        end = len(encoded) - (0 if (pad + len(raw)) % 3 == 0 else 1)
        middle = encoded[start:end]
        found |= {middle, middle.replace("+", "-").replace("/", "_")}
    return {spelling for spelling in found if len(spelling) >= SHORTEST}


_redactor = Redactor()
remember = _redactor.remember
redact = _redactor.redact


class RedactingFilter(logging.Filter):
    """Masks the message before any handler formats it."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), ()
        return True


class RedactingFormatter(logging.Formatter):
    """Masks what the formatter adds: tracebacks and stack information."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))
