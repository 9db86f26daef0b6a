"""The known hole: RQ's work-horse lives on when its parent is killed, so two processes run the same job.

Made to happen with real RQ workers: the parent is killed, its work-horse is stopped until its lease has run out and
another worker has taken the run over, and then goes on where it was.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bootstrap import families
from bootstrap.stack import Stack
from tests.chaos.control import Control
from tests.chaos.kills.monkey import children
from tests.chaos.seed import FULL
from tests.chaos.stacks import stack_of
from tests.chaos.writes import Horses
from tests.cloud.waiting import until

PATIENCE = 90.0
CLUSTER = "/managedClusters/outlived"


class Scene:
    """A stack with one worker and another that is still to come."""

    def __init__(self, stack: Stack) -> None:
        self.stack, self.control, self.horses = stack, Control(stack), Horses(stack)
        self.horses.ask("prepare")
        stack.kill("worker-2", family=True)

    def stop_in_the_middle(self, when: str) -> tuple[int, int]:
        """Stops the work-horse with a request of its on the way, its parent killed; returns its pid and the request."""
        (request,) = until(self.held, PATIENCE)
        if when == "after":
            self.control("held", {"number": request["number"]})
            request = until(lambda: next((each for each in self.held() if each["when"] == "after"), None))
        parent = self.stack.pids()["worker"]
        (horse,) = children(parent)
        self.stack.kill("worker")
        # Not while a thread of the parent is still dying: a group that is orphaned while it stands still gets a SIGHUP.
        until(lambda: parent_of(horse) != parent)
        os.kill(horse, signal.SIGSTOP)
        return horse, int(request["number"])

    def held(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.control("held")
        return found

    def state(self, operation: str) -> dict[str, Any]:
        return self.horses.ask("state", operation=operation)

    def ended(self, operation: str) -> dict[str, Any]:
        return until(lambda: found if (found := self.state(operation))["status"] == "succeeded" else None, PATIENCE)

    def is_gone(self, horse: int) -> bool:
        """Whether the old work-horse has ended; a request is held once more before it is answered."""
        self.control("held", {})
        return families.wait_gone([horse], 0.1)

    def answers_to_puts(self) -> list[int]:
        """With which status each request to make the cluster was answered."""
        rows = self.control.journal()
        return [row["status"] for row in rows if row["method"] == "PUT" and re.search(f"{CLUSTER}$", row["path"], re.I)]


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.fixture
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    home = tmp_path_factory.mktemp("outlived")
    with stack_of(home, workers=2) as stack:
        stack.start()
        scene = Scene(stack)
        yield scene
        scene.horses.end()


MOMENTS = [
    # It has asked already, and its request is late: the request itself says that it must be the first.
    ("PUT", "before", [201, 412]),
    # It has looked and found no cluster: the fence keeps it from asking for one at all.
    ("GET", "after", [201]),
]


@pytest.mark.parametrize(("method", "when", "answers"), MOMENTS if FULL else MOMENTS[:1])
def test_the_fence_refuses_what_a_work_horse_does_that_outlived_its_parent(
    method: str, when: str, answers: list[int], scene: Scene
) -> None:
    scene.control("faults", {"path": rf"{CLUSTER}(\?|$)", "method": method, "kind": "hold"})
    asked = scene.horses.ask("build", name="outlived")
    horse, request = scene.stop_in_the_middle(when)
    fence = scene.state(asked["operation"])["fence"]
    scene.stack.start("worker-2")
    before = scene.ended(asked["operation"])
    assert before["fence"] > fence
    scene.control("held", {"number": request})
    os.kill(horse, signal.SIGCONT)
    until(lambda: scene.is_gone(horse), PATIENCE)
    after = scene.state(asked["operation"])
    assert (after["status"], after["event_count"]) == ("succeeded", before["event_count"])
    assert after["numbers"] == list(range(1, after["event_count"] + 1))
    assert scene.answers_to_puts() == answers
