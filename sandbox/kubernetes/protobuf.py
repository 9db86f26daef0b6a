"""Reads the few protobuf bodies that Helm sends: Secret, ConfigMap, Namespace and DeleteOptions.

Field numbers: k8s.io/api/core/v1/generated.proto and k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from sandbox.kubernetes import errors

MAGIC = b"k8s\x00"
Wire = int | bytes
Reader = Callable[[Wire], Any]
#: number → (JSON name, reader, "one" | "list" | "map")
Fields = dict[int, tuple[str, Reader, str]]


def decode(body: bytes) -> dict[str, Any]:
    """The object inside `k8s\\0` + Unknown{typeMeta, raw}. Raises 400 for any other kind."""
    if not body.startswith(MAGIC):
        raise errors.bad_request(
            "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"
        )
    unknown = _message(_UNKNOWN)(body[len(MAGIC) :])
    meta = unknown.get("typeMeta", {})
    kind = meta.get("kind", "")
    if kind not in _KINDS:
        raise errors.bad_request(f'no kind "{kind}" is registered for protobuf here')
    return {"apiVersion": meta["apiVersion"], "kind": kind} | _message(_KINDS[kind])(unknown.get("raw", b""))


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _fields(data: bytes) -> Iterator[tuple[int, Wire]]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        if tag & 7 == 0:
            value, at = _varint(data, at)
            yield tag >> 3, value
        elif tag & 7 == 2:
            length, at = _varint(data, at)
            yield tag >> 3, data[at : at + length]
            at += length
        else:
            raise errors.bad_request(f"proto: illegal wireType {tag & 7}")


def _message(fields: Fields) -> Reader:
    def read(data: Wire) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for number, wire in _fields(_bytes(data)):
            if number not in fields:
                continue
            name, reader, shape = fields[number]
            if shape == "list":
                result.setdefault(name, []).append(reader(wire))
            elif shape == "map":
                result.setdefault(name, {}).update(_entry(wire, reader))
            else:
                result[name] = reader(wire)
        return {name: value for name, value in result.items() if value not in ("", {})}

    return read


def _entry(wire: Wire, reader: Reader) -> dict[str, Any]:
    parts = dict(_fields(_bytes(wire)))
    return {_text(parts.get(1, b"")): reader(parts.get(2, b""))}


def _bytes(wire: Wire) -> bytes:
    if isinstance(wire, int):
        raise errors.bad_request("proto: wrong wireType for a message")
    return wire


def _text(wire: Wire) -> str:
    return _bytes(wire).decode()


def _base64(wire: Wire) -> str:
    return base64.b64encode(_bytes(wire)).decode()


def _flag(wire: Wire) -> bool:
    return bool(wire)


def _number(wire: Wire) -> int:
    value = int(wire) if isinstance(wire, int) else 0
    return value - (1 << 64) if value >> 63 else value


def _time(wire: Wire) -> str | None:
    seconds = dict(_fields(_bytes(wire))).get(1)
    if not isinstance(seconds, int):
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_TYPE_META: Fields = {1: ("apiVersion", _text, "one"), 2: ("kind", _text, "one")}
_UNKNOWN: Fields = {1: ("typeMeta", _message(_TYPE_META), "one"), 2: ("raw", _bytes, "one")}
_OWNER: Fields = {
    1: ("kind", _text, "one"),
    3: ("name", _text, "one"),
    4: ("uid", _text, "one"),
    5: ("apiVersion", _text, "one"),
    6: ("controller", _flag, "one"),
    7: ("blockOwnerDeletion", _flag, "one"),
}
_OBJECT_META: Fields = {
    1: ("name", _text, "one"),
    2: ("generateName", _text, "one"),
    3: ("namespace", _text, "one"),
    5: ("uid", _text, "one"),
    6: ("resourceVersion", _text, "one"),
    8: ("creationTimestamp", _time, "one"),
    11: ("labels", _text, "map"),
    12: ("annotations", _text, "map"),
    13: ("ownerReferences", _message(_OWNER), "list"),
    14: ("finalizers", _text, "list"),
}
_METADATA = ("metadata", _message(_OBJECT_META), "one")
_PRECONDITIONS: Fields = {1: ("uid", _text, "one"), 2: ("resourceVersion", _text, "one")}
_NAMESPACE_SPEC: Fields = {1: ("finalizers", _text, "list")}
_KINDS: dict[str, Fields] = {
    "Secret": {
        1: _METADATA,
        2: ("data", _base64, "map"),
        3: ("type", _text, "one"),
        4: ("stringData", _text, "map"),
        5: ("immutable", _flag, "one"),
    },
    "ConfigMap": {
        1: _METADATA,
        2: ("data", _text, "map"),
        3: ("binaryData", _base64, "map"),
        4: ("immutable", _flag, "one"),
    },
    "Namespace": {1: _METADATA, 2: ("spec", _message(_NAMESPACE_SPEC), "one")},
    "DeleteOptions": {
        1: ("gracePeriodSeconds", _number, "one"),
        2: ("preconditions", _message(_PRECONDITIONS), "one"),
        3: ("orphanDependents", _flag, "one"),
        4: ("propagationPolicy", _text, "one"),
        5: ("dryRun", _text, "list"),
    },
}
