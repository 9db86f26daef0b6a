"""The roles that connect_azure makes are enough for whole lives of hubs, and web and worker stay within them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import SubscriptionGrant
from bootstrap.machine import ROOT
from deployments import outside, services
from deployments.models import Deployment, Discrepancy, Operation
from deployments.naming import OWNER_TAG
from deployments.spec import HubSpec
from deployments.states import OperationStatus, Outcome
from tests.operating.conftest import acting
from tests.operating.tenant import Tenant, prepared
from tests.sandbox_process import SandboxProcess
from tests.web.conftest import hub_spec
from tests.worker.driving import Drive
from worker.chores import survey

#: A wish that Azure takes: done, begun, or nothing to do.
ACCEPTED = {200, 202, 204}
DOCKER = {services.DOCKER_TOKEN: "dckr_pat_demo"}
OF_ITS_OWN = {"registry": "acr", "docker_username": ""}


@pytest.fixture(scope="module")
def tenant(cloud: SandboxProcess) -> Iterator[Tenant]:
    yield prepared(cloud)


@pytest.fixture(autouse=True)
def quick(settings: Any, tmp_path: Path) -> None:
    settings.SLIPWAY_POLL_SECONDS = 0.02
    settings.SLIPWAY_LIST_LAG_SECONDS = 0.3
    settings.SLIPWAY_HELM_STUCK_SECONDS = 0.3
    settings.HELM_BINARY = os.environ.get("HELM_BINARY", str(ROOT / "var/bin/helm"))


def spec(tenant: Tenant, **changes: Any) -> HubSpec:
    small = {"node_size": "Standard_D2s_v5", "node_count": 1, "chart_version": outside.profile().chart_version}
    described = hub_spec("course", timezone.localdate() + timedelta(days=7))
    return replace(described, subscription_id=tenant.subscription, **small, **changes)


class Life:
    """A hub's, in which the web asks and the worker does, each as the identity that it is."""

    def __init__(self, tenant: Tenant, people: dict[str, Any]) -> None:
        self.tenant, self.people, self.drive = tenant, people, Drive()
        SubscriptionGrant.objects.create(subscription_id=tenant.subscription)

    def web(self) -> AbstractContextManager[None]:
        return acting(self.tenant.environ(self.tenant.web))

    def worker(self) -> AbstractContextManager[None]:
        return acting(self.tenant.environ(self.tenant.worker))

    def requested(self, secrets: dict[str, str], **changes: Any) -> Deployment:
        with self.web():
            return services.request_hub(self.people["researcher"], uuid4(), spec(self.tenant, **changes), secrets)

    def begin(self, secrets: dict[str, str], **changes: Any) -> Deployment:
        hub = self.requested(secrets, **changes)
        self.move(services.approve(self.people["reviewer"], hub, 1))
        hub.refresh_from_db()
        return hub

    def move(self, operation: Operation, *, to: str = OperationStatus.SUCCEEDED) -> None:
        with self.worker():
            self.drive(operation)
        assert operation.status == to, operation.error_message

    def move_until(self, operation: Operation, step: str) -> None:
        """Until Azure has been asked for what the step makes."""
        with self.worker():
            self.drive.until(operation, lambda: operation.steps.filter(name=step).exclude(token="").exists())
        assert not operation.is_final, operation.error_message

    def change(self, hub: Deployment, **fields: Any) -> Operation:
        """Asked for, not begun by any worker yet."""
        hub.refresh_from_db()
        wanted = replace(hub.revision.spec, **fields)
        with self.web():
            services.change(self.people["reviewer"], hub, hub.revision.number, wanted, {})
        return hub.operations.order_by("-created_at")[0]

    def end(self, hub: Deployment) -> None:
        """Takes it down, with proof that nothing is left."""
        hub.refresh_from_db()
        ended = services.tear_down(self.people["researcher"], hub, hub.name)
        self.move(ended)
        assert ended.result["receipt"]["complete"]

    def leave(self, group: str, kind: str, hub: Deployment) -> None:
        """A thing that bears the hub's tag, in a group that is not the hub's."""
        thing = {"group": group, "name": kind.rpartition("/")[2], "type": kind, "tags": {OWNER_TAG: str(hub.id)}}
        self.tenant.cloud.control("azure/leftover", {"subscription": self.tenant.subscription, **thing})

    def answers(self, method: str, ending: str) -> set[int]:
        """How Azure answered requests of that kind in this tenant's subscription."""
        rows = self.tenant.cloud.control("journal")
        mine = (row for row in rows if self.tenant.subscription in row["path"] and row["method"] == method)
        return {row["status"] for row in mine if row["path"].lower().endswith(ending)}


@pytest.fixture
def life(tenant: Tenant, people: dict[str, Any]) -> Life:
    return Life(tenant, people)


def test_a_hub_with_a_docker_hub_account_lives_and_ends(life: Life, people: dict[str, Any]) -> None:
    hub = life.begin(DOCKER)
    life.move(services.stop(people["researcher"], hub))
    hub.refresh_from_db()
    life.move(services.start(people["researcher"], hub))
    life.end(hub)


def test_a_hub_with_a_registry_of_its_own_lives_and_ends(life: Life) -> None:
    life.end(life.begin({}, name="registry", **OF_ITS_OWN))


def test_a_hub_is_changed_given_new_secrets_and_put_back(life: Life, people: dict[str, Any]) -> None:
    hub = life.begin(DOCKER, name="changing", kubernetes_version="1.33.6")
    size = hub.revision.spec.node_size
    life.move(life.change(hub, kubernetes_version="1.34.3", node_count=2, tier="Standard"))
    life.move(life.change(hub, user_node_size=size, user_nodes_min=1, user_nodes_max=2))
    life.move(life.change(hub, user_node_size="", user_nodes_min=0, user_nodes_max=0))
    life.move(life.change(hub, registry="acr", docker_username=""))
    with life.web():
        renewed = services.rotate(people["researcher"], hub, {}, hub_tokens=True)
    life.move(renewed)
    life.move(services.put_back(people["researcher"], hub))
    life.end(hub)


def test_a_change_that_fails_is_put_back(life: Life) -> None:
    hub = life.begin(DOCKER, name="refused")
    invalid = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Invalid", "code": 422}
    path = f"/k8s/.*/{hub.names.namespace}/deployments/hub"
    life.tenant.cloud.fault(path, "custom", method="PATCH", status=422, body=json.dumps(invalid), count=1)
    changing = life.change(hub, node_count=2, tier="Standard", **OF_ITS_OWN)
    life.move(changing, to=OperationStatus.FAILED)
    hub.refresh_from_db()
    assert hub.last_outcome == Outcome.ROLLED_BACK
    assert not hub.resources.filter(kind__in=("container registry", "role"), gone_at=None).exists()
    life.end(hub)


def test_a_build_is_cancelled_while_azure_makes_the_cluster(life: Life, people: dict[str, Any]) -> None:
    hub = life.requested(DOCKER, name="cancelled")
    life.tenant.cloud.control("azure/outcomes", {"name": hub.names.cluster, "stuck": True})
    building = services.approve(people["reviewer"], hub, 1)
    life.move_until(building, "cluster")
    services.cancel(people["researcher"], building)
    life.move(building, to=OperationStatus.CANCELLED)
    assert (stopped := life.answers("POST", f"/{hub.names.cluster}/abort")) and stopped <= ACCEPTED
    life.end(hub)


def test_a_change_of_the_machines_is_cancelled_and_put_back(life: Life, people: dict[str, Any]) -> None:
    hub = life.begin(DOCKER, name="halfway")
    life.tenant.cloud.control("azure/outcomes", {"name": "core", "stuck": True})
    changing = life.change(hub, node_count=2)
    life.move_until(changing, "pools")
    services.cancel(people["researcher"], changing)
    life.move(changing, to=OperationStatus.FAILED)
    hub.refresh_from_db()
    assert hub.last_outcome == Outcome.ROLLED_BACK
    assert (stopped := life.answers("POST", f"/{hub.names.cluster}/agentpools/core/abort")) and stopped <= ACCEPTED
    life.end(hub)


def test_what_is_left_over_is_found_and_removed_wherever_it_is(
    life: Life, people: dict[str, Any], settings: Any
) -> None:
    hub = life.begin({}, name="forgotten", **OF_ITS_OWN)
    services.forget(people["reviewer"], hub, hub.name, "To see what is left.")
    for kind in ("Microsoft.Compute/disks", "Microsoft.Network/publicIPAddresses"):
        life.leave("somebodys", kind, hub)
    settings.SLIPWAY_LIST_LAG_SECONDS = 0.0  # the simulated Azure's lists are never late
    with life.worker():
        survey.survey()
    left = Discrepancy.objects.get(deployment=hub, place=life.tenant.subscription)
    removing = services.clean_up(people["reviewer"], left, hub.name)
    life.move(removing)
    kinds = {item["kind"] for item in removing.result["receipt"]["items"]}
    assert {"role", "container registry", "cluster", "secret", "Microsoft.Compute/disks"} <= kinds
    assert removing.result["receipt"]["complete"]
