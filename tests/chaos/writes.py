"""Drives a run while killing its worker on either side of every write it makes to the outside."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from bootstrap import families
from bootstrap.machine import ROOT
from bootstrap.stack import Stack
from tests.chaos.control import Control

#: What changes nothing: signing in to Azure, trying a registry's sign-in, and what is asked with a POST.
HARMLESS = ("/oauth2/", "/dockerhub", "/_sandbox", "/checkPolicyRestrictions", "/checkNameAvailability")
WRITES = ("PUT", "PATCH", "POST", "DELETE")
#: A launch is asked for with a GET.
LAUNCH = "/services/binder/build/"
FINAL = ("succeeded", "failed", "cancelled")


@dataclass(frozen=True, order=True)
class Write:
    """One kind of write: what differs from run to run is left out of the path."""

    method: str
    path: str

    @classmethod
    def of(cls, method: str, path: str) -> Write:
        path = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<id>", path.lower())
        path = re.sub(r"(binder-examples-requirements)-[a-z0-9]{8}", r"\1-<guest>", path)
        return cls(method, re.sub(r"\.v\d+$", ".v<n>", path))

    @property
    def by_helm(self) -> bool:
        """Whether Helm makes it, which makes forty of a kind; in the cluster we make the namespace only."""
        return "/k8s/" in self.path and not self.path.endswith("/namespaces")


class Horses:
    """The process that forks workers (tests/chaos/workhorse.py)."""

    def __init__(self, stack: Stack) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.workhorse"],
            cwd=ROOT,
            env=stack.env("worker"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = 0

    def ask(self, do: str, **more: Any) -> dict[str, Any]:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps({"do": do, **more}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        if "Traceback" in str(answer.get("error")):
            raise AssertionError(answer["error"])
        return answer

    def begin(self) -> None:
        self.pid = self.ask("work")["pid"]

    def kill(self) -> None:
        """SIGKILL to the worker and to all that it started, at once; to nobody where there is no worker."""
        if not self.pid:
            return
        family = families.descendants(self.pid)
        families.signal_all(family, 9)
        assert families.wait_gone(list(family), 5)

    def end(self) -> None:
        self.kill()
        self._process.communicate()


@dataclass
class Ordeal:
    """One run, with a death on either side of each kind of write; of Helm's, only of every `helm_share`-th."""

    stack: Stack
    horses: Horses
    helm_share: int = 1
    deaths: list[tuple[str, Write]] = field(default_factory=list)
    _helm_seen: dict[Write, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.control = Control(self.stack)

    def run(self, operation: str, patience: float) -> dict[str, Any]:
        """Works until the run has ended, however often it is killed; returns its state."""
        self._hold_everything()
        self.horses.begin()
        until, checked = time.monotonic() + patience, 0.0
        try:
            while True:
                held = self.control("held")
                if held:
                    self._meet(held)
                    continue
                time.sleep(0.01)
                if time.monotonic() - checked > 0.2:
                    found, checked = self.horses.ask("state", operation=operation), time.monotonic()
                    if found["status"] in FINAL:
                        return found
                    assert time.monotonic() < until, f"not finished: {found}; died {self.table()}"
        finally:
            self.control("faults", method="DELETE")
            self.horses.kill()

    def _meet(self, held: list[dict[str, Any]]) -> None:
        """Kills for the first request that still deserves it; lets the rest go on."""
        here = [(request["when"], Write.of(request["method"], request["path"])) for request in held]
        new = [death for death in here if self._deserves(death[1]) and death not in self.deaths]
        if new:
            self.deaths += dict.fromkeys(new)  # the worker dies of one of them, and all share it
            self._replace_worker()
        else:
            for request in held:
                self.control("held", {"number": request["number"]})

    def _replace_worker(self) -> None:
        """What the dead one had asked is dropped or lost first: the next one meets a quiet cloud."""
        self.horses.kill()
        until = time.monotonic() + 5
        while self.control("held"):
            assert time.monotonic() < until, "a request outlives its sender"
        self.horses.begin()

    def _deserves(self, write: Write) -> bool:
        if not write.by_helm:
            return True
        number = self._helm_seen.setdefault(write, len(self._helm_seen))
        return number % self.helm_share == 0

    def _hold_everything(self) -> None:
        harmless = "".join(f"(?!.*{path})" for path in HARMLESS)
        for method in WRITES:
            self.control("faults", {"path": f"^{harmless}", "method": method, "kind": "hold", "count": 10**6})
        self.control("faults", {"path": LAUNCH, "method": "GET", "kind": "hold", "count": 10**6})

    def table(self) -> str:
        return "\n".join(f"{when:6} {write.method:6} {write.path}" for when, write in self.deaths)

    def one_sided(self) -> set[Write]:
        """Writes that saw a death on one of their sides only."""
        sides = {when: {write for each, write in self.deaths if each == when} for when in ("before", "after")}
        return sides["before"] ^ sides["after"]


def made(rows: list[dict[str, Any]]) -> Counter[Write]:
    """How often each thing was made: answers 201, and new versions of secrets. Helm's own notes are not things."""
    found: Counter[Write] = Counter()
    for row in rows:
        path = row["path"].partition("?")[0]
        secret = row["method"] == "PUT" and "/kv/" in path and row["status"] == 200
        note = row["method"] == "POST" and path.endswith("/secrets")
        if (row["status"] == 201 and not note) or secret:
            found[Write.of(row["method"], path)] += 1
    return found
