"""What is left over, what is gone, what was changed by hand, and forgetting: as people meet them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from deployments.models import Deployment, Discrepancy, Operation, Resource, Survey
from deployments.states import DiscrepancyKind, Lifecycle, OperationKind, OperationStatus
from deployments.surveys import VAULT
from tests.web.conftest import SUBSCRIPTION
from tests.web.standing import ready
from tests.web.test_decisions import told

Browser = Callable[[str], Client]
MakeHub = Callable[..., Deployment]
MakeOperation = Callable[..., Operation]
pytestmark = pytest.mark.usefixtures("catalogue")
LEFT = "/left-over/"


def left(owner: object, deployment: Deployment | None = None, **more: Any) -> Discrepancy:
    thing = {
        "kind": "resource group", "name": "slipway-course-abcdef", "region": "uksouth", "note": "3 things in it",
        "cloud_id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/slipway-course-abcdef",
    }  # fmt: skip
    return Discrepancy.objects.create(
        kind=DiscrepancyKind.LEFT_OVER, place=SUBSCRIPTION, owner=str(owner), deployment=deployment, details=[thing],
        **more,
    )  # fmt: skip


def gone(hub: Deployment) -> Discrepancy:
    thing = {"kind": "cluster", "name": hub.name, "cloud_id": "/c", "note": "Azure says that there is no such cluster"}
    return Discrepancy.objects.create(
        kind=DiscrepancyKind.GONE, place=SUBSCRIPTION, owner=str(hub.id), deployment=hub, details=[thing]
    )


def drifted(hub: Deployment, mends: bool = True) -> Discrepancy:
    found = {"what": "The nodes “core”: 3 nodes instead of 1 node.", "remedy": "Look.", "mends": mends, "renews": ""}
    return Discrepancy.objects.create(
        kind=DiscrepancyKind.DRIFTED, place=SUBSCRIPTION, owner=str(hub.id), deployment=hub, details=[found]
    )


# --- left over -------------------------------------------------------------------------------------------------------


def test_the_page_is_for_reviewers_and_its_count_is_in_their_navigation(browser_of: Browser, make_hub: MakeHub) -> None:
    left(uuid4())
    gone(make_hub("hers", lifecycle=Lifecycle.READY))
    drifted(make_hub("his", lifecycle=Lifecycle.READY))
    assert browser_of("researcher").get(LEFT).status_code == 404
    assert b'title="2 to look at"' in browser_of("reviewer").get("/").content
    assert b"Left over" not in browser_of("researcher").get("/").content


def test_without_anything_left_the_page_says_when_it_was_looked_for(browser_of: Browser) -> None:
    Survey.objects.create(place=VAULT, looked_at=timezone.now())
    Survey.objects.create(place=SUBSCRIPTION, looked_at=timezone.now())
    page = browser_of("reviewer").get(LEFT).content.decode()
    for words in ("Nothing is left over", "Everything was last looked at", "Research computing", "The vault with"):
        assert words in page


def test_what_this_portal_never_knew_is_told_plainly_and_asks_for_the_name(browser_of: Browser) -> None:
    row, client = left(uuid4()), browser_of("reviewer")
    url = reverse("deployments:clean-up", args=[row.id])
    for page in (LEFT, url):
        text = client.get(page).content.decode()
        assert "This portal has never known a hub with this id." in text and "another Slipway portal" in text
    answer = client.post(url, {"confirm": "course"})
    assert answer.status_code == 422 and b"The name does not match" in answer.content
    assert not Operation.objects.exists()


def test_the_right_name_begins_a_run_whose_page_renders_although_nothing_is_known_of_the_hub(
    browser_of: Browser,
) -> None:
    row, client = left(UUID("abcdef00-0000-4000-8000-000000000001")), browser_of("reviewer")
    answer = client.post(
        reverse("deployments:clean-up", args=[row.id]), {"confirm": "slipway-course-abcdef"}, follow=True
    )
    operation = Operation.objects.get()
    assert (operation.kind, operation.deployment.name) == (OperationKind.CLEAN_UP, "course")
    assert answer.status_code == 200 and b"asked to remove what was left over" in answer.content
    assert b"It is being removed." in client.get(LEFT).content
    for page in ("receipt", "values", "take-down"):
        assert client.get(reverse(f"deployments:{page}", args=[operation.deployment_id])).status_code == 200


def test_what_was_left_by_a_known_hub_names_it_and_its_owner(browser_of: Browser, make_hub: MakeHub) -> None:
    hub = make_hub(lifecycle=Lifecycle.DELETED)
    left(hub.id, hub)
    page = browser_of("reviewer").get(LEFT).content.decode()
    assert f'href="{hub.get_absolute_url()}"' in page and "of researcher" in page
    assert "never known" not in page


def test_a_tag_that_no_slipway_writes_has_no_button(browser_of: Browser) -> None:
    row, client = left("mine"), browser_of("reviewer")
    assert b"Take it down" not in client.get(LEFT).content
    assert b"<form" not in client.get(reverse("deployments:clean-up", args=[row.id])).content.partition(b"<main")[2]


def test_what_is_settled_by_now_is_not_found(browser_of: Browser) -> None:
    assert browser_of("reviewer").get(reverse("deployments:clean-up", args=[999])).status_code == 404


def test_a_place_nobody_can_look_at_is_told_with_its_hubs(browser_of: Browser, make_hub: MakeHub) -> None:
    hub = ready(make_hub)
    Survey.objects.create(place=SUBSCRIPTION, problem="Azure says no.", problem_since=timezone.now())
    page = browser_of("reviewer").get(LEFT).content.decode()
    assert "Azure says no." in page and reverse("deployments:forget", args=[hub.id]) in page


def test_looking_now_makes_every_place_due(browser_of: Browser, django_capture_on_commit_callbacks: Any) -> None:
    Survey.objects.create(place=VAULT, due_at="2999-01-01T00:00:00Z")
    with django_capture_on_commit_callbacks() as sent:
        answer = browser_of("reviewer").post(reverse("deployments:look-now"), follow=True)
    assert "Slipway is looking" in told(answer) and len(sent) == 1
    assert Survey.objects.get().due_at <= timezone.now()


def test_more_discrepancies_need_no_more_queries(browser_of: Browser, make_hub: MakeHub) -> None:
    client, counts = browser_of("reviewer"), []
    for amount in (1, 5):
        for number in range(amount):
            left(uuid4())
            gone(make_hub(f"hub-{amount}-{number}", lifecycle=Lifecycle.READY))
        with CaptureQueriesContext(connection) as captured:
            assert client.get(LEFT).status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 14


# --- gone and changed by hand ----------------------------------------------------------------------------------------


def test_a_hub_that_is_gone_says_so_and_only_reviewers_may_build_it_again(
    browser_of: Browser, make_hub: MakeHub
) -> None:
    hub = ready(make_hub)
    gone(hub)
    owners = browser_of("researcher").get(hub.get_absolute_url()).content.decode()
    assert "This hub is gone from the cloud" in owners and "Build it again" not in owners
    url = reverse("deployments:build-again", args=[hub.id])
    assert browser_of("researcher").post(url).status_code == 404
    client = browser_of("reviewer")
    assert b"Build it again" in client.get(hub.get_absolute_url()).content
    client.post(url)
    hub.refresh_from_db()
    assert hub.lifecycle == Lifecycle.PROVISIONING and hub.operations.get().kind == OperationKind.PROVISION


def test_building_again_a_hub_that_is_there_is_refused_kindly(browser_of: Browser, make_hub: MakeHub) -> None:
    hub = ready(make_hub)
    answer = browser_of("reviewer").post(reverse("deployments:build-again", args=[hub.id]), follow=True)
    assert "not gone from the cloud" in told(answer)


def test_the_owner_puts_back_what_was_changed_by_hand(browser_of: Browser, make_hub: MakeHub) -> None:
    hub = ready(make_hub)
    drifted(hub)
    client = browser_of("researcher")
    assert "3 nodes instead of 1 node" in client.get(hub.get_absolute_url()).content.decode()
    client.post(reverse("deployments:put-back", args=[hub.id]))
    assert hub.operations.get().kind == OperationKind.MEND
    assert "Put it back" not in client.get(hub.get_absolute_url()).content.decode()


def test_what_cannot_be_put_back_offers_only_to_leave_it(browser_of: Browser, make_hub: MakeHub) -> None:
    hub = ready(make_hub)
    drifted(hub, mends=False)
    client = browser_of("researcher")
    page = client.get(hub.get_absolute_url()).content.decode()
    assert "Look." in page and "Put it back" not in page
    client.post(reverse("deployments:leave-as-is", args=[hub.id]))
    assert "outside of Slipway" not in client.get(hub.get_absolute_url()).content.decode()
    assert "Left as it is by researcher" in browser_of("reviewer").get(LEFT).content.decode()


@pytest.mark.parametrize("page", ["put-back", "leave-as-is"])
def test_a_stranger_puts_nothing_back(page: str, browser_of: Browser, make_hub: MakeHub) -> None:
    hub = ready(make_hub)
    assert browser_of("stranger").post(reverse(f"deployments:{page}", args=[hub.id])).status_code == 404


# --- forgetting ------------------------------------------------------------------------------------------------------


def test_forgetting_explains_itself_and_names_what_may_be_left(browser_of: Browser, make_hub: MakeHub) -> None:
    hub = ready(make_hub)
    Resource.objects.create(deployment=hub, kind="cluster", cloud_id="/c", name="my-course")
    url = reverse("deployments:forget", args=[hub.id])
    assert browser_of("researcher").get(url).status_code == 404
    page = browser_of("reviewer").get(url).content.decode()
    for words in ("The usual way is to", "What may be left", "my-course", "nothing in the cloud is touched"):
        assert words in page


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"confirm": "another", "reason": "Lost."}, "The name does not match"),
        ({"confirm": "my-course", "reason": " "}, "Say why"),
    ],
)
def test_a_wrong_name_or_no_reason_forgets_nothing(
    typed: dict[str, str], words: str, browser_of: Browser, make_hub: MakeHub
) -> None:
    hub = ready(make_hub)
    answer = browser_of("reviewer").post(reverse("deployments:forget", args=[hub.id]), typed)
    hub.refresh_from_db()
    assert answer.status_code == 422 and words in answer.content.decode() and hub.lifecycle == Lifecycle.READY


def test_a_forgotten_hub_says_by_whom_why_and_what_may_be_left(browser_of: Browser, make_hub: MakeHub) -> None:
    hub, client = ready(make_hub), browser_of("reviewer")
    Resource.objects.create(deployment=hub, kind="cluster", cloud_id="/c", name="the-cluster")
    typed = {"confirm": hub.name, "reason": "The subscription was closed."}
    client.post(reverse("deployments:forget", args=[hub.id]), typed)
    for page in (hub.get_absolute_url(), reverse("deployments:receipt", args=[hub.id])):
        text = browser_of("researcher").get(page).content.decode()
        assert "The subscription was closed." in text and "reviewer" in text and "the-cluster" in text
    again = client.post(reverse("deployments:forget", args=[hub.id]), typed, follow=True)
    assert "gone already" in told(again)


def test_where_taking_down_has_failed_forgetting_is_offered_to_reviewers(
    browser_of: Browser, make_hub: MakeHub, make_operation: MakeOperation
) -> None:
    hub = make_hub(lifecycle=Lifecycle.DELETING)
    make_operation(hub, OperationKind.TEARDOWN, status=OperationStatus.FAILED, error_message="No.")
    assert b">Forget it<" in browser_of("reviewer").get(hub.get_absolute_url()).content
    assert b">Forget it<" not in browser_of("researcher").get(hub.get_absolute_url()).content
    well = make_hub("well", lifecycle=Lifecycle.READY)
    assert b">Forget it<" not in browser_of("reviewer").get(well.get_absolute_url()).content
