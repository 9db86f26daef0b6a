"""News about a hub for its owner: what was decided, that it is ready or gone, that something failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from deployments.letters import tell
from deployments.models import Deployment, Notice, Operation, Review
from deployments.states import OperationKind, OperationStatus

#: News older than this is no news: after an upgrade nobody is written to about last year.
FRESH = timedelta(days=1)
#: Runs that a person waits for without looking at the page, and the letter about their good end.
ENDS = {
    OperationKind.PROVISION: "mail/ready.txt",
    OperationKind.TEARDOWN: "mail/gone.txt",
    OperationKind.FORGET: "mail/forgotten.txt",
}
SUBJECTS = {
    OperationKind.PROVISION: "{} is ready",
    OperationKind.TEARDOWN: "{} is gone, and nothing is left",
    OperationKind.FORGET: "The record of {} was ended",
}
#: Runs whose failure is shown to who started them, on the page they look at.
WATCHED = (OperationKind.TRY_LAUNCH, OperationKind.CLEAN_UP)


@dataclass(frozen=True)
class Letter:
    """One letter to be sent."""

    hub: Deployment
    kind: str
    subject: str
    template: str
    context: dict[str, Any]


def due(now: datetime) -> list[Letter]:
    """The letters that have not gone out."""
    letters = [*_decisions(now), *_ends(now)]
    sent = set(Notice.objects.filter(kind__in=[letter.kind for letter in letters]).values_list("deployment", "kind"))
    return [letter for letter in letters if (letter.hub.id, letter.kind) not in sent]


def send_letters(now: Callable[[], datetime] = timezone.now) -> int:
    """Sends what is due; returns how many went out."""
    return sum(tell(letter.hub, letter.kind, letter.subject, letter.template, letter.context) for letter in due(now()))


def _decisions(now: datetime) -> Iterator[Letter]:
    reviews = Review.objects.filter(at__gt=now - FRESH)
    for review in reviews.select_related("reviewer", "revision__deployment__owner"):
        hub, revision = review.revision.deployment, review.revision
        what = f"Your change of {hub.name}" if revision.needs_review else hub.name
        subject = f"{what} is {'approved' if review.approved else 'not approved'}"
        yield Letter(hub, f"decided-{revision.number}", subject, "mail/decided.txt", {"review": review, "what": what})


def _ends(now: datetime) -> Iterator[Letter]:
    ended = Operation.objects.filter(
        finished_at__gt=now - FRESH, status__in=[OperationStatus.SUCCEEDED, OperationStatus.FAILED]
    ).exclude(kind__in=WATCHED)
    for operation in ended.select_related("deployment__owner", "deployment__serving"):
        hub, kind = operation.deployment, OperationKind.of(operation.kind)
        noted = f"{operation.status}-{operation.id.hex[:24]}"
        if operation.status == OperationStatus.FAILED:
            subject = f"{kind.label} of {hub.name} failed"
            yield Letter(hub, noted, subject, "mail/failed.txt", {"operation": operation})
        elif kind in ENDS:
            yield Letter(hub, noted, SUBJECTS[kind].format(hub.name), ENDS[kind], {"operation": operation})
