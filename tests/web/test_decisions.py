"""Approve, reject, cancel, retry, take down: as people meet them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from deployments.models import Deployment, Operation, Resource
from deployments.states import Lifecycle, OperationKind, OperationStatus

Browser = Callable[[str], Client]
MakeHub = Callable[..., Deployment]
MakeOperation = Callable[..., Operation]
pytestmark = pytest.mark.usefixtures("catalogue")


def told(answer: Any) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def test_a_reviewer_sees_who_what_where_cost_and_quota(browser_of: Browser, make_hub: MakeHub) -> None:
    hub = make_hub()
    client = browser_of("reviewer")
    for page in ("/review/", f"/review/{hub.id}/"):
        text = client.get(page).content.decode()
        for words in ("researcher", "A course on statistics", "Research computing", "£100.00", "28", "Standard_D4s_v5"):
            assert words in text, (page, words)


def test_the_count_of_waiting_requests_is_in_the_navigation(browser_of: Browser, make_hub: MakeHub) -> None:
    make_hub()
    assert b'title="1 waiting"' in browser_of("reviewer").get("/").content
    assert b"waiting</span>" not in browser_of("researcher").get("/").content


def test_approving_starts_building(browser_of: Browser, make_hub: MakeHub) -> None:
    hub = make_hub()
    answer = browser_of("reviewer").post(reverse("deployments:approve", args=[hub.id, 1]), follow=True)
    hub.refresh_from_db()
    assert hub.lifecycle == Lifecycle.PROVISIONING and hub.operations.get().kind == OperationKind.PROVISION
    assert "is being built now" in told(answer)


def test_deciding_twice_is_too_late(browser_of: Browser, make_hub: MakeHub) -> None:
    hub, client = make_hub(), browser_of("reviewer")
    client.post(reverse("deployments:approve", args=[hub.id, 1]))
    answer = client.post(reverse("deployments:reject", args=[hub.id, 1]), {"reason": "no"}, follow=True)
    assert "decided or changed in the meantime" in told(answer)


def test_rejecting_needs_a_reason(browser_of: Browser, make_hub: MakeHub) -> None:
    hub = make_hub()
    answer = browser_of("reviewer").post(reverse("deployments:reject", args=[hub.id, 1]), {"reason": " "})
    assert answer.status_code == 422 and b"Say why" in answer.content
    hub.refresh_from_db()
    assert hub.lifecycle == Lifecycle.REQUESTED


def test_the_requester_reads_the_reason(browser_of: Browser, make_hub: MakeHub) -> None:
    hub = make_hub()
    browser_of("reviewer").post(reverse("deployments:reject", args=[hub.id, 1]), {"reason": "Use a smaller size."})
    assert b"Use a smaller size." in browser_of("researcher").get(hub.get_absolute_url()).content


def test_the_wrong_name_takes_nothing_down(browser_of: Browser, make_hub: MakeHub) -> None:
    hub = make_hub(lifecycle=Lifecycle.READY)
    answer = browser_of("researcher").post(reverse("deployments:take-down", args=[hub.id]), {"confirm": "another"})
    hub.refresh_from_db()
    assert answer.status_code == 422 and b"The name does not match" in answer.content
    assert hub.lifecycle == Lifecycle.READY


def test_looking_at_the_question_takes_nothing_down(browser_of: Browser, make_hub: MakeHub) -> None:
    hub = make_hub(lifecycle=Lifecycle.READY)
    Resource.objects.create(deployment=hub, kind="resource group", cloud_id="/subscriptions/s/x", name="slipway-x")
    answer = browser_of("researcher").get(reverse("deployments:take-down", args=[hub.id]), {"confirm": hub.name})
    hub.refresh_from_db()
    assert hub.lifecycle == Lifecycle.READY
    for words in ("Type the hub", "slipway-x", f"slipway-deployment={hub.id}"):
        assert words in answer.content.decode()


@pytest.mark.parametrize("who", ["researcher", "reviewer"])
def test_the_right_name_takes_it_down(who: str, browser_of: Browser, make_hub: MakeHub) -> None:
    hub = make_hub(lifecycle=Lifecycle.READY)
    browser_of(who).post(reverse("deployments:take-down", args=[hub.id]), {"confirm": hub.name})
    hub.refresh_from_db()
    assert hub.lifecycle == Lifecycle.DELETING and hub.operations.get().kind == OperationKind.TEARDOWN


def test_a_failed_run_says_why_and_what_to_do_and_offers_retry(
    browser_of: Browser, make_hub: MakeHub, make_operation: MakeOperation
) -> None:
    hub = make_hub(lifecycle=Lifecycle.PROVISIONING)
    operation = make_operation(
        hub,
        status=OperationStatus.FAILED,
        error_message="The quota is used up.",
        error_remedy="Choose fewer nodes.",
        correlation_id="c0ffee-1",
    )
    client = browser_of("researcher")
    page = client.get(hub.get_absolute_url()).content.decode()
    for words in ("The quota is used up.", "Choose fewer nodes.", "c0ffee-1", ">Retry<", ">Take it down<"):
        assert words in page
    client.post(reverse("deployments:retry", args=[operation.id]))
    operation.refresh_from_db()
    assert operation.status == OperationStatus.RUNNING


def test_cancelling_twice_is_told_kindly(browser_of: Browser, make_hub: MakeHub, make_operation: MakeOperation) -> None:
    operation = make_operation(make_hub(lifecycle=Lifecycle.PROVISIONING))
    client, url = browser_of("researcher"), reverse("deployments:cancel", args=[operation.id])
    assert b">Cancel<" in client.get(operation.deployment.get_absolute_url()).content
    client.post(url)
    assert "nothing left to cancel" in told(client.post(url, follow=True))


def test_the_receipt_lists_each_thing_and_what_is_left(
    browser_of: Browser, make_hub: MakeHub, make_operation: MakeOperation
) -> None:
    hub = make_hub(lifecycle=Lifecycle.DELETED)
    how = "Azure says that there is no such cluster"
    thing = {"kind": "cluster", "name": "my-course", "cloud_id": "/c", "gone": True, "note": how}
    receipt = {
        "checked_at": "2026-01-02T03:04:05+00:00",
        "complete": False,
        "items": [thing],
        "leftovers": [{"kind": "disk", "name": "planted", "cloud_id": "/d"}],
        "reminders": [{"text": "Delete the app.", "url": "https://github.com/settings/developers"}],
    }
    make_operation(hub, OperationKind.TEARDOWN, status=OperationStatus.SUCCEEDED, result={"receipt": receipt})
    page = browser_of("researcher").get(reverse("deployments:receipt", args=[hub.id])).content.decode()
    for words in (how, "planted", "Something is left", "Delete the app.", "2 January 2026, 03:04"):
        assert words in page
