"""Writes schema.json: the fields of each kind, taken from the published Kubernetes Python client.

Run by hand when the Kubernetes version changes: `python -m sandbox.kubernetes.make_schema`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from kubernetes.client import models

from sandbox.kubernetes.kinds import KINDS

SCALARS = {"str": "s", "int": "i", "bool": "b", "float": "f", "datetime": "t", "object": "o", "bytes": "y"}
#: Maps and fields of quantities, which the client calls strings and the server also takes as numbers.
QUANTITIES = {"limits", "requests", "capacity", "allocatable", "hard", "used", "default", "defaultRequest", "max",
              "min", "maxLimitRequestRatio", "allocatedResources", "overhead", "sizeLimit", "divisor"}  # fmt: skip


def _short(name: str) -> str:
    return re.sub(r"^V\d((alpha|beta)\d)?", "", name)


def _type(name: str, todo: set[str], field: str) -> str:
    if match := re.fullmatch(r"List\[(.*)\]", name):
        return "[" + _type(match[1], todo, "") + "]"
    if match := re.fullmatch(r"Dict\[str, (.*)\]", name):
        return "{" + _type(match[1], todo, field) + "}"
    if name in SCALARS:
        return "q" if name == "str" and field in QUANTITIES else SCALARS[name]
    todo.add(name)
    return _short(name)


def _model(kind: str, version: str) -> str:
    for name in (f"{version.upper()}{kind}", f"Core{version.upper()}{kind}"):
        if hasattr(models, name):
            return name
    raise LookupError(kind)


def build() -> dict[str, dict[str, str]]:
    """Type name → field → type; s i b f t o y q are scalars, [x] lists, {x} maps."""
    todo = {_model(kind.kind, kind.version) for kind in KINDS}
    known: dict[str, dict[str, str]] = {}
    while todo:
        name = todo.pop()
        short = _short(name.removeprefix("Core"))
        if short in known:
            continue
        model: Any = getattr(models, name)
        known[short] = {
            field: _type(model.openapi_types[attribute], todo, field)
            for attribute, field in model.attribute_map.items()
        }
    return dict(sorted(known.items()))


if __name__ == "__main__":
    target = Path(__file__).with_name("schema.json")
    lines = (f"{json.dumps(name)}:{json.dumps(fields, separators=(',', ':'))}" for name, fields in build().items())
    target.write_text("{\n" + ",\n".join(lines) + "\n}\n")
