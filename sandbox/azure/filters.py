"""The `$filter` expressions that ARM's listings understand."""

from __future__ import annotations

import re
from typing import Any

from sandbox.azure.errors import AzureError
from sandbox.azure.store import resource_group_of

CLAUSE = re.compile(r"\s*(\w+)\s+eq\s+'((?:[^']|'')*)'\s*", re.IGNORECASE)
FIELDS = {"tagname", "tagvalue", "resourcetype", "name", "location", "resourcegroup"}


def clauses(text: str) -> dict[str, str]:
    """`a eq 'x' and b eq 'y'` as a dictionary with lowercase keys."""
    if not text:
        return {}
    found: dict[str, str] = {}
    for part in re.split(r"\s+and\s+", text, flags=re.IGNORECASE):
        match = CLAUSE.fullmatch(part)
        if match is None:
            raise AzureError(
                400, "InvalidFilterInQueryString", f"Invalid $filter '{text}' specified in the query string."
            )
        found[match[1].lower()] = match[2].replace("''", "'")
    return found


def by_tag(bodies: list[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    """Those that fit the filter; a tag may not be asked together with anything else, as in Azure."""
    wanted = clauses(text)
    unknown = set(wanted) - FIELDS
    tags = {"tagname", "tagvalue"} & set(wanted)
    if unknown or (tags and set(wanted) - tags) or tags == {"tagvalue"}:
        raise AzureError(400, "InvalidFilterInQueryString", f"Invalid $filter '{text}' specified in the query string.")
    return [body for body in bodies if all(_fits(body, field, value, wanted) for field, value in wanted.items())]


def _fits(body: dict[str, Any], field: str, value: str, wanted: dict[str, str]) -> bool:
    if field == "tagname":
        tags = {name.lower(): content for name, content in (body.get("tags") or {}).items()}
        return value.lower() in tags and wanted.get("tagvalue", tags[value.lower()]) == tags[value.lower()]
    if field == "tagvalue":
        return True
    if field == "resourcegroup":
        return resource_group_of(body["id"]).lower() == value.lower()
    have: str = body["type" if field == "resourcetype" else field]
    return have.lower() == value.lower()
