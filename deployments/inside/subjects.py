"""What can be looked at inside a hub, by its name in the database and in addresses. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

#: Names as Kubernetes allows them: those of pods may have dots, those of containers not.
POD = re.compile(r"[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?")
CONTAINER = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
Kind = Literal["overview", "history", "pod", "log"]


@dataclass(frozen=True)
class Subject:
    """One thing to look at; a log without a container is that of the pod's first one."""

    kind: Kind
    pod: str = ""
    container: str = ""
    previous: bool = False

    def __str__(self) -> str:
        if self.kind == "pod":
            return f"pod/{self.pod}"
        if self.kind == "log":
            return f"log/{self.pod}/{self.container}{'/previous' if self.previous else ''}"
        return self.kind


OVERVIEW, HISTORY = Subject("overview"), Subject("history")


def pod(name: str) -> Subject | None:
    """A pod; None where nothing can be called so."""
    return Subject("pod", name) if POD.fullmatch(name) else None


def log(name: str, container: str = "", previous: bool = False) -> Subject | None:
    """A container's log; None where nothing can be called so."""
    fits = POD.fullmatch(name) and (not container or CONTAINER.fullmatch(container))
    return Subject("log", name, container, previous) if fits else None


def read(text: str) -> Subject | None:
    """The subject of this name; None for anything else."""
    kind, _, rest = text.partition("/")
    if kind == "pod":
        return pod(rest)
    if kind == "log" and rest.count("/") in (1, 2):
        name, container, *more = rest.split("/")
        return log(name, container, bool(more)) if more in ([], ["previous"]) else None
    return {str(OVERVIEW): OVERVIEW, str(HISTORY): HISTORY}.get(text)
