"""Hubs that stand, as pages show them: ready, with a chart behind them that has newer versions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.utils import timezone

from deployments.models import CatalogueEntry, Deployment, Operation, SecretRef, SpecRevision
from deployments.states import Health, Lifecycle, OperationKind, OperationStatus, SecretState

CHARTS = [
    ("1.0.0-0.dev.git.3958.haf9ca8b1+mark", "2025-09-08T09:12:41+00:00", "4.2.0"),
    ("1.0.0-0.dev.git.3673.h040c9bbe+mark", "2024-11-18T13:20:05+00:00", "4.0.0"),
]


def ready(make_hub: Callable[..., Deployment], lifecycle: str = Lifecycle.READY, **changes: Any) -> Deployment:
    """A hub that serves its first revision: the older chart, Kubernetes 1.33.6 unless `changes` say otherwise."""
    rows = [{"version": version, "created": created, "inside": inside} for version, created, inside in CHARTS]
    CatalogueEntry.objects.update_or_create(key="charts", defaults={"data": {"rows": rows}})
    hub = make_hub(lifecycle=lifecycle)
    described = {"chart_version": CHARTS[1][0], "kubernetes_version": "1.33.6"} | changes
    revision = hub.revision
    SpecRevision.objects.filter(id=revision.id).update(data=replace(revision.spec, **described).to_json())
    Deployment.objects.filter(id=hub.id).update(serving=revision, health=Health.HEALTHY, ready_at=timezone.now())
    hub.refresh_from_db()
    return hub


def stored(hub: Deployment, *purposes: str) -> None:
    """Secrets that the hub has in the vault."""
    for purpose in purposes:
        SecretRef.objects.create(
            deployment=hub, purpose=purpose, vault_name=f"{hub.id.hex}-{purpose}", set_by=hub.owner, version="first",
            state=SecretState.STORED,
        )  # fmt: skip


def asked_change(hub: Deployment, **changes: Any) -> SpecRevision:
    """A change that waits for a reviewer."""
    spec = replace(hub.revision.spec, **changes)
    number = hub.revisions.count() + 1
    return SpecRevision.objects.create(
        deployment=hub, number=number, data=spec.to_json(), author=hub.owner, needs_review=True
    )


def failed_change(
    hub: Deployment, kind: str = OperationKind.CHANGE, put_back: str = "done", **changes: Any
) -> Operation:
    """A change that did not work, and how putting it back went ("": it was not begun)."""
    revision = hub.revision
    if kind == OperationKind.CHANGE:
        spec = replace(revision.spec, **(changes or {"node_count": 2}))
        revision = SpecRevision.objects.create(deployment=hub, number=2, data=spec.to_json(), author=hub.owner)
    operation = Operation.objects.create(
        deployment=hub, revision=revision, kind=kind, status=OperationStatus.FAILED, requested_by=hub.owner,
        error_message="The pods of the hub keep ending.", error_remedy="Look at the log of the pod “hub”.",
    )  # fmt: skip
    if put_back:
        operation.steps.create(name="put-back", title="Put back", position=9, state=put_back)
    return operation
