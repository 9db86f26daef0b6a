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
