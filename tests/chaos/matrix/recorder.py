"""Records which calls each step makes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deployments import outside
from tests.chaos.matrix.calls import Call, ours
from tests.chaos.matrix.clockwork import Wrapped
from tests.sandbox_process import SandboxProcess
from worker.hub import HubContext
from worker.step import Step


class Recorder:
    """`Clockwork(recorder.wrap)` fills `recorder.calls`.

    Each step is met by a worker that has just been started: it signs in and fetches the cluster's credentials anew.
    """

    def __init__(self, cloud: SandboxProcess) -> None:
        self.cloud, self.calls = cloud, set[Call]()
        cloud.control("recording", {})
        self._last = max((row["number"] for row in cloud.control("recording")), default=0)

    def wrap(self, step: Step[Any]) -> Step[Any]:
        return Recorded(step, self)

    def take(self, operation: str, step: str) -> None:
        """Notes what was asked since the last time as that step's."""
        self.calls |= {Call.of(operation, step, row) for row in ours(self.skip())}

    def skip(self) -> list[dict[str, Any]]:
        """What came since the last time: between two steps it is the test's own."""
        rows: list[dict[str, Any]] = self.cloud.control(f"recording?since={self._last}")
        self._last = max((row["number"] for row in rows), default=self._last)
        return rows


class Recorded(Wrapped):
    def __init__(self, inner: Step[Any], recorder: Recorder) -> None:
        super().__init__(inner)
        self.recorder = recorder

    def around(self, ctx: HubContext, work: Callable[[], Any]) -> Any:
        self.recorder.skip()
        as_if_just_started(ctx)
        try:
            return work()
        finally:
            self.recorder.take(ctx.operation.kind, self.name)


def as_if_just_started(ctx: HubContext) -> None:
    """Forgets everything that a worker remembers beside the database."""
    ctx.forget_credentials()
    for made in (outside.azure, outside.vault):
        made.cache_clear()
