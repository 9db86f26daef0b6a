"""docker-compose.yml and the Dockerfile as they are meant: variables filled in, what an image brings along added."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

import yaml

from bootstrap.machine import ROOT

TEXT = (ROOT / "docker-compose.yml").read_text()
VARIABLE = re.compile(r"\$\$|\$\{(\w+)(?::([?-])([^}]*))?\}")


def interpolated(value: Any, environ: Mapping[str, str]) -> Any:
    """Compose's own rules for `${NAME}`, `${NAME:-default}`, `${NAME:?why}` and `$$`."""
    if isinstance(value, dict):
        return {key: interpolated(each, environ) for key, each in value.items()}
    if isinstance(value, list):
        return [interpolated(each, environ) for each in value]
    return VARIABLE.sub(lambda found: _filled(found, environ), value) if isinstance(value, str) else value


def _filled(found: re.Match[str], environ: Mapping[str, str]) -> str:
    name, how, more = found.groups()
    if name is None:
        return "$"
    if environ.get(name):
        return environ[name]
    if how == "?":
        raise KeyError(f"{name}: {more}")
    return more or ""


def services(environ: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    composed: dict[str, Any] = interpolated(yaml.safe_load(TEXT), environ)
    found: dict[str, dict[str, Any]] = composed["services"]
    return found


def stages() -> dict[str, list[tuple[str, str]]]:
    """The Dockerfile's stages, each a list of (instruction, its text)."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    found: dict[str, list[tuple[str, str]]] = {}
    for line in filter(None, re.sub(r"\\\n\s*", "", text).splitlines()):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            image, _, name = rest.partition(" AS ")
            found[name] = [("FROM", image)]
        else:
            found[list(found)[-1]].append((word, rest.strip()))
    return found


def image_command(stage: str) -> list[str]:
    command: list[str] = json.loads(next(text for word, text in stages()[stage] if word == "CMD"))
    return command


def image_environment(stage: str) -> dict[str, str]:
    pairs = [pair for word, text in stages()[stage] if word == "ENV" for pair in shlex.split(text)]
    return dict(pair.split("=", 1) for pair in pairs)
