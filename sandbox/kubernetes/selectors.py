"""Label and field selectors, as text from a query and as objects from a spec."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sandbox.kubernetes import errors

Labels = dict[str, str]
Test = Callable[[dict[str, Any]], bool]

_SET = re.compile(r"^\s*([^\s!=,()]+)\s+(in|notin)\s+\(([^)]*)\)\s*$")
_EQUAL = re.compile(r"^\s*([^\s!=,()]+)\s*(==|=|!=)\s*([^\s=!,()]*)\s*$")
_EXISTS = re.compile(r"^\s*(!?)\s*([^\s!=,()]+)\s*$")


def labels_test(text: str) -> Callable[[Labels], bool]:
    """The test a labelSelector stands for. Raises 400 for one that cannot be read."""
    tests = [_requirement(part) for part in re.split(r",(?![^(]*\))", text) if part.strip()]
    return lambda labels: all(test(labels) for test in tests)


def _requirement(part: str) -> Callable[[Labels], bool]:
    if match := _SET.match(part):
        key, word, listed = match[1], match[2], {value.strip() for value in match[3].split(",")}
        return lambda labels: (labels.get(key) in listed) == (word == "in")
    if match := _EQUAL.match(part):
        key, sign, wanted = match[1], match[2], match[3]
        return lambda labels: (labels.get(key) == wanted) == (sign != "!=")
    if match := _EXISTS.match(part):
        negated, key = bool(match[1]), match[2]
        return lambda labels: (key in labels) != negated
    raise errors.bad_request(f'unable to parse requirement: found "{part}", expected: in, notin, =, ==, !=, gt, lt')


def selector_matches(selector: dict[str, Any] | None, labels: Labels) -> bool:
    """Whether a LabelSelector object picks these labels; none at all picks nothing."""
    if selector is None:
        return False
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_expression(item, labels) for item in selector.get("matchExpressions") or [])


def _expression(item: dict[str, Any], labels: Labels) -> bool:
    key, operator, values = item["key"], item["operator"], item.get("values") or []
    if operator in ("Exists", "DoesNotExist"):
        return (key in labels) == (operator == "Exists")
    return (labels.get(key) in values) == (operator == "In")


def fields_test(text: str) -> Test:
    """The test a fieldSelector stands for."""
    pairs = [_field_pair(part) for part in text.split(",") if part.strip()]
    return lambda body: all((_at(body, path) == wanted) == equal for path, equal, wanted in pairs)


def _field_pair(part: str) -> tuple[list[str], bool, str]:
    match = re.match(r"^\s*([\w.]+)\s*(==|=|!=)\s*(.*?)\s*$", part)
    if match is None:
        raise errors.bad_request(f"invalid selector: '{part}'; can't understand '{part}'")
    return match[1].split("."), match[2] != "!=", match[3]


def _at(body: dict[str, Any], path: list[str]) -> str:
    value: Any = body
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
