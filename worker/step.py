"""What a step is: it looks before it acts, and never waits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from cloud.errors import SlipwayError
from deployments.spec import HubSpec


class State(Enum):
    """What a look at the cloud can tell about the thing a step is about."""

    ABSENT = "absent"
    DRIFTED = "drifted"
    CHANGING = "changing"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True)
class Watch:
    """As long as the shared look `lookout` shows `mark` for `thing`, a look of one's own would find nothing new."""

    lookout: str
    thing: str
    mark: str


@dataclass(frozen=True)
class Found:
    """The result of one look. `summary` is shown beside the step and logged when it changes.

    `wait` is the least number of seconds before another look can tell anything new; None leaves it to the engine.
    With `watch` no look is taken at all until the shared look shows something else.
    """

    state: State
    summary: str = ""
    error: SlipwayError | None = None
    wait: float | None = None
    watch: Watch | None = None

    @classmethod
    def absent(cls, summary: str = "") -> Found:
        return cls(State.ABSENT, summary)

    @classmethod
    def drifted(cls, summary: str = "") -> Found:
        return cls(State.DRIFTED, summary)

    @classmethod
    def changing(cls, summary: str = "", wait: float | None = None, watch: Watch | None = None) -> Found:
        return cls(State.CHANGING, summary, wait=wait, watch=watch)

    @classmethod
    def ready(cls, summary: str = "") -> Found:
        return cls(State.READY, summary)

    @classmethod
    def failed(cls, error: SlipwayError) -> Found:
        return cls(State.FAILED, error.user_message, error)


C = TypeVar("C")


class Step(ABC, Generic[C]):
    """One thing of a plan. `check` only looks; `apply` starts what is missing and returns at once.

    Both may run again after a crash at any point, in another process: every write is idempotent or conditional, and
    is announced by `ctx.intend(…)` just before it is made.
    """

    name: str
    title: str
    #: Names of the steps that must be done before; steps that do not name one another overlap.
    after: tuple[str, ...] = ()
    #: Names of the steps whose failure this one puts right again; such a step runs in no other case.
    remedies: tuple[str, ...] = ()
    #: Seconds it takes on a usual day, and at the most.
    expected: int = 5
    deadline: int = 600
    #: Whether it needs much of this machine's CPU: as many of those go on at once as there are cores, in turn.
    heavy: bool = False
    #: Whether it asks others than Azure, in whose name a proxy or a network's portal may have answered with a page:
    #: nothing tells such a refusal from a true one, but that it passes.
    doubts: bool = False

    @abstractmethod
    def check(self, ctx: C) -> Found:
        """Tells how things stand."""

    def apply(self, ctx: C) -> None:
        """Starts making what `check` found absent or drifted."""
        raise AssertionError(f"{self.name} only looks; its check may not say absent or drifted")

    def explain(self, ctx: C, error: SlipwayError) -> SlipwayError:
        """The error that people are told when the step fails: with its cause, where the step can find that out."""
        return error

    def concerns(self, spec: HubSpec) -> bool:
        """Whether such a hub needs the step at all; one that does not is left out of its plan."""
        return True

    def abort(self, ctx: C) -> None:
        """Asks the cloud to give up what is under way, where it can."""
