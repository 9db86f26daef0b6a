"""Server-side apply and the ownership of fields."""

from __future__ import annotations

from typing import Any

from sandbox.kubernetes import fieldsets, schema
from sandbox.kubernetes.errors import ApiError
from sandbox.kubernetes.fieldsets import Path
from sandbox.kubernetes.kinds import Kind

Body = dict[str, Any]
Entry = dict[str, Any]


def without_nulls(value: Any) -> Any:
    """A null in an applied object says nothing."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


def apply(kind: Kind, live: Body | None, applied: Body, manager: str, now: str, force: bool) -> Body:
    """The object after `manager` applied it. Raises 409 where another manager owns a field with another value."""
    type_name = schema.root(kind)
    wanted = fieldsets.fields_of(type_name, applied)
    base = live or {}
    entries = managed(base)
    mine = next((entry for entry in entries if _is(entry, manager, "Apply")), None)
    others = [entry for entry in entries if entry is not mine]
    others = _settle(kind, base, applied, wanted, others, force)
    result = fieldsets.merged(type_name, base, applied)
    if mine is not None:
        result = _dropped(result, fieldsets.from_v1(mine["fieldsV1"]) - wanted, others)
    own = _entry(mine, manager, "Apply", applied["apiVersion"], now, wanted)
    return with_managed(result, [own, *others])


def _dropped(result: Body, removed: set[Path], others: list[Entry]) -> Body:
    """Takes away what its only owner no longer applies."""
    kept: set[Path] = set().union(*(fieldsets.from_v1(entry["fieldsV1"]) for entry in others)) if others else set()
    for path in sorted(removed - kept, key=len, reverse=True):
        owner = path[:-1]
        if path[-1] == "." and any(other[: len(owner)] == owner for other in kept):
            continue
        result = fieldsets.without(result, path)
    return result


def _settle(kind: Kind, live: Body, applied: Body, wanted: set[Path], others: list[Entry], force: bool) -> list[Entry]:
    """The other managers' entries after conflicts are refused, or won by force."""
    left, clashes = [], []
    for entry in others:
        owned = fieldsets.from_v1(entry["fieldsV1"])
        lost = {path for path in wanted & owned if _differs(live, applied, path)}
        clashes += [(entry, path) for path in sorted(lost)]
        if owned - lost:
            left.append(entry | {"fieldsV1": fieldsets.to_v1(owned - lost)} if lost else entry)
    if clashes and not force:
        raise _conflict(clashes)
    return left


def _differs(live: Body, applied: Body, path: Path) -> bool:
    return bool(fieldsets.lookup(live, path) != fieldsets.lookup(applied, path))


def _conflict(clashes: list[tuple[Entry, Path]]) -> ApiError:
    causes = []
    for entry, path in clashes:
        message = f'conflict with "{entry["manager"]}" using {entry["apiVersion"]}'
        causes.append({"reason": "FieldManagerConflict", "message": message, "field": fieldsets.dotted(path)})
    if len(causes) == 1:
        text = f"Apply failed with 1 conflict: {causes[0]['message']}: {causes[0]['field']}"
    else:
        by_manager: dict[str, list[str]] = {}
        for cause in causes:
            by_manager.setdefault(cause["message"].replace("conflict", "conflicts", 1), []).append(cause["field"])
        lines = (
            f"{manager}:\n" + "\n".join(f"- {field}" for field in fields) for manager, fields in by_manager.items()
        )
        text = f"Apply failed with {len(causes)} conflicts: " + "\n".join(lines)
    return ApiError(409, "Conflict", text, {"causes": causes})


def track(kind: Kind, old: Body | None, new: Body, manager: str, now: str) -> Body:
    """`new` with managedFields that say who changed what by a create, put or patch."""
    type_name = schema.root(kind)
    after = fieldsets.fields_of(type_name, new)
    before = fieldsets.fields_of(type_name, old) if old else set()
    changed = {path for path in after if old is None or _differs(old, new, path)}
    gone = before - after
    entries = managed(old or {})
    if not changed and not gone:
        return with_managed(new, entries)
    mine = next((entry for entry in entries if _is(entry, manager, "Update")), None)
    owned = (fieldsets.from_v1(mine["fieldsV1"]) if mine else set()) | changed
    result = [_entry(mine, manager, "Update", kind.api_version, now, owned - gone)]
    for entry in entries:
        left = fieldsets.from_v1(entry["fieldsV1"]) - changed - gone
        if entry is not mine and left:
            result.append(entry | {"fieldsV1": fieldsets.to_v1(left)})
    return with_managed(new, result)


def managed(body: Body) -> list[Entry]:
    return list((body.get("metadata") or {}).get("managedFields") or [])


def with_managed(body: Body, entries: list[Entry]) -> Body:
    return body | {"metadata": body.get("metadata", {}) | {"managedFields": entries}}


def _is(entry: Entry, manager: str, operation: str) -> bool:
    return bool(entry["manager"] == manager and entry["operation"] == operation)


def _entry(old: Entry | None, manager: str, operation: str, api_version: str, now: str, paths: set[Path]) -> Entry:
    """The manager's entry; one that owns what it owned keeps its time."""
    fields = fieldsets.to_v1(paths)
    if old is not None and old["fieldsV1"] == fields:
        return old
    return {
        "manager": manager,
        "operation": operation,
        "apiVersion": api_version,
        "time": now,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    }
