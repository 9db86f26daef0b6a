"""Hubs with HTTPS: their certificate, and a domain of their own."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from django.core import mail
from django.utils import timezone

from deployments import certificates, outside, services
from deployments.models import Deployment, Event, HealthCheck, Operation
from deployments.states import CertificateState, Health, Lifecycle, OperationStatus
from tests.sandbox_process import SandboxProcess, trusting
from tests.worker.conftest import MadeHub
from tests.worker.driving import Drive
from tests.worker.test_running import changed
from worker.chores import health

Built = Callable[..., Deployment]
pytestmark = pytest.mark.usefixtures("secure")


def told(operation: Operation) -> str:
    return "\n".join(Event.objects.filter(operation=operation).order_by("number").values_list("message", flat=True))


def point(cloud: SandboxProcess, hub: Deployment, domain: str) -> None:
    """Somebody makes the record that the hub's page asks for."""
    record = outside.record_name(hub.revision.spec, hub.names)
    cloud.control("dns/records", {"name": domain, "type": "CNAME", "value": record})


@pytest.fixture
def domain() -> str:
    return f"{uuid.uuid4().hex[:8]}.example.org"


# --- the certificate -----------------------------------------------------------------------------------------------


def test_a_hub_is_ready_once_browsers_trust_its_certificate_and_the_page_knows_until_when(
    built: Built, cloud: SandboxProcess
) -> None:
    hub = built()
    assert hub.address.startswith("https://")
    answer = httpx.get(f"{hub.address}services/binder/health", verify=trusting(cloud.ca))
    assert answer.json()["ok"]
    shown = certificates.shown(hub)
    assert shown and shown.state is CertificateState.VALID and shown.until and not shown.warning
    assert timedelta(days=80) < shown.until - timezone.localdate() < timedelta(days=91)
    assert "Let's Encrypt" in shown.issuer


def test_a_certificate_that_was_refused_is_asked_for_again_by_a_new_pod(built: Built, cloud: SandboxProcess) -> None:
    cloud.control("hubs/certificates", {"refusals": 1})
    hub = built()
    log = told(hub.operations.get())
    assert "Service busy; retry later" in log and "asks for it again" in log
    assert certificates.shown(hub).state is CertificateState.VALID  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("shows", "state", "words"),
    [
        ({"days": 5}, CertificateState.ENDING, "was not renewed in time"),
        ({"days": -1}, CertificateState.ENDED, "has ended"),
        ({"names": ["another.example.org"]}, CertificateState.OTHER_NAME, "for another name"),
    ],
)
def test_a_certificate_that_browsers_will_refuse_is_told_once_on_the_page_and_by_letter(
    shows: dict[str, Any], state: CertificateState, words: str, built: Built, cloud: SandboxProcess
) -> None:
    hub, now = built(), timezone.now()
    cloud.control("hubs/certificates", {"address": urlsplit(hub.address).hostname, **shows})
    for minutes in (0, 6):
        health.check_health(lambda minutes=minutes: now + timedelta(minutes=minutes))  # type: ignore[misc]
    hub.refresh_from_db()
    shown = certificates.shown(hub)
    assert shown and shown.state is state and words in shown.warning and shown.remedy
    assert told(hub.operations.get()).count(shown.warning) == 1
    assert [letter.subject for letter in mail.outbox] == [f"The certificate of {hub.name} needs a look"]
    assert words in mail.outbox[0].body and hub.get_absolute_url() in mail.outbox[0].body


# --- a domain of one's own -----------------------------------------------------------------------------------------


def test_nothing_is_built_before_the_domain_leads_to_the_hub(
    make_hub: MadeHub, drive: Drive, people: dict[str, Any], cloud: SandboxProcess, domain: str
) -> None:
    hub = make_hub(domain=domain)
    operation = services.approve(people["reviewer"], hub, 1)
    waits = operation.steps.filter(name="domain", summary__contains="does not exist yet")
    drive.until(operation, waits.exists)
    for _ in range(5):
        drive.visit(operation)
    assert outside.record(hub.revision.spec, hub.names) in waits.get().summary
    assert not hub.resources.exists()
    cloud.control("dns/records", {"name": domain, "type": "CNAME", "value": "elsewhere.example.org"})
    drive.until(operation, operation.steps.filter(summary__contains="leads to elsewhere.example.org now").exists)
    point(cloud, hub, domain)
    drive(operation)
    assert operation.status == OperationStatus.SUCCEEDED, operation.error_message
    answer = httpx.get(f"{outside.profile().domain_url(domain)}services/binder/health", verify=trusting(cloud.ca))
    assert answer.json()["ok"]


def test_a_hub_moves_to_a_domain_and_its_receipt_reminds_of_the_record(
    built: Built, drive: Drive, people: dict[str, Any], cloud: SandboxProcess, domain: str
) -> None:
    hub = built()
    point(cloud, hub, domain)
    operation = changed(hub, people, drive, domain=domain)
    assert operation.status == OperationStatus.SUCCEEDED, operation.error_message
    assert hub.address == outside.profile().domain_url(domain)
    operation = drive(services.tear_down(people["researcher"], hub, hub.name))
    reminders = " ".join(each["text"] for each in operation.result["receipt"]["reminders"])
    assert f"Have the record {domain}. CNAME" in reminders


def test_a_domain_that_leads_elsewhere_later_is_why_the_hub_does_not_answer(
    make_hub: MadeHub, drive: Drive, people: dict[str, Any], cloud: SandboxProcess, domain: str
) -> None:
    hub = make_hub(domain=domain)
    point(cloud, hub, domain)
    drive(services.approve(people["reviewer"], hub, 1))
    hub.refresh_from_db()
    assert hub.lifecycle == Lifecycle.READY
    cloud.control("dns/records", {"name": domain}, method="DELETE")
    address = urlsplit(hub.address)
    Deployment.objects.filter(id=hub.id).update(address=hub.address.replace(str(address.port), "1"))
    health.check_health()
    check = HealthCheck.objects.get(deployment=hub)
    assert check.health == Health.UNHEALTHY and f"{domain} does not lead to the hub" in check.summary
