"""What may be done with a hub that stands, as its page shows it: versions, nodes, money, secrets, its end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from deployments import catalogue, outside
from deployments.catalogue import ChartChoice
from deployments.costs import spec_cost
from deployments.forms.description import secret_fields
from deployments.models import Deployment, Operation, SecretRef, SpecRevision
from deployments.pricing import Estimate
from deployments.remembering import recall_part
from deployments.services import HUB_TOKENS, REGISTRY_TOKEN
from deployments.spec import HubSpec
from deployments.states import Lifecycle, OperationKind, OperationStatus, SecretState, StepState
from deployments.wording import SOON

#: Runs after whose failure the hub goes on with what it had.
PUT_BACK_KINDS = (OperationKind.CHANGE, OperationKind.ROTATE)
#: Runs that bring a description to the hub.
APPLYING = (OperationKind.PROVISION, OperationKind.CHANGE)
#: The steps that put a hub back.
BACK = ("put-back", "pools-back", "tier-back", "registry-back")
STANDING = (Lifecycle.READY, Lifecycle.STOPPED)


@dataclass(frozen=True)
class Running:
    """A hub that stands, and what may be done with it now."""

    hub: Deployment
    revision: SpecRevision
    spec: HubSpec
    busy: bool
    cost: Estimate | None
    chart: ChartChoice
    charts: list[ChartChoice]
    kubernetes: list[str]
    secrets: list[SecretRef]

    @property
    def saving(self) -> Decimal | None:
        """What stopping it saves a month."""
        return self.cost.monthly - self.cost.stopped if self.cost else None

    @property
    def is_ready(self) -> bool:
        return self.hub.lifecycle == Lifecycle.READY

    @property
    def newest_secret(self) -> SecretRef | None:
        return max(self.secrets, key=lambda ref: ref.set_at, default=None)


def running(hub: Deployment, busy: bool | None = None) -> Running | None:
    """None for a hub that is not built yet, is going or gone. Whether it is busy is looked up unless it is told."""
    if hub.lifecycle not in STANDING:
        return None
    revision = hub.revision
    spec = revision.spec
    versions = recall_part(f"offer:{spec.subscription_id.lower()}:{spec.region}", "versions")
    listed = catalogue.charts()
    return Running(
        hub=hub,
        revision=revision,
        spec=spec,
        busy=_is_busy(hub) if busy is None else busy,
        cost=spec_cost(spec),
        chart=present_chart(listed, spec.chart_version),
        charts=newer_charts(listed, spec.chart_version),
        kubernetes=newer_kubernetes(versions or (), spec.kubernetes_version),
        secrets=_secrets(hub, spec),
    )


def _is_busy(hub: Deployment) -> bool:
    return hub.operations.filter(status__in=[OperationStatus.RUNNING, OperationStatus.WAITING]).exists()


def present_chart(listed: list[ChartChoice], present: str) -> ChartChoice:
    """The version of the chart that it runs, with what the repository tells of it."""
    known = (each for each in listed if each.version == present)
    return next(known, ChartChoice(present, None, ""))


def _secrets(hub: Deployment, spec: HubSpec) -> list[SecretRef]:
    """Those that the hub uses; one from before a change stays in the vault until the hub goes, and is of no use."""
    made = [HUB_TOKENS, *([REGISTRY_TOKEN] if spec.registry == "acr" else [])]
    used = hub.secrets.filter(state=SecretState.STORED, purpose__in=[*secret_fields(spec), *made])
    return list(used.select_related("set_by").order_by("purpose"))


def newer_charts(listed: list[ChartChoice], present: str) -> list[ChartChoice]:
    """The versions above the present one in the repository's list; all of them while it does not list that one."""
    place = next((number for number, each in enumerate(listed) if each.version == present), len(listed))
    return listed[:place]


def newer_kubernetes(offered: Iterable[str], present: str) -> list[str]:
    """What Azure lets a cluster become: newer patches of its minor version, and the next minor one."""
    now = _number(present)
    fitting = [each for each in offered if now < _number(each) and _number(each)[:2] <= (now[0], now[1] + 1)]
    return sorted(fitting, key=_number, reverse=True)


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:3])


@dataclass(frozen=True)
class Refused:
    """A change, or new secrets, that did not work: the hub serves what it served before."""

    operation: Operation
    serves: SpecRevision
    put_back: StepState | None
    #: The version of Kubernetes that it brought, which Azure cannot take back; "" where it brought none.
    kept_kubernetes: str = ""

    @property
    def is_rotation(self) -> bool:
        return self.operation.kind == OperationKind.ROTATE

    @property
    def is_broken(self) -> bool:
        """Putting it back failed too."""
        return self.put_back is not None and self.put_back != StepState.DONE


def refused(hub: Deployment) -> Refused | None:
    """The newest change, when it did not work; said while the hub serves, until another one does."""
    newest = hub.operations.filter(kind__in=PUT_BACK_KINDS).select_related("revision").order_by("-created_at").first()
    if newest is None or newest.status != OperationStatus.FAILED or hub.lifecycle != Lifecycle.READY:
        return None
    steps = dict(newest.steps.filter(name__in=[*BACK, "control-plane"]).values_list("name", "state"))
    states = [steps[name] for name in BACK if name in steps]
    undone = [state for state in states if state != StepState.DONE]
    put_back = StepState.of((undone or states)[0]) if states else None
    wanted, present = newest.revision.spec.kubernetes_version, hub.revision.spec.kubernetes_version
    kept = wanted if steps.get("control-plane") == StepState.DONE and wanted != present else ""
    return Refused(newest, hub.revision, put_back, kept)


def record(hub: Deployment, revision: SpecRevision) -> str:
    """The record that the hub's own domain needs; "" for a hub without one."""
    return outside.record(revision.spec, hub.names)


def elsewhere(spec: HubSpec) -> list[str]:
    """What a hub leaves behind that is not Slipway's to remove, in words."""
    images = {"dockerhub": "images on Docker Hub", "other": f"images in {spec.registry_address}", "acr": ""}
    app = "your OAuth app on GitHub" if spec.signs_in else ""
    record = f"the record of {spec.domain}" if spec.domain else ""
    return [each for each in (images[spec.registry], app, record) if each]


def sign_in_tried(hub: Deployment) -> dict[str, Any] | None:
    """What the newest try of the hub's sign-in proved."""
    if hub.lifecycle != Lifecycle.READY or not hub.revision.spec.signs_in:
        return None
    tried = hub.operations.filter(result__has_key="sign_in").order_by("-created_at")
    proved = tried.values_list("result", flat=True).first()
    return proved["sign_in"] if proved else None


def waiting_change(hub: Deployment, newest: SpecRevision) -> SpecRevision | None:
    """The newest revision, while it waits for a reviewer: a later change takes its place."""
    waits = newest.needs_review and getattr(newest, "review", None) is None
    return newest if waits and hub.lifecycle == Lifecycle.READY else None


def rejected_change(newest: SpecRevision) -> SpecRevision | None:
    """The newest revision, when a reviewer has said no to it."""
    review = getattr(newest, "review", None)
    return newest if newest.needs_review and review and not review.approved else None


def revisions(hub: Deployment) -> QuerySet[SpecRevision]:
    """All of them, newest first."""
    return hub.revisions.select_related("author", "review__reviewer").order_by("-number")


def with_runs(hub: Deployment, revisions: Iterable[SpecRevision]) -> list[SpecRevision]:
    """These revisions, each with `run`: how bringing it to the hub went, or goes."""
    found = list(revisions)
    applied = hub.operations.filter(kind__in=APPLYING, revision__in=[revision.id for revision in found])
    runs = dict(applied.order_by("created_at").values_list("revision", "status"))
    for revision in found:
        revision.run = runs.get(revision.id, "")  # type: ignore[attr-defined]
    return found


def ends_soon(hub: Deployment, today: date | None = None) -> bool:
    """Whether its last day is near, so that the page says so."""
    return hub.lifecycle in STANDING and (hub.keep_until - (today or timezone.localdate())).days <= SOON
