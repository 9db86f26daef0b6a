"""Plans of small made-up steps over a world that is a dict, for the real engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone

from cloud.errors import PermanentError, SlipwayError
from deployments.models import Deployment, Event, Operation, SpecRevision, StepRun
from deployments.spec import HubSpec
from deployments.states import Lifecycle, OperationStatus
from worker import engine, leases
from worker.context import Context
from worker.step import Found, Step

Plan = Sequence[Step[Any]]


class Made(Step[Context]):
    """Makes one thing: absent until applied, then changing for so many looks, then ready."""

    def __init__(self, name: str, world: dict[str, int], after: tuple[str, ...] = (), looks: int = 0) -> None:
        self.name, self.title, self.after = name, f"Make {name}", after
        self.world, self.looks = world, looks
        self.applied, self.aborted = 0, 0

    def check(self, ctx: Context) -> Found:
        left = self.world.get(self.name)
        if left is None:
            return Found.absent()
        if left > 0:
            self.world[self.name] = left - 1
            return Found.changing(f"{left} looks to go", wait=0.0)
        return Found.ready(f"{self.name} is there")

    def apply(self, ctx: Context) -> None:
        ctx.intend("thing", f"/things/{self.name}", self.name)
        self.applied += 1
        self.world[self.name] = self.looks

    def abort(self, ctx: Context) -> None:
        self.aborted += 1


class Troubled(Made):
    """Raises what it is given, one by one, before it makes anything."""

    def __init__(self, name: str, world: dict[str, int], troubles: list[Exception], **more: Any) -> None:
        super().__init__(name, world, **more)
        self.troubles = troubles

    def apply(self, ctx: Context) -> None:
        if self.troubles:
            raise self.troubles.pop(0)
        super().apply(ctx)


class Doubts(Troubled):
    """Believes a refusal when it hears it twice."""

    doubts = True


class Remedy(Made):
    """Runs only when one of the named steps has failed."""

    def __init__(self, name: str, world: dict[str, int], remedies: tuple[str, ...], **more: Any) -> None:
        super().__init__(name, world, **more)
        self.remedies = remedies


class Waits(Step[Context]):
    """Never becomes ready by itself."""

    name, title, deadline = "waits", "Wait", 60

    def check(self, ctx: Context) -> Found:
        return Found.changing("still waiting")


class Explains(Troubled):
    """Knows the cause of its failures, unless looking for it goes wrong."""

    def __init__(self, trouble: Exception, cause: Exception) -> None:
        super().__init__("thing", {}, [trouble])
        self.cause = cause

    def explain(self, ctx: Context, error: SlipwayError) -> SlipwayError:
        if isinstance(self.cause, PermanentError):
            return self.cause
        raise self.cause


def requested(owner: Any, name: str = "hub", lifecycle: str = Lifecycle.REQUESTED) -> Deployment:
    """A hub that somebody asked for."""
    spec = HubSpec(
        name=name,
        purpose="test",
        subscription_id="s",
        region="uksouth",
        node_size="Standard_D2s_v5",
        node_count=1,
        kubernetes_version="1.34.2",
        docker_username="someone",
        image_prefix="x-",
        keep_until=date.today() + timedelta(days=3),
        chart_version="1",
    )
    deployment = Deployment.objects.create(
        id=uuid4(),
        owner=owner,
        name=name,
        address="http://127.1.1.1/",
        keep_until=spec.keep_until,
        lifecycle=lifecycle,
    )
    SpecRevision.objects.create(deployment=deployment, number=1, data=spec.to_json(), author=owner)
    return deployment


def operation_of(owner: Any, name: str = "hub", **values: Any) -> Operation:
    """A running provision of a hub that nobody else touches."""
    deployment = requested(owner, name, Lifecycle.PROVISIONING)
    usual = {"deployment": deployment, "revision": deployment.revision, "kind": "provision", "requested_by": owner}
    return Operation.objects.create(**usual | values)


def one_pass(operation: Operation, plan: Plan, now: Callable[[], Any] = timezone.now) -> Operation:
    """Claims the operation, whatever it waits for, and visits it once."""
    StepRun.objects.filter(operation=operation).update(next_due_at=timezone.now() - timedelta(seconds=1))
    Operation.objects.filter(id=operation.id).update(next_due_at=timezone.now() - timedelta(seconds=1))
    ((claimed, fence),) = [each for each in leases.claim(50) if each[0] == operation.id]
    fresh = Operation.objects.select_related("deployment", "revision").get(id=claimed)
    engine.Pass(fresh, fence, plan, Context, now=now).go()
    operation.refresh_from_db()
    return operation


def to_the_end(operation: Operation, plan: Plan, passes: int = 50) -> Operation:
    """Visits it until it has ended."""
    for _ in range(passes):
        if one_pass(operation, plan).status != OperationStatus.RUNNING:
            return operation
    raise AssertionError(f"still running after {passes} passes")


def states(operation: Operation) -> dict[str, str]:
    return dict(operation.steps.values_list("name", "state"))


def lines(operation_id: UUID) -> list[str]:
    return list(Event.objects.filter(operation=operation_id).order_by("number").values_list("message", flat=True))
