"""The fields each kind has: strict decoding, and which lists and maps merge how."""

from __future__ import annotations

import base64
import binascii
import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sandbox.kubernetes import errors
from sandbox.kubernetes.kinds import Kind

#: (type, field) → the keys by which server-side apply tells the items of a list apart.
LIST_KEYS: dict[tuple[str, str], tuple[str, ...]] = {
    ("PodSpec", "containers"): ("name",),
    ("PodSpec", "initContainers"): ("name",),
    ("PodSpec", "ephemeralContainers"): ("name",),
    ("PodSpec", "volumes"): ("name",),
    ("PodSpec", "imagePullSecrets"): ("name",),
    ("PodSpec", "hostAliases"): ("ip",),
    ("PodSpec", "topologySpreadConstraints"): ("topologyKey", "whenUnsatisfiable"),
    ("Container", "env"): ("name",),
    ("Container", "volumeMounts"): ("mountPath",),
    ("Container", "volumeDevices"): ("devicePath",),
    ("Container", "ports"): ("containerPort", "protocol"),
    ("ServiceSpec", "ports"): ("port", "protocol"),
    ("ServiceAccount", "secrets"): ("name",),
    ("ObjectMeta", "ownerReferences"): ("uid",),
} | {
    (f"{kind}Status", "conditions"): ("type",)
    for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "Pod", "Node", "Namespace", "Service",
                 "PersistentVolumeClaim", "PodDisruptionBudget")
}  # fmt: skip
#: Lists that are sets.
SETS = {("ObjectMeta", "finalizers")}
#: Defaults that complete a key (`ports` without `protocol`).
KEY_DEFAULTS = {"protocol": "TCP"}
#: Types and fields that one manager owns as a whole.
ATOMIC_TYPES = {
    "LabelSelector", "NodeSelector", "ObjectReference", "SecretKeySelector", "ConfigMapKeySelector",
    "ObjectFieldSelector", "ResourceFieldSelector", "LocalObjectReference", "RoleRef", "TypedLocalObjectReference",
    "SecretReference", "NodeSelectorTerm",
}  # fmt: skip
ATOMIC_FIELDS = {("PodSpec", "nodeSelector"), ("ServiceSpec", "selector")}

_WORDS = {"s": "string", "t": "string", "y": "string", "i": "numeric (int or float)", "f": "numeric (int or float)",
          "b": "boolean"}  # fmt: skip
_PYTHON: dict[str, tuple[type, ...]] = {"s": (str,), "t": (str,), "y": (str,), "q": (str, int, float), "i": (int,),
                                        "f": (int, float), "b": (bool,)}  # fmt: skip


@functools.cache
def types() -> dict[str, dict[str, str]]:
    loaded: dict[str, dict[str, str]] = json.loads(Path(__file__).with_name("schema.json").read_text())
    return loaded


@functools.cache
def root(kind: Kind) -> str:
    """The schema's name of a kind."""
    return kind.kind if kind.kind in types() else f"CoreV1{kind.kind}"


def check_write(kind: Kind, body: dict[str, Any], strict: bool) -> None:
    """Refuses what decoding refuses: a wrong type always, an unknown field when strict."""
    unknown: list[str] = []
    for path, problem, expected in _walk(root(kind), body, ""):
        if problem == "unknown":
            unknown.append(f'unknown field "{path.lstrip(".")}"')
        elif problem != "duplicate":
            what = f"json: cannot unmarshal {problem} into Go struct field {kind.kind}{path} of type {expected}"
            raise errors.bad_request(_cannot_handle(kind, what))
    if unknown and strict:
        raise errors.bad_request(_cannot_handle(kind, "strict decoding error: " + ", ".join(unknown)))


def _cannot_handle(kind: Kind, what: str) -> str:
    return f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: {what}'


def check_apply(kind: Kind, body: dict[str, Any], namespace: str, name: str) -> None:
    """Refuses a server-side apply whose object does not fit the schema."""
    problems = [_apply_text(*problem) for problem in _walk(root(kind), body, "")]
    if not problems:
        return
    joined = problems[0] if len(problems) == 1 else "errors:\n" + "\n".join(f"  {text}" for text in problems)
    where = f"{namespace}/{name}; {kind.group}/{kind.version}, Kind={kind.kind}"
    if not kind.group:
        where = f"{namespace}/{name}; /{kind.version}, Kind={kind.kind}"
    raise errors.schema_mismatch(f"failed to create typed patch object ({where}): {joined}")


def _apply_text(path: str, problem: str, expected: str) -> str:
    if problem == "unknown":
        return f"{path}: field not declared in schema"
    if problem == "duplicate":
        return f"{path}: duplicate entries for key {expected}"
    return f"{path}: expected {expected}, got {problem}"


Problem = tuple[str, str, str]


def _walk(type_name: str, value: Any, path: str, field: tuple[str, str] = ("", "")) -> Iterator[Problem]:
    """(path, "unknown" | "duplicate" | the type found, what was expected) of each misfit."""
    if value is None or type_name == "o":
        return
    if type_name in _PYTHON:
        yield from _scalar(type_name, value, path)
    elif type_name[0] == "[":
        yield from _items(type_name[1:-1], value, path, field)
    elif type_name[0] == "{":
        yield from _entries(type_name[1:-1], value, path)
    elif not isinstance(value, dict):
        yield path, _json_word(value), "map"
    else:
        yield from _fields(type_name, value, path)


def _scalar(type_name: str, value: Any, path: str) -> Iterator[Problem]:
    fits = isinstance(value, _PYTHON[type_name]) and (type_name == "b" or not isinstance(value, bool))
    if not fits:
        yield path, _json_word(value), _WORDS.get(type_name, "string")
    elif type_name == "y" and not _is_base64(value):
        yield path, "illegal base64 data", "string"


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _items(item_type: str, value: Any, path: str, field: tuple[str, str]) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield path, _json_word(value), "list"
        return
    keys = LIST_KEYS.get(field)
    seen: set[str] = set()
    for index, item in enumerate(value):
        label = f"[{index}]"
        if keys and isinstance(item, dict):
            label = _key_label(keys, item)
            if label in seen:
                yield path, "duplicate", label
            seen.add(label)
        yield from _walk(item_type, item, path + label)


def _key_label(keys: tuple[str, ...], item: dict[str, Any]) -> str:
    parts = (f"{key}={json.dumps(item.get(key, KEY_DEFAULTS.get(key)))}" for key in keys)
    return "[" + ",".join(parts) + "]"


def _entries(value_type: str, value: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield path, _json_word(value), "map"
        return
    for key, item in value.items():
        yield from _walk(value_type, item, f"{path}.{key}")


def _fields(type_name: str, value: dict[str, Any], path: str) -> Iterator[Problem]:
    known = types()[type_name]
    for name, item in value.items():
        if name not in known:
            yield f"{path}.{name}", "unknown", ""
        else:
            yield from _walk(known[name], item, f"{path}.{name}", (type_name, name))


def _json_word(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number"
    return {str: "string", list: "array", dict: "object"}.get(type(value), "null")
