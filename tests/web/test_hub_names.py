"""What a hub's page says of its name: the certificate, the record of a domain, how far the sign-in was tried."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from deployments.models import Deployment, Operation
from deployments.states import Lifecycle, OperationKind, OperationStatus
from tests.web.standing import failed_change, ready

Browser = Callable[[str], Client]
MakeHub = Callable[..., Deployment]
pytestmark = pytest.mark.usefixtures("catalogue")
GITHUB = {"access": "github", "github_client_id": "Ov23liSlipwayDemo001", "github_organisations": ("slipwayorg",)}


def shown(browser_of: Browser, hub: Deployment) -> str:
    return browser_of("researcher").get(hub.get_absolute_url()).content.decode()


def with_certificate(hub: Deployment, state: str = "ok", days: float = 60) -> datetime:
    until = timezone.now() + timedelta(days=days)
    seen = {"state": state, "until": until.isoformat(), "issuer": "Let's Encrypt", "why": "", "at": until.isoformat()}
    Deployment.objects.filter(id=hub.id).update(certificate=seen)
    return timezone.localtime(until)


def test_a_certificate_is_shown_with_its_last_day(browser_of: Browser, make_hub: MakeHub) -> None:
    hub = ready(make_hub)
    until = with_certificate(hub)
    page = shown(browser_of, hub)
    assert ">Certificate<" in page and f"until {until:%-d %B %Y}" in page and "renewed in time" not in page


@pytest.mark.parametrize(
    ("state", "days", "words"),
    [
        ("ok", 13, "and was not renewed in time"),
        ("expired", -1, "has ended: browsers tell people not to open the hub"),
        ("wrong-name", 60, "shows a certificate for another name"),
        ("not-trusted", 60, "shows no certificate that browsers trust"),
    ],
)
def test_a_certificate_that_browsers_refuse_or_soon_will_is_warned_of_with_what_to_do(
    state: str, days: float, words: str, browser_of: Browser, make_hub: MakeHub
) -> None:
    hub = ready(make_hub)
    with_certificate(hub, state, days)
    page = shown(browser_of, hub)
    assert words in page and "Stop the hub and start it again" in page


def test_with_a_domain_of_ones_own_its_record_is_what_to_look_at_first(browser_of: Browser, make_hub: MakeHub) -> None:
    hub = ready(make_hub, domain="course.example.org")
    with_certificate(hub, "expired", -1)
    page = shown(browser_of, hub)
    assert "The certificate of course.example.org has ended" in page
    assert "See that the record of course.example.org is as shown here." in page


@pytest.mark.parametrize("what", ["plain HTTP", "nobody has looked", "stopped"])
def test_where_there_is_no_certificate_nothing_is_said_of_one(
    what: str, browser_of: Browser, make_hub: MakeHub
) -> None:
    hub = ready(make_hub, Lifecycle.STOPPED if what == "stopped" else Lifecycle.READY)
    if what != "nobody has looked":
        with_certificate(hub, "expired", -1)
    if what == "plain HTTP":
        Deployment.objects.filter(id=hub.id).update(address="http://127.1.2.3/")
    page = shown(browser_of, hub)
    assert ">Certificate<" not in page and "has ended" not in page


@pytest.mark.parametrize("lifecycle", [Lifecycle.REQUESTED, Lifecycle.PROVISIONING, Lifecycle.READY])
def test_the_record_to_make_is_on_the_page_as_long_as_it_is_needed(
    lifecycle: str, browser_of: Browser, make_hub: MakeHub
) -> None:
    hub = ready(make_hub, lifecycle, domain="course.example.org")
    record = f"course.example.org. CNAME {hub.names.dns_label}.uksouth.cloudapp.azure.com."
    assert shown(browser_of, hub).count(record) == 1
    Deployment.objects.filter(id=hub.id).update(lifecycle=Lifecycle.DELETED, gone_at=timezone.now())
    assert record not in shown(browser_of, hub)


def test_the_try_of_the_sign_in_is_shown_also_after_later_runs(
    browser_of: Browser, make_hub: MakeHub, make_operation: Callable[..., Operation]
) -> None:
    hub = ready(make_hub, **GITHUB)
    callback = f"{hub.address}hub/oauth_callback"
    proved = {"client_id": "Ov23liSlipwayDemo001", "callback": callback, "at": timezone.now().isoformat()}
    done = {"status": OperationStatus.SUCCEEDED, "finished_at": timezone.now()}
    make_operation(hub, OperationKind.PROVISION, result={"sign_in": proved}, **done)
    make_operation(hub, OperationKind.TRY_LAUNCH, **done)
    page = shown(browser_of, hub)
    assert "as far as GitHub&#x27;s page" in page or "as far as GitHub's page" in page
    assert f"<code>{callback}</code>" in page


def failed_steps(hub: Deployment, states: dict[str, str], **changes: Any) -> None:
    operation = failed_change(hub, put_back="done", **changes)
    for position, (name, state) in enumerate(states.items()):
        operation.steps.create(name=name, title=name, position=position, state=state)


def test_machines_that_could_not_be_put_back_are_not_called_put_back(browser_of: Browser, make_hub: MakeHub) -> None:
    hub = ready(make_hub)
    failed_steps(hub, {"tier-back": "done", "pools-back": "failed"})
    assert "A change failed, and so did putting it back" in shown(browser_of, hub)


def test_a_newer_kubernetes_that_stays_is_said(browser_of: Browser, make_hub: MakeHub) -> None:
    hub = ready(make_hub)
    failed_steps(hub, {"control-plane": "done", "pools-back": "done"}, kubernetes_version="1.34.3")
    page = shown(browser_of, hub)
    assert "The hub serves revision 1" in page and "Only its Kubernetes 1.34.3 stays" in page


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "what only you can remove: images on Docker Hub."),
        ({"registry": "acr"} | GITHUB, "what only you can remove: your OAuth app on GitHub."),
        (
            {"registry": "other", "registry_address": "r.example.org", "domain": "course.example.org"},
            "what only you can remove: images in r.example.org, the record of course.example.org.",
        ),
    ],
)
def test_taking_down_says_what_stays_elsewhere(
    changes: dict[str, Any], words: str, browser_of: Browser, make_hub: MakeHub
) -> None:
    hub = ready(make_hub, **changes)
    assert words in browser_of("researcher").get(f"{hub.get_absolute_url()}take-down/").content.decode()
