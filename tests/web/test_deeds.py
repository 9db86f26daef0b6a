"""Who did what, readable by administrators: every decision once, with its person, its hub and its time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from deployments.events import Line, record
from deployments.models import Deployment, Operation
from deployments.states import Lifecycle, OperationStatus

Browser = Callable[[str], Client]
MakeHub = Callable[..., Deployment]
MakeOperation = Callable[..., Operation]
pytestmark = pytest.mark.usefixtures("catalogue")
DEEDS = "/done/"


def page(client: Client, **query: str) -> str:
    answer = client.get(DEEDS, query)
    assert answer.status_code == 200
    return answer.content.decode().partition("<main")[2]


def test_it_is_for_reviewers(browser_of: Browser) -> None:
    assert browser_of("researcher").get(DEEDS).status_code == 404
    assert DEEDS in browser_of("reviewer").get("/hubs/").content.decode()


def test_every_decision_about_a_hub_is_there_with_its_person(browser_of: Browser, make_hub: MakeHub) -> None:
    reviewer, owner = browser_of("reviewer"), browser_of("researcher")
    hub, refused = make_hub(), make_hub("refused")
    reviewer.post(reverse("deployments:reject", args=[refused.id, 1]), {"reason": "Too dear."})
    reviewer.post(reverse("deployments:approve", args=[hub.id, 1]))
    operation = hub.operations.get()
    owner.post(reverse("deployments:cancel", args=[operation.id]))
    Operation.objects.update(status=OperationStatus.CANCELLED)
    owner.post(reverse("deployments:retry", args=[operation.id]))
    owner.post(reverse("deployments:take-down", args=[hub.id]), {"confirm": hub.name})
    reviewer.post(reverse("deployments:forget", args=[hub.id]), {"confirm": hub.name, "reason": "Lost."})
    text = page(reviewer)
    for deed in (
        "Did not approve the request: Too dear.", "Approved the request.", "Asked to cancel.", "Asked to try again.",
        "Asked to take the hub down.", "Had the hub forgotten, without touching the cloud. The reason: Lost.",
    ):  # fmt: skip
        assert text.count(deed) == 1, deed


def test_keeping_a_hub_longer_is_told(browser_of: Browser, make_hub: MakeHub, make_operation: MakeOperation) -> None:
    hub = make_hub(lifecycle=Lifecycle.READY)
    make_operation(hub, status=OperationStatus.SUCCEEDED)
    day = hub.keep_until + timedelta(days=5)
    browser_of("researcher").post(reverse("deployments:extend", args=[hub.id]), {"day": day.isoformat()})
    assert f"Keeps the hub until {day:%-d %B %Y}." in page(browser_of("reviewer"))


def test_what_administrators_set_is_there(people: dict[str, Any], browser_of: Browser) -> None:
    people["reviewer"].is_staff = people["reviewer"].is_superuser = True
    people["reviewer"].save()
    client = browser_of("reviewer")
    policy = {"max_hubs": 1, "max_days": 10, "max_monthly_cost": "50"}
    assert client.post("/admin/accounts/spendingpolicy/add/", policy).status_code == 302
    assert "Added the spending policy “Spending policy of everybody”" in page(client)


def test_what_slipway_does_by_itself_is_not_a_deed(
    browser_of: Browser, make_hub: MakeHub, make_operation: MakeOperation
) -> None:
    record(make_operation(make_hub()).id, [Line("The cluster is there.")])
    assert "The cluster is there." not in page(browser_of("reviewer"))


def test_one_person_or_one_hub_can_be_asked_for(
    people: dict[str, Any], browser_of: Browser, make_hub: MakeHub, make_operation: MakeOperation
) -> None:
    for name, who in (("alpha", "researcher"), ("beta", "stranger")):
        record(make_operation(make_hub(name, who)).id, [Line(f"{who} did it to {name}.", by=people[who])])
    client = browser_of("reviewer")
    assert "Did it to beta." not in page(client, q="alpha") and "Did it to alpha." in page(client, q="alpha")
    assert "Did it to alpha." not in page(client, q="strang") and "Did it to beta." in page(client, q="strang")
    assert "Nothing here" in page(client, q="gamma")


def test_older_ones_follow_without_a_gap_and_with_as_many_queries(
    people: dict[str, Any], browser_of: Browser, make_hub: MakeHub, make_operation: MakeOperation
) -> None:
    operation, client = make_operation(make_hub()), browser_of("reviewer")
    for number in range(70):
        record(operation.id, [Line(f"deed {number:02}", by=people["researcher"])])
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(DEEDS)
    older = client.get(DEEDS, {"before": answer.context["deeds"][-1].at.isoformat()})
    shown = [deed.what for deed in [*answer.context["deeds"], *older.context["deeds"]]]
    assert shown == [f"Deed {number:02}" for number in reversed(range(70))]
    assert len(captured) <= 10 and b"Older" in answer.content and b"Older" not in older.content


@pytest.mark.parametrize("before", ["nonsense", "2026-99-99T00:00:00", ""])
def test_a_moment_that_is_none_shows_the_newest(before: str, browser_of: Browser) -> None:
    assert browser_of("reviewer").get(DEEDS, {"before": before}).status_code == 200
