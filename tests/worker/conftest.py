"""Hubs built by the real steps and real Helm in a simulated cloud that is a process of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import SubscriptionGrant, User
from bootstrap.machine import ROOT
from deployments import outside, services
from deployments.models import Deployment, Operation
from deployments.spec import HubSpec
from tests.sandbox_process import SandboxProcess
from tests.worker.driving import Drive

SUBSCRIPTION = "5117a000-0000-4000-8000-00000000c001"
MadeHub = Callable[..., Deployment]


@pytest.fixture(scope="package")
def cloud(tmp_path_factory: pytest.TempPathFactory, valkey: object) -> Iterator[SandboxProcess]:
    with a_cloud(tmp_path_factory.mktemp("cloud")) as process:
        yield process


@contextmanager
def a_cloud(home: Path) -> Iterator[SandboxProcess]:
    """As long as it runs, this process is the *worker* identity."""
    with SandboxProcess(home, speed=5000) as process:
        before = dict(os.environ)
        os.environ |= process.worker_env
        _forget()
        yield process
        os.environ.clear()
        os.environ |= before
        _forget()


@pytest.fixture(autouse=True)
def quick(settings: Any, cloud: SandboxProcess, tmp_path: Path) -> Iterator[None]:
    """No waiting between looks; faults of a test end with it."""
    settings.SLIPWAY_POLL_SECONDS = 0.02
    settings.SLIPWAY_SHARED_SECONDS = 0.0
    settings.SLIPWAY_LIST_LAG_SECONDS = 0.3
    settings.SLIPWAY_HELM_STUCK_SECONDS = 0.3
    settings.HELM_BINARY = os.environ.get("HELM_BINARY", str(ROOT / "var/bin/helm"))
    yield
    cloud.clear_faults()


@pytest.fixture
def secure(cloud: SandboxProcess, tmp_path: Path) -> Iterator[None]:
    """The same cloud, as a profile has it whose hubs are reached by HTTPS."""
    before = os.environ["AZURE_CLOUD_PROFILE"]
    profile = json.loads(Path(before).read_text())
    profile |= {name: profile[name].replace("http:", "https:") for name in ("hub_address", "domain_address")}
    path = tmp_path / "profile.json"
    path.write_text(json.dumps(profile | {"hub_https": True}))
    os.environ["AZURE_CLOUD_PROFILE"] = str(path)
    _forget()
    yield
    os.environ["AZURE_CLOUD_PROFILE"] = before
    _forget()


def _forget() -> None:
    for made in (outside.profile, outside.azure, outside.vault):
        made.cache_clear()


@pytest.fixture
def make_hub(people: dict[str, Any]) -> MadeHub:
    """`make_hub(node_count=2)` is a request that waits for review."""
    SubscriptionGrant.objects.create(subscription_id=SUBSCRIPTION)

    def made(name: str = "course", secrets: dict[str, str] | None = None, **changes: Any) -> Deployment:
        described: dict[str, Any] = {
            "name": name,
            "purpose": "A course",
            "subscription_id": SUBSCRIPTION,
            "region": "uksouth",
            "node_size": "Standard_D2s_v5",
            "node_count": 1,
            "kubernetes_version": "1.34.3",
            "docker_username": "slipwaydemo",
            "image_prefix": "course-",
            "keep_until": timezone.localdate() + timedelta(days=7),
            "chart_version": outside.profile().chart_version,
            "contact_email": "researcher@example.org",
        }
        spec = HubSpec(**(described | changes))
        secrets = {services.DOCKER_TOKEN: "dckr_pat_demo"} if secrets is None else secrets
        return services.request_hub(people["researcher"], uuid4(), spec, secrets)

    return made


@pytest.fixture
def drive() -> Drive:
    return Drive()


@pytest.fixture
def built(make_hub: MadeHub, drive: Drive, people: dict[str, Any]) -> Callable[..., Deployment]:
    """`built(node_count=2)` is a hub that serves."""

    def build(**changes: Any) -> Deployment:
        deployment = make_hub(**changes)
        operation = drive(approved(people["reviewer"], deployment))
        assert operation.status == "succeeded", operation.error_message
        deployment.refresh_from_db()
        return deployment

    return build


def approved(reviewer: User, deployment: Deployment) -> Operation:
    return services.approve(reviewer, deployment, 1)


@pytest.fixture
def ailing(cloud: SandboxProcess) -> Iterator[Callable[..., None]]:
    """`ailing(hub, pod="hub-", kind="OOMKilled")` gives a hub's pods that trouble; all are healed at the end."""

    def ail(hub: Deployment, **wish: Any) -> None:
        cloud.control("kubernetes/symptoms", {"namespace": hub.names.namespace} | wish)

    yield ail
    cloud.control("kubernetes/symptoms", method="DELETE")
