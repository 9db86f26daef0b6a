"""What is shown of a cluster is masked and bounded, whatever it contains. Pure but for the secrets it has learnt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

from cloud.kubernetes_inside import LogLine
from deployments.redaction import MASK, redact

#: Longest text and line, most lines of a log, and the characters that all of them together may have.
LONGEST, LINE, LINES, CHARACTERS = 2000, 2000, 500, 400_000
COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|[\x00-\x08\x0b-\x1f]")
KEY_BEGINS, KEY_ENDS = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    re.compile(r"-----END [A-Z ]*PRIVATE KEY-----"),
)
KEY_LINE = re.compile(r"\s*[A-Za-z0-9+/=]{16,}\s*")


def plain(thing: Any) -> Any:
    """Dataclasses, moments and texts as JSON, each text masked and cut."""
    if isinstance(thing, str):
        return redact(thing)[:LONGEST]
    if isinstance(thing, datetime):
        return thing.isoformat()
    if is_dataclass(thing) and not isinstance(thing, type):
        return {field.name: plain(getattr(thing, field.name)) for field in fields(thing)}
    if isinstance(thing, Mapping):
        return {str(key): plain(value) for key, value in thing.items()}
    if isinstance(thing, Iterable):
        return [plain(each) for each in thing]
    return thing


def log_lines(lines: Iterable[LogLine], known: Iterable[list[Any]] = ()) -> list[list[Any]]:
    """[number, moment, text] of the last lines that fit. What is in `known` has been masked already."""
    masked = {each[0]: each[2] for each in known}
    newest = list(lines)[-LINES:]
    texts = _without_keys([each.text for each in newest])
    found = [
        [each.number, each.at.isoformat() if each.at else "", masked.get(each.number) or _shown(text)]
        for each, text in zip(newest, texts, strict=True)
    ]
    kept, room = 0, CHARACTERS
    for _number, _at, text in reversed(found):
        room -= len(text)
        if room < 0:
            break
        kept += 1
    return found[len(found) - kept :]


def _shown(text: str) -> str:
    """Without what terminals make of it: colours, and what a later part of the line was written over."""
    return redact(COLOURS.sub("", text.rstrip("\r").rpartition("\r")[2]))[:LINE]


def _without_keys(texts: list[str]) -> list[str]:
    """A private key that is printed over several lines, also one whose beginning is no longer there."""
    within = False
    for number, text in enumerate(texts):
        within = within or bool(KEY_BEGINS.search(text))
        ends = bool(KEY_ENDS.search(text))
        if ends and not within:
            _mask_back(texts, number)
        if within or ends:
            texts[number] = MASK
        within = within and not ends
    return texts


def _mask_back(texts: list[str], number: int) -> None:
    while number > 0 and KEY_LINE.fullmatch(texts[number - 1]):
        number -= 1
        texts[number] = MASK
