"""Secrets are masked however they are spelled."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest

from deployments.redaction import Redactor

SECRET = "p+s/word=with%odd chars"


@pytest.mark.parametrize(
    "spelled",
    [
        SECRET,
        quote(SECRET, safe=""),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(f"user:{SECRET}".encode()).decode(),
        base64.b64encode(f"x{SECRET}tail".encode()).decode(),
    ],
)
def test_a_remembered_secret_is_masked_in_every_spelling(spelled: str) -> None:
    redactor = Redactor()
    redactor.remember(SECRET)
    masked = redactor.redact(f"before {spelled} after")
    assert spelled not in masked
    assert "•••" in masked


def test_unknown_tokens_of_known_shape_are_masked() -> None:
    assert "dckr_pat_abcdefgh" not in Redactor().redact("signed in with dckr_pat_abcdefgh")


def test_a_long_key_is_masked_and_is_not_kept_itself() -> None:
    redactor, key = Redactor(), base64.b64encode(bytes(range(256)) * 12).decode()
    redactor.remember(key)
    assert key not in redactor.redact(f"client-key-data: {key}\n")
    assert key[:200] not in repr(vars(redactor))


def test_what_was_not_seen_for_longest_is_forgotten_first() -> None:
    redactor = Redactor(most=2)
    for secret in ("first-of-three", "second-of-three", "first-of-three", "third-of-three"):
        redactor.remember(secret)
    told = redactor.redact("first-of-three second-of-three third-of-three")
    assert told == "••• second-of-three •••"
