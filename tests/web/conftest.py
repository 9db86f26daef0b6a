"""Signed-in browsers, hubs in every state, a catalogue, and the outside world as a process of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import SubscriptionGrant, User
from deployments import outside
from deployments.models import CatalogueEntry, Deployment, Operation, SpecRevision
from deployments.spec import HubSpec
from deployments.states import Lifecycle, OperationKind
from tests.sandbox_process import SandboxProcess
from tests.web.insides import with_cluster
from tests.web.standing import ready

SUBSCRIPTION, TRIAL = "5117a000-0000-4000-8000-00000000c001", "5117a000-0000-4000-8000-00000000c002"


@pytest.fixture(scope="package")
def sandbox(tmp_path_factory: pytest.TempPathFactory, valkey: object) -> Iterator[SandboxProcess]:
    """Vault, Docker Hub and GitHub over TLS; as long as these tests run, this process is its *web* identity."""
    with SandboxProcess(tmp_path_factory.mktemp("sandbox")) as process:
        before = dict(os.environ)
        os.environ |= process.web_env
        for made in (outside.profile, outside.azure, outside.vault):
            made.cache_clear()
        yield process
        os.environ.clear()
        os.environ |= before
        for made in (outside.profile, outside.azure, outside.vault):
            made.cache_clear()


@pytest.fixture
def catalogue(db: None) -> None:
    """Two subscriptions, one of them a free trial with 4 cores; two regions of which one has less to offer."""
    now = timezone.now()
    rows = [
        ("Research computing", SUBSCRIPTION, "PayAsYouGo_2014-09-01"),
        ("Free Trial", TRIAL, "FreeTrial_2014-09-01"),
    ]
    _entry(
        "subscriptions", {"rows": [{"id": i, "name": n, "state": "Enabled", "quota_id": q} for n, i, q in rows]}, now
    )
    regions = [{"name": "uksouth", "display_name": "UK South"}, {"name": "northeurope", "display_name": "North Europe"}]
    for subscription, cores in ((SUBSCRIPTION, 40), (TRIAL, 4)):
        SubscriptionGrant.objects.create(subscription_id=subscription)
        _entry(f"regions:{subscription}", {"rows": regions}, now)
        _entry(
            f"offer:{subscription}:uksouth", _offer(cores, ["D2s_v5", "D4s_v5", "D64s_v5"], ["1.34.3", "1.33.6"]), now
        )
        _entry(f"offer:{subscription}:northeurope", _offer(cores, ["D2s_v5"], ["1.33.6"]), now)
    for region in ("uksouth", "northeurope"):
        for size, price in (("D2s_v5", "0.10"), ("D4s_v5", "0.20"), ("D64s_v5", "3.20")):
            _entry(f"price:{region}:Standard_{size}", {"amount": price, "currency": "GBP"}, now)


def _entry(key: str, data: dict[str, Any], now: Any) -> None:
    CatalogueEntry.objects.create(key=key, data=data, fetched_at=now)


def _offer(cores: int, sizes: list[str], versions: list[str]) -> dict[str, Any]:
    family = "standardDSv5Family"
    cpus = {size: int(size[1:].split("s")[0]) for size in sizes}
    return {
        "sizes": [
            {"name": f"Standard_{s}", "family": family, "vcpus": n, "memory_gib": 4 * n, "restricted": False}
            for s, n in cpus.items()
        ],
        "quotas": {
            "cores": {"label": "Total Regional vCPUs", "used": 0, "limit": cores},
            family.lower(): {"label": "Standard DSv5 Family vCPUs", "used": 0, "limit": cores},
        },
        "versions": versions,
        "default_version": versions[0],
    }


@pytest.fixture
def browser_of(people: dict[str, User]) -> Callable[[str], Client]:
    """A browser in which that person is signed in."""

    def signed_in(who: str) -> Client:
        client = Client()
        client.force_login(people[who], backend="django.contrib.auth.backends.ModelBackend")
        return client

    return signed_in


@pytest.fixture
def make_hub(people: dict[str, User], sandbox: SandboxProcess) -> Callable[..., Deployment]:
    """A hub in the database, of the researcher unless said otherwise."""

    def make(name: str = "my-course", owner: str = "researcher", lifecycle: str = Lifecycle.REQUESTED) -> Deployment:
        until = date.today() + timedelta(days=30)
        hub = Deployment.objects.create(
            owner=people[owner],
            name=name,
            lifecycle=lifecycle,
            address=f"https://{name}.example.org/",
            keep_until=until,
            monthly_cost="100.00",
        )
        SpecRevision.objects.create(deployment=hub, data=hub_spec(name, until).to_json(), author=people[owner])
        return hub

    return make


def hub_spec(name: str, until: date) -> HubSpec:
    return HubSpec(
        name=name,
        purpose="A course on statistics",
        subscription_id=SUBSCRIPTION,
        region="uksouth",
        node_size="Standard_D4s_v5",
        node_count=3,
        kubernetes_version="1.34.3",
        docker_username="slipwaydemo",
        image_prefix="binder-",
        keep_until=until,
        chart_version="1.0.0",
    )


@pytest.fixture
def make_operation(people: dict[str, User]) -> Callable[..., Operation]:
    """Something being done to a hub."""

    def make(hub: Deployment, kind: str = OperationKind.PROVISION, **values: Any) -> Operation:
        return Operation.objects.create(
            deployment=hub, revision=hub.revision, kind=kind, requested_by=people["reviewer"], **values
        )

    return make


@pytest.fixture
def nowhere() -> UUID:
    return uuid4()


@pytest.fixture
def hub(make_hub: Callable[..., Deployment], valkey: object) -> Deployment:
    """A hub that serves, with a cluster in the ledger."""
    return with_cluster(ready(make_hub))
