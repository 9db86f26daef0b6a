"""The roles that connect_azure makes are enough for whole lives of hubs, and web and worker stay within them."""

from __future__ import annotations

import os
from collections.abc import Iterator
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
from deployments.models import Deployment, Operation
from deployments.spec import HubSpec
from deployments.states import OperationStatus
from tests.operating.conftest import acting
from tests.operating.tenant import Tenant, prepared
from tests.sandbox_process import SandboxProcess
from tests.web.conftest import hub_spec
from tests.worker.driving import Drive


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
    """A hub's, in which the web asks and the worker does."""

    def __init__(self, tenant: Tenant, people: dict[str, Any]) -> None:
        self.tenant, self.people, self.drive = tenant, people, Drive()
        SubscriptionGrant.objects.create(subscription_id=tenant.subscription)

    def begin(self, secrets: dict[str, str], **changes: Any) -> Deployment:
        with acting(self.tenant.environ(self.tenant.web)):
            hub = services.request_hub(self.people["researcher"], uuid4(), spec(self.tenant, **changes), secrets)
        self.move(services.approve(self.people["reviewer"], hub, 1))
        hub.refresh_from_db()
        return hub

    def move(self, operation: Operation) -> None:
        with acting(self.tenant.environ(self.tenant.worker)):
            self.drive(operation)
        assert operation.status == OperationStatus.SUCCEEDED, operation.error_message


def test_a_hub_with_a_docker_hub_account_lives_and_ends(tenant: Tenant, people: dict[str, Any]) -> None:
    life = Life(tenant, people)
    hub = life.begin({services.DOCKER_TOKEN: "dckr_pat_demo"})
    life.move(services.stop(people["researcher"], hub))
    hub.refresh_from_db()
    life.move(services.start(people["researcher"], hub))
    hub.refresh_from_db()
    ended = services.tear_down(people["researcher"], hub, hub.name)
    life.move(ended)
    assert ended.result["receipt"]["complete"]


def test_a_hub_with_a_registry_of_its_own_lives_and_ends(tenant: Tenant, people: dict[str, Any]) -> None:
    life = Life(tenant, people)
    hub = life.begin({}, registry="acr", docker_username="", name="registry")
    ended = services.tear_down(people["researcher"], hub, hub.name)
    life.move(ended)
    assert ended.result["receipt"]["complete"]
