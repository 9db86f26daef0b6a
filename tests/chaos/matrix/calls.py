"""Every call that the steps make to the outside, by operation and step: recorded, templated, kept in calls.txt."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIST = Path(__file__).with_name("calls.txt")
HEAD = """\
# Every call that the steps make to the outside, Helm's own left out: operation | step | door | method | path.
# Under each life (lives.py) the calls that no life above it makes; at the end those that depend on the moment.
# Written by `SLIPWAY_RECORD=1 make chaos ARGS=tests/chaos/matrix/test_calls.py`."""
SOMETIMES = "sometimes"
#: Helm is a program of its own: what it asks is its business, and how it ends is ours.
HELM = "Helm/"
#: Whichever step is the first to need a token signs in.
ANY = "*"
HEX = "[0-9a-f]"
UUID = f"{HEX}{{8}}(-{HEX}{{4}}){{3}}-{HEX}{{12}}"
#: What differs from run to run, longest first, and what stands for it.
VARIABLE = (
    (rf"/operations/{UUID}", "/operations/{operation}"),
    (rf"/operationresults/{UUID}", "/operationresults/{operation}"),
    (rf"(secrets)/{HEX}{{32}}-[a-z-]+-{HEX}{{6}}/{HEX}{{32}}", r"\1/{secret}/{version}"),
    (rf"(secrets)/{HEX}{{32}}-[a-z-]+-{HEX}{{6}}", r"\1/{secret}"),
    (rf"/roleassignments/{UUID}", "/roleassignments/{role}"),
    (rf"/subscriptions/{UUID}", "/subscriptions/{subscription}"),
    (r"(/subscriptions/\{subscription\}/providers)/microsoft\.[a-z]+(/register)?$", r"\1/{provider}\2"),
    (r"/resourcegroups/mc_[^/]+", "/resourcegroups/{node group}"),
    (r"/resourcegroups/slipway-[^/]+", "/resourcegroups/{group}"),
    (r"/registries/slipway[^/]+", "/registries/{registry}"),
    (r"/managedclusters/[^/]+", "/managedclusters/{cluster}"),
    (r"/agentpools/[^/]+", "/agentpools/{pool}"),
    (r"^/charts/binderhub-[^/]+\.tgz", "/charts/{chart}"),
    (r"^/k8s/[^/]+", "/k8s/{cluster}"),
    (r"/namespaces/[^/]+", "/namespaces/{namespace}"),
    (r"/users/binder-examples-[^/]+", "/users/{guest}"),
    (r"/user/[^/]+", "/user/{guest}"),
    (r"/pods/[^/]+", "/pods/{pod}"),
    (r"/sh\.helm\.release\.v1\.[^/]+", "/{revision of the release}"),
    (rf"/blobs/uploads/{UUID}", "/blobs/uploads/{upload}"),
    (rf"/blobs/uploads/{HEX}+", "/blobs/uploads/{upload}"),
    (r"^/v2/[^/]+/[^/]+/blobs", "/v2/{project}/{repository}/blobs"),
    (r"/dockerhub/v2/slipwaydemo/[^/]+", "/dockerhub/v2/slipwaydemo/{repository}"),
    (rf"^/{UUID}/oauth2", "/{tenant}/oauth2"),
    (rf"^/{UUID}/v2.0", "/{tenant}/v2.0"),
)


@dataclass(frozen=True, order=True)
class Call:
    """One kind of call: which operation's step makes it, at whose door, and what is asked there."""

    operation: str
    step: str
    door: str
    method: str
    path: str

    @classmethod
    def of(cls, operation: str, step: str, row: dict[str, Any]) -> Call:
        step = ANY if row["door"] == "entra" else step
        return cls(operation, step, row["door"], row["method"], template(row["path"]))

    @property
    def pattern(self) -> str:
        """A regular expression for its path, with or without a query."""
        parts = re.split(r"\{[^}]+\}", self.path)
        return "^" + "[^/]+".join(re.escape(part) for part in parts) + r"/?(\?.*)?$"

    def is_made_by(self, operation: str, step: str) -> bool:
        return self.operation == operation and self.step in (step, ANY)

    @property
    def writes(self) -> bool:
        return self.method not in ("GET", "HEAD") and self.door != "entra"

    def __str__(self) -> str:
        return " | ".join((self.operation, self.step, self.door, self.method, self.path))


def template(path: str) -> str:
    path = path.lower().rstrip("/") if path != "/" else path
    for pattern, stands in VARIABLE:
        path = re.sub(pattern, stands, path)
    return path


def ours(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """What our own code asked, of a recording."""
    return [row for row in rows if not row["agent"].startswith((HELM, "Mozilla"))]


def known() -> dict[str, list[Call]]:
    """The list as it is kept: under each life the calls that no life before it makes."""
    found: dict[str, list[Call]] = {}
    for line in LIST.read_text().splitlines():
        if line.startswith("== "):
            calls = found.setdefault(line.removeprefix("== "), [])
        elif line and not line.startswith("#"):
            calls.append(Call(*line.split(" | ")))
    return found


def keep(life: str, recorded: set[Call]) -> None:
    """Writes the list anew with what this life makes now, and no other life makes."""
    kept = known()
    names = list(kept) if life in kept else [*(name for name in kept if name != SOMETIMES), life, SOMETIMES]
    others = {call for name in names if name != life for call in kept.get(name, [])}
    kept[life] = sorted(recorded - others)
    lines = [HEAD]
    for name in names:
        lines += ["", f"== {name}", *map(str, kept.get(name, []))]
    LIST.write_text("\n".join(lines) + "\n")
