"""Sets of fields, as server-side apply's managedFields name them: `f:name`, `k:{…}`, `v:…` and `.`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sandbox.kubernetes.schema import ATOMIC_FIELDS, ATOMIC_TYPES, KEY_DEFAULTS, LIST_KEYS, SETS, types

Path = tuple[str, ...]
MISSING: Any = object()
#: What the server owns itself.
SYSTEM = {
    ("f:apiVersion",), ("f:kind",), ("f:metadata", "f:name"), ("f:metadata", "f:namespace"), ("f:metadata", "f:uid"),
    ("f:metadata", "f:creationTimestamp"), ("f:metadata", "f:generation"), ("f:metadata", "f:resourceVersion"),
    ("f:metadata", "f:selfLink"), ("f:metadata", "f:managedFields"), ("f:metadata", "f:generateName"),
}  # fmt: skip


def fields_of(type_name: str, value: dict[str, Any], with_status: bool = False) -> set[Path]:
    """Every field that is set in an object of this type, the server's own left out."""
    found = {path for path in _leaves(type_name, value, (), ("", "")) if path not in SYSTEM}
    return found if with_status else {path for path in found if path[0] != "f:status"}


def _leaves(type_name: str, value: Any, path: Path, field: tuple[str, str]) -> Iterator[Path]:
    if isinstance(value, dict) and value and _granular(type_name, field):
        inner = types().get(type_name)
        for name, item in value.items():
            child = inner.get(name, "o") if inner else type_name[1:-1]
            yield from _leaves(child, item, (*path, f"f:{name}"), (type_name, name))
    elif isinstance(value, list) and field in LIST_KEYS:
        for item in value:
            at = (*path, key_of(LIST_KEYS[field], item))
            yield (*at, ".")
            yield from _leaves(type_name[1:-1], item, at, ("", ""))
    elif isinstance(value, list) and field in SETS:
        yield from ((*path, "v:" + json.dumps(item)) for item in value)
    else:
        yield path


def _granular(type_name: str, field: tuple[str, str]) -> bool:
    if field in ATOMIC_FIELDS or type_name in ATOMIC_TYPES:
        return False
    return type_name in types() or type_name[0] == "{"


def key_of(keys: tuple[str, ...], item: dict[str, Any]) -> str:
    values = {key: item.get(key, KEY_DEFAULTS.get(key)) for key in keys}
    return "k:" + json.dumps(values, separators=(",", ":"), sort_keys=True)


def lookup(value: Any, path: Path) -> Any:
    """What stands at a path, or MISSING."""
    for part in path:
        if part == ".":
            return True
        value = _step(value, part)
        if value is MISSING:
            return MISSING
    return value


def _step(value: Any, part: str) -> Any:
    if part[0] == "f":
        return value.get(part[2:], MISSING) if isinstance(value, dict) else MISSING
    if not isinstance(value, list):
        return MISSING
    wanted = json.loads(part[2:])
    if part[0] == "v":
        return True if wanted in value else MISSING
    return next((item for item in value if _has_key(item, wanted)), MISSING)


def _has_key(item: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return all(item.get(key, KEY_DEFAULTS.get(key)) == value for key, value in wanted.items())


def to_v1(paths: set[Path]) -> dict[str, Any]:
    """The nested form managedFields carry."""
    tree: dict[str, Any] = {}
    for path in sorted(paths):
        node = tree
        for part in path:
            node = node.setdefault(part, {})
    return tree


def from_v1(tree: dict[str, Any]) -> set[Path]:
    return set(_paths(tree, ()))


def _paths(tree: dict[str, Any], path: Path) -> Iterator[Path]:
    if not tree and path:
        yield path
    for part, inner in tree.items():
        yield from _paths(inner, (*path, part))


def merged(type_name: str, live: Any, applied: Any, field: tuple[str, str] = ("", "")) -> Any:
    """`applied` laid over `live`; neither is changed."""
    if isinstance(applied, dict) and isinstance(live, dict) and _granular(type_name, field):
        inner = types().get(type_name)
        result = dict(live)
        for name, item in applied.items():
            child = inner.get(name, "o") if inner else type_name[1:-1]
            result[name] = merged(child, live[name], item, (type_name, name)) if name in live else item
        return result
    if isinstance(applied, list) and isinstance(live, list) and field in LIST_KEYS:
        return _merged_items(type_name[1:-1], live, applied, LIST_KEYS[field])
    if isinstance(applied, list) and isinstance(live, list) and field in SETS:
        return live + [item for item in applied if item not in live]
    return applied


def _merged_items(item_type: str, live: list[Any], applied: list[Any], keys: tuple[str, ...]) -> list[Any]:
    olds = {key_of(keys, item): item for item in live}
    news = {key_of(keys, item): item for item in applied}
    joined = {key: merged(item_type, olds[key], item) if key in olds else item for key, item in news.items()}
    order = olds if olds.keys() >= news.keys() else [*news, *(key for key in olds if key not in news)]
    return [joined.get(key, olds.get(key)) for key in order]


def without(value: Any, path: Path) -> Any:
    """The value less what stands at a path; containers that this empties go too."""
    part, rest = path[0], path[1:]
    inner = _step(value, part)
    if inner is MISSING:
        return value
    left = MISSING if not rest or rest == (".",) else without(inner, rest)
    if left is MISSING or left in ({}, []):
        return _dropped(value, part, inner)
    if isinstance(value, dict):
        return value | {part[2:]: left}
    return [left if item is inner else item for item in value]


def _dropped(value: Any, part: str, inner: Any) -> Any:
    if isinstance(value, dict):
        return {key: item for key, item in value.items() if key != part[2:]}
    if part[0] == "v":
        return [item for item in value if item != json.loads(part[2:])]
    return [item for item in value if item is not inner]


def dotted(path: Path) -> str:
    """The path as error messages write it: `.spec.containers[name="a"].image`."""
    text = ""
    for part in path:
        if part[0] == "f":
            text += f".{part[2:]}"
        elif part[0] == "k":
            text += "[" + ",".join(f"{k}={json.dumps(v)}" for k, v in json.loads(part[2:]).items()) + "]"
        elif part[0] == "v":
            text += f"[={part[2:]}]"
    return text
