"""Where the cloud and our records differ, as pages show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from deployments import catalogue
from deployments.models import Deployment, Discrepancy, Operation, Survey
from deployments.states import ENDINGS, DiscrepancyKind, Lifecycle, OperationKind, OperationStatus
from deployments.surveys import VAULT

#: Hubs named beside a place that cannot be looked at.
NAMED = 30


@dataclass(frozen=True)
class Place:
    """Where Slipway looks; `hubs` are those that stand there, named while nobody can look."""

    survey: Survey
    name: str
    hubs: list[Deployment]


@dataclass(frozen=True)
class Overview:
    """Everything an administrator has to decide about, and when it was looked for."""

    left: list[Discrepancy]
    gone: list[Discrepancy]
    drifted: list[Discrepancy]
    places: list[Place]

    @property
    def looked_at(self) -> datetime | None:
        """Since when everything is known: the oldest of the places' last looks; None while one was never looked at."""
        looks = [place.survey.looked_at for place in self.places]
        known = [look for look in looks if look is not None]
        return min(known) if known and len(known) == len(looks) else None


def overview() -> Overview:
    rows = list(Discrepancy.objects.select_related("deployment__owner", "accepted_by"))
    _note_runs(rows)
    by_kind = {kind: [row for row in rows if row.kind == kind] for kind in DiscrepancyKind}
    return Overview(
        left=by_kind[DiscrepancyKind.LEFT_OVER],
        gone=by_kind[DiscrepancyKind.GONE],
        drifted=by_kind[DiscrepancyKind.DRIFTED],
        places=[_place(survey) for survey in Survey.objects.order_by("place")],
    )


def noted(row: Discrepancy) -> Discrepancy:
    """One of them, with what is being done about it."""
    _note_runs([row])
    return row


def _note_runs(rows: list[Discrepancy]) -> None:
    """Gives each `run`, what is being done to its hub now, and `forgotten`, by whom and why its record was ended."""
    runs = Operation.objects.filter(deployment__in=[row.deployment_id for row in rows if row.deployment_id])
    open_runs = runs.filter(status__in=[OperationStatus.RUNNING, OperationStatus.WAITING])
    running = {run.deployment_id: run for run in open_runs}
    forgotten = runs.filter(kind=OperationKind.FORGET).select_related("requested_by")
    ended = {run.deployment_id: run for run in forgotten}
    for row in rows:
        row.run = running.get(row.deployment_id)  # type: ignore[attr-defined, arg-type]
        row.forgotten = ended.get(row.deployment_id)  # type: ignore[attr-defined, arg-type]


def _place(survey: Survey) -> Place:
    if survey.place == VAULT:
        return Place(survey, "The vault with the hubs' secrets", [])
    known = catalogue.subscription(survey.place)
    hubs = Deployment.objects.live().filter(revisions__data__subscription_id__iexact=survey.place)
    named = list(hubs.distinct().select_related("owner")[:NAMED]) if survey.problem else []
    return Place(survey, known.name if known else survey.place, named)


@dataclass(frozen=True)
class Differs:
    """What is to be said of one hub on its page; `since` when it is gone."""

    gone: Discrepancy | None
    drifted: Discrepancy | None


def differs(hub: Deployment) -> Differs:
    """Nothing is said of what somebody left as it is, nor of a hub that ends."""
    if hub.lifecycle in (Lifecycle.DELETED, Lifecycle.REJECTED):
        return Differs(None, None)
    found = {row.kind: row for row in hub.discrepancies.filter(accepted_at=None)}
    return Differs(found.get(DiscrepancyKind.GONE), found.get(DiscrepancyKind.DRIFTED))


def last_receipt(hub: Deployment) -> Operation | None:
    """The newest run that wrote one, or was to."""
    endings = hub.operations.filter(kind__in=ENDINGS).order_by("-created_at")
    return next((run for run in endings if run.result.get("receipt")), None) or endings.first()


def forgotten(hub: Deployment) -> Operation | None:
    """Who ended the hub's record without touching the cloud, when, and why."""
    return hub.operations.filter(kind=OperationKind.FORGET).select_related("requested_by").first()
