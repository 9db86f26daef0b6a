"""One decision about a hub at a time, and each of them told."""

from __future__ import annotations

from uuid import UUID

from accounts.models import User
from deployments.events import Line, record
from deployments.models import Deployment


def hold(deployment_id: UUID) -> None:
    """Inside a transaction: makes every other decision about this hub, and the end of its runs, wait for its end.

    Always the first lock that is taken. Two that took the hub's and its run's row in different orders would wait for
    one another, and two that each start a run would meet in the constraint instead of one after the other.
    """
    list(Deployment.objects.select_for_update().filter(id=deployment_id).values_list("id"))


def note(deployment: Deployment, told: str, user: User) -> None:
    """Tells of a decision that starts no run of its own, in the log of what was last done to the hub.

    A hub to which nothing has been done yet has no log: there the decision shows in the hub itself.
    """
    newest = deployment.operations.order_by("-created_at").first()
    if newest is not None:
        record(newest.id, [Line(told, by=user)])
