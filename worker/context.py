"""What the engine hands to a step: the step's own memory, the log, and the ledger. Knows no Azure."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from deployments.events import FenceLost, Line, record
from deployments.models import Operation, Resource, StepRun
from deployments.states import Level, OperationStatus
from worker.lookouts import Lookouts


@dataclass
class Context:
    """One step in one pass. Everything it records is void once another worker holds the operation."""

    #: The shared looks that steps with such a context may wait for.
    lookouts: ClassVar[Lookouts | None] = None

    operation: Operation
    fence: int
    run: StepRun
    #: Seconds that a step may spend listening to something that talks slowly, when nothing else is due.
    patience: float = 3.0
    now: Callable[[], datetime] = timezone.now
    cache: dict[str, Any] = field(default_factory=dict)

    @property
    def deployment_id(self) -> UUID:
        return self.operation.deployment_id

    def turn(self) -> AbstractContextManager[object]:
        """Held while the step looks and acts: what it asks of the outside is asked in this hub's name."""
        return nullcontext()

    def log(self, message: str, level: Level = Level.INFO) -> None:
        """Writes one line to the run's log."""
        record(self.operation.id, [Line(message, level, self.run.name)], fence=self.fence)

    def log_lines(self, messages: list[str], level: Level = Level.INFO) -> None:
        if messages:
            record(self.operation.id, [Line(text, level, self.run.name) for text in messages], fence=self.fence)

    def hold(self) -> None:
        """Confirms, against the database, that the operation is still ours and nobody asked to stop.

        :raises FenceLost: otherwise.
        """
        mine = Operation.objects.filter(
            id=self.operation.id, fence=self.fence, status=OperationStatus.RUNNING, cancel_requested=False
        )
        if not mine.exists():
            raise FenceLost(str(self.operation.id))

    def intend(self, kind: str, cloud_id: str, name: str) -> None:
        """Enters a thing into the ledger as the last act before the call that makes it.

        :raises FenceLost: the operation is another worker's by now: do not make the call.
        """
        with transaction.atomic():
            self.hold()
            Resource.objects.update_or_create(
                deployment_id=self.deployment_id,
                kind=kind,
                cloud_id=cloud_id,
                defaults={"name": name, "intended_at": self.now(), "gone_at": None},
            )

    def seen(self, kind: str, cloud_id: str, name: str) -> None:
        """Notes that the thing exists; also for what the cloud made by itself on our behalf."""
        row, _ = Resource.objects.get_or_create(
            deployment_id=self.deployment_id, kind=kind, cloud_id=cloud_id, defaults={"name": name}
        )
        if row.seen_at is None or row.gone_at is not None:
            Resource.objects.filter(id=row.id).update(seen_at=self.now(), gone_at=None)

    def gone(self, kind: str) -> None:
        """Notes that everything of this kind is no longer there."""
        rows = Resource.objects.filter(deployment_id=self.deployment_id, kind=kind, gone_at=None)
        rows.update(gone_at=self.now())

    def keep_token(self, token: str) -> None:
        """Remembers how to go on following what was started."""
        self.run.token = token
        StepRun.objects.filter(id=self.run.id, operation__fence=self.fence).update(token=token)

    def troubled(self, code: str) -> float:
        """Notes the diagnosis of what the step waits for; for how many seconds it has been that, in this try."""
        run = self.run
        if code != run.trouble:
            run.trouble, run.trouble_since = code, self.now()
            values = {"trouble": run.trouble, "trouble_since": run.trouble_since}
            StepRun.objects.filter(id=run.id, operation__fence=self.fence).update(**values)
        since = [moment for moment in (run.trouble_since, run.started_at) if moment]
        return (self.now() - max(since)).total_seconds() if since else 0.0

    @property
    def waited(self) -> float:
        """Seconds since the step began."""
        return (self.now() - self.run.started_at).total_seconds() if self.run.started_at else 0.0

    def keep_result(self, **values: Any) -> None:
        """Adds to what the operation proved."""
        with transaction.atomic():
            mine = Operation.objects.select_for_update().filter(id=self.operation.id, fence=self.fence).first()
            if mine is None:
                raise FenceLost(str(self.operation.id))
            mine.result = {**mine.result, **values}
            mine.save(update_fields=["result"])
            self.operation.result = mine.result
