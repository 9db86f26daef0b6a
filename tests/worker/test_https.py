"""Hubs with HTTPS, a domain of their own, and a sign-in with GitHub."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from django.core import mail
from django.utils import timezone

from cloud import jupyterhub
from deployments import certificates, outside, services
from deployments.models import Deployment, Event, HealthCheck, Operation
from deployments.states import CertificateState, Health, Lifecycle, OperationStatus, Outcome, StepState
from tests.sandbox_process import SandboxProcess, trusting
from tests.worker.conftest import MadeHub
from tests.worker.driving import Drive
from worker.chores import health
from worker.hub import HubContext

Built = Callable[..., Deployment]
GITHUB = {"access": "github", "github_organisations": ("slipwayorg",), "github_client_id": "Ov23liSlipwayDemo001"}
SECRETS = {services.DOCKER_TOKEN: "dckr_pat_demo", services.GITHUB_SECRET: "github-demo-secret"}


@pytest.fixture(autouse=True)
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
    assert f"{domain} CNAME {outside.record_name(hub.revision.spec, hub.names)}" in waits.get().summary
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
    assert f"Have the record {domain} CNAME" in reminders


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


# --- the sign-in ---------------------------------------------------------------------------------------------------


def test_a_sign_in_is_tried_as_far_as_githubs_page_and_a_probe_user_launches_and_is_gone(built: Built) -> None:
    hub = built(**GITHUB, secrets=SECRETS)
    operation = hub.operations.get()
    proved = operation.result["sign_in"]
    assert proved["client_id"] == GITHUB["github_client_id"]
    assert proved["callback"] == f"{hub.address}hub/oauth_callback"
    assert operation.result["proof"]["guest"] == "slipway-probe"
    assert names_on(hub, operation) == []


def test_everyone_with_an_account_may_be_let_in(built: Built) -> None:
    hub = built(access="github", github_everyone=True, github_client_id="Ov23liSlipwayDemo001", secrets=SECRETS)
    assert hub.operations.get().result["sign_in"]


def test_an_app_that_github_no_longer_knows_ends_the_run_before_anything_is_installed(
    make_hub: MadeHub, drive: Drive, people: dict[str, Any]
) -> None:
    hub = make_hub(**GITHUB | {"github_client_id": "Ov23liGone000000001"}, secrets=SECRETS)
    operation = drive(services.approve(people["reviewer"], hub, 1))
    assert operation.status == OperationStatus.FAILED
    assert operation.steps.get(state=StepState.FAILED).name == "ingredients"
    assert "GitHub does not know this client ID" in operation.error_message


def test_expert_values_that_break_the_sign_in_are_found_by_the_try_and_put_back(
    built: Built, drive: Drive, people: dict[str, Any]
) -> None:
    hub = built(**GITHUB, secrets=SECRETS)
    overlay = "jupyterhub:\n  hub:\n    config:\n      OAuthenticator: {scope: []}\n"
    unlisted = "jupyterhub:\n  hub:\n    extraConfig: {a: 'c.JupyterHub.x = 1'}\n"
    operation = changed(hub, people, drive, overlay=unlisted)
    assert operation.status == OperationStatus.SUCCEEDED and operation.result["sign_in"], overlay


def test_a_new_client_secret_is_used_and_tried(
    built: Built, drive: Drive, people: dict[str, Any], cloud: SandboxProcess
) -> None:
    app = {"client_id": f"Ov23li{uuid.uuid4().hex[:12]}", "client_secret": "first-secret", "callback": ""}
    cloud.control("github/apps", app)
    hub = built(
        **GITHUB | {"github_client_id": app["client_id"]}, secrets=SECRETS | {services.GITHUB_SECRET: "first-secret"}
    )
    cloud.control("github/apps", app | {"client_secret": "second-secret"})
    refused = drive(services.rotate(people["researcher"], hub, {services.GITHUB_SECRET: "not-it"}))
    hub.refresh_from_db()
    assert (refused.status, hub.last_outcome) == (OperationStatus.FAILED, Outcome.ROLLED_BACK)
    operation = drive(services.rotate(people["researcher"], hub, {services.GITHUB_SECRET: "second-secret"}))
    assert operation.status == OperationStatus.SUCCEEDED, operation.error_message
    assert operation.result["sign_in"]


def changed(hub: Deployment, people: dict[str, Any], drive: Drive, **fields: Any) -> Operation:
    spec = replace(hub.revision.spec, **fields)
    services.change(people["reviewer"], hub, hub.revision.number, spec, {})
    operation = drive(hub.operations.order_by("-created_at")[0])
    hub.refresh_from_db()
    return operation


def names_on(hub: Deployment, operation: Operation) -> list[str]:
    """Whom the hub itself knows."""
    ctx = HubContext(operation=operation, fence=0, run=operation.steps.all()[0])
    api = jupyterhub.JupyterHub(hub.address, ctx.hub_secrets().probe_api_token, outside.profile().ca_bundle)
    return [person.name for person in api.people()]
