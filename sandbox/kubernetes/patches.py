"""JSON patch, merge patch and strategic merge patch."""

from __future__ import annotations

import copy
from typing import Any

from sandbox.kubernetes import errors
from sandbox.kubernetes.fieldsets import key_of
from sandbox.kubernetes.schema import LIST_KEYS, SETS, types

Field = tuple[str, str]


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result


def strategic_merge(type_name: str, target: Any, patch: Any, field: Field = ("", "")) -> Any:
    """Kubernetes' own merge: lists with a merge key are merged item by item."""
    if isinstance(patch, list):
        keys = LIST_KEYS.get(field)
        if keys and isinstance(target, list):
            return _merge_items(type_name[1:-1], target, patch, keys)
        if field in SETS and isinstance(target, list):
            return target + [item for item in patch if item not in target]
        return patch
    if not isinstance(patch, dict):
        return patch
    if patch.get("$patch") == "replace" or not isinstance(target, dict):
        return {key: value for key, value in patch.items() if key != "$patch" and value is not None}
    return _merge_fields(type_name, target, patch)


def _merge_fields(type_name: str, target: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    result = dict(target)
    for key, value in patch.items():
        if key.startswith("$"):
            continue
        if value is None:
            result.pop(key, None)
            continue
        child = types()[type_name].get(key, "o") if type_name in types() else type_name.strip("{}") or "o"
        result[key] = strategic_merge(child, result.get(key), value, (type_name, key))
    return result


def _merge_items(item_type: str, target: list[Any], patch: list[Any], keys: tuple[str, ...]) -> list[Any]:
    if any(item.get("$patch") == "replace" for item in patch):
        return [item for item in patch if "$patch" not in item]
    first = keys[:1]  # strategic merge knows one key only
    items = {key_of(first, item): item for item in target}
    for item in patch:
        key = key_of(first, item)
        if item.get("$patch") == "delete":
            items.pop(key, None)
        else:
            items[key] = strategic_merge(item_type, items.get(key), item)
    return list(items.values())


def json_patch(target: dict[str, Any], operations: list[dict[str, Any]]) -> dict[str, Any]:
    """RFC 6902. Raises 422 where an operation does not fit, as the server does."""
    document: Any = copy.deepcopy(target)
    for operation in operations:
        try:
            document = _operate(document, operation)
        except (KeyError, IndexError, ValueError, TypeError, AttributeError):
            text = f"the server rejected our request due to an error in our request ({operation.get('op')})"
            raise errors.ApiError(422, "Invalid", text, {}) from None
    result: dict[str, Any] = document
    return result


def _operate(document: Any, operation: dict[str, Any]) -> Any:
    name, path = operation["op"], operation["path"]
    if name in ("move", "copy"):
        value = copy.deepcopy(_get(document, operation["from"]))
        if name == "move":
            document = _remove(document, operation["from"])
        return _add(document, path, value)
    if name == "add":
        return _add(document, path, operation["value"])
    if name == "remove":
        return _remove(document, path)
    if name == "replace":
        _get(document, path)
        return _add(_remove(document, path), path, operation["value"]) if path else operation["value"]
    if name == "test" and _get(document, path) == operation["value"]:
        return document
    raise ValueError(name)


def _parts(path: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]


def _get(document: Any, path: str) -> Any:
    for part in _parts(path):
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document


def _add(document: Any, path: str, value: Any) -> Any:
    if not path:
        return value
    parent = _get(document, path.rsplit("/", 1)[0])
    last = _parts(path)[-1]
    if isinstance(parent, list):
        parent.insert(len(parent) if last == "-" else int(last), value)
    else:
        parent[last] = value
    return document


def _remove(document: Any, path: str) -> Any:
    parent = _get(document, path.rsplit("/", 1)[0])
    last = _parts(path)[-1]
    del parent[int(last) if isinstance(parent, list) else last]
    return document
