"""Long lists come in pages, can be searched without scripts, and cost as many queries with many rows as with few."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from deployments.events import Line, record
from deployments.models import Deployment, HealthCheck, Operation, SpecRevision
from deployments.states import Lifecycle, OperationKind, OperationStatus

Browser = Callable[[str], Client]
MakeHub = Callable[..., Deployment]
MakeOperation = Callable[..., Operation]
pytestmark = pytest.mark.usefixtures("catalogue")


@pytest.fixture
def make_hubs(people: dict[str, User], make_hub: MakeHub) -> Callable[..., list[Deployment]]:
    """`make_hubs(200)` are so many hubs in few statements."""

    def make(count: int, prefix: str = "hub", lifecycle: str = Lifecycle.REQUESTED) -> list[Deployment]:
        data = make_hub(f"first-{prefix}-{count}").revision.data
        hubs = Deployment.objects.bulk_create(
            Deployment(
                owner=people["researcher"], name=f"{prefix}-{number}", lifecycle=lifecycle, monthly_cost=100,
                address=f"https://{prefix}-{number}.example.org/", keep_until=timezone.localdate(),
            )
            for number in range(count)
        )  # fmt: skip
        SpecRevision.objects.bulk_create(
            SpecRevision(deployment=hub, data=data | {"name": hub.name}, author=people["researcher"]) for hub in hubs
        )
        return hubs

    return make


@pytest.fixture
def queries(browser_of: Browser) -> Callable[[str, str], int]:
    """How many queries somebody's look at a page takes."""

    def count(who: str, page: str) -> int:
        client = browser_of(who)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(page).status_code == 200
        return len(captured)

    return count


def rows(page: bytes) -> list[str]:
    return re.findall(r'class="hub-name"[^>]*>([^<]+)<', page.decode())


def cards(page: bytes) -> int:
    return page.count(b"request-card")


@pytest.mark.parametrize(
    ("who", "page"),
    [
        ("researcher", "/"),
        ("reviewer", "/hubs/"),
        ("reviewer", "/hubs/?q=hub&state=all"),
        ("reviewer", "/review/"),
        ("reviewer", "/review/?q=hub"),
    ],
)
def test_200_hubs_need_no_more_queries_than_10(
    who: str, page: str, queries: Callable[[str, str], int], make_hubs: Callable[..., list[Deployment]]
) -> None:
    make_hubs(10, "few")
    few = queries(who, page)
    make_hubs(200, "many")
    assert queries(who, page) == few <= 12


@pytest.mark.parametrize("page", ["detail", "progress", "runs", "revisions", "log"])
def test_a_hub_with_200_of_everything_needs_no_more_queries_than_one_with_10(
    page: str, queries: Callable[[str, str], int], people: dict[str, Any], make_hub: MakeHub,
    make_operation: MakeOperation,
) -> None:  # fmt: skip
    hub = make_hub(lifecycle=Lifecycle.READY)
    Deployment.objects.filter(id=hub.id).update(ready_at=timezone.now(), serving=hub.revision)
    counts = []
    for upto in (10, 200):
        for number in range(hub.revisions.count() + 1, upto + 1):
            revision = SpecRevision.objects.create(
                deployment=hub, number=number, data=hub.revision.data, author=people["stranger"]
            )
            run = make_operation(hub, OperationKind.CHANGE, status=OperationStatus.SUCCEEDED)
            Operation.objects.filter(id=run.id).update(revision=revision, requested_by=people["researcher"])
        record(run.id, [Line("ready") for _ in range(upto)])
        HealthCheck.objects.bulk_create(HealthCheck(deployment=hub, health="healthy") for _ in range(upto))
        about = run.id if page == "log" else hub.id
        counts.append(queries("reviewer", reverse(f"deployments:{page}", args=[about])))
    assert counts[0] == counts[1] <= 23


def test_all_hubs_come_in_pages_that_keep_what_was_asked(
    browser_of: Browser, make_hubs: Callable[..., list[Deployment]]
) -> None:
    make_hubs(120)
    client = browser_of("reviewer")
    first = client.get("/hubs/", {"q": "hub-"})
    assert len(rows(first.content)) == 50 and b"Page 1 of 3, 121 hubs" in first.content
    following = re.search(rb'rel="next" href="([^"]+)"', first.content)
    assert following is not None and b"q=hub-" in following[1]
    seen = [rows(client.get("/hubs/", {"q": "hub-", "page": page}).content) for page in (1, 2, 3)]
    assert len({name for page in seen for name in page}) == 121


def test_the_newest_hub_comes_first(browser_of: Browser, make_hub: MakeHub) -> None:
    make_hub("older"), make_hub("newer")
    assert rows(browser_of("reviewer").get("/hubs/").content) == ["newer", "older"]


@pytest.mark.parametrize("page", ["0", "999", "x", "-1"])
def test_a_page_that_is_not_there_shows_one_that_is(page: str, browser_of: Browser, make_hub: MakeHub) -> None:
    make_hub("my-course")
    assert rows(browser_of("reviewer").get("/hubs/", {"page": page}).content) == ["my-course"]


def test_all_hubs_are_found_by_owner(browser_of: Browser, people: dict[str, User], make_hub: MakeHub) -> None:
    make_hub("hers", owner="stranger"), make_hub("his")
    people["stranger"].first_name, people["stranger"].last_name = "Ada", "Lovelace"
    people["stranger"].save()
    client = browser_of("reviewer")
    for word in ("strang", "ada", "LOVE"):
        assert rows(client.get("/hubs/", {"q": word}).content) == ["hers"], word


def test_my_hubs_are_searched_once_they_are_many(
    browser_of: Browser, make_hub: MakeHub, make_hubs: Callable[..., list[Deployment]]
) -> None:
    make_hub("my-course")
    client = browser_of("researcher")
    assert b'role="search"' not in client.get("/").content
    make_hubs(60, lifecycle=Lifecycle.READY)
    page = client.get("/")
    assert b'role="search"' in page.content and len(rows(page.content)) == 50
    assert rows(client.get("/", {"q": "course"}).content) == ["my-course"]
    assert b"None of your hubs fits this" in client.get("/", {"q": "nowhere"}).content


def test_my_hubs_show_nobody_elses_however_they_are_searched(browser_of: Browser, make_hub: MakeHub) -> None:
    make_hub("hers", owner="stranger"), make_hub("mine")
    client = browser_of("researcher")
    for asked in ({"q": "hers"}, {"q": "stranger"}, {"state": "all"}):
        assert "hers" not in rows(client.get("/", asked).content), asked


def test_my_hubs_lead_to_all_that_are_gone(browser_of: Browser, make_hubs: Callable[..., list[Deployment]]) -> None:
    make_hubs(30, "gone", lifecycle=Lifecycle.DELETED)
    client = browser_of("researcher")
    page = client.get("/").content
    assert b"Gone or not approved (30)" in page and sum(name.startswith("gone") for name in rows(page)) == 20
    assert len(rows(client.get("/", {"state": "deleted"}).content)) == 30


def test_review_shows_the_oldest_requests_first_and_the_rest_in_pages(
    browser_of: Browser, make_hubs: Callable[..., list[Deployment]]
) -> None:
    make_hubs(44)
    client = browser_of("reviewer")
    first, last = client.get("/review/").content, client.get("/review/", {"page": 3}).content
    assert (cards(first), cards(last)) == (20, 5) and b"Page 1 of 3, 45 requests" in first
    assert b">first-hub-44<" in first and b">hub-43<" in last


def test_review_finds_a_request_by_name_and_by_who_asked(browser_of: Browser, make_hub: MakeHub) -> None:
    make_hub("alpha"), make_hub("beta", owner="stranger")
    client = browser_of("reviewer")
    for word in ("bet", "stranger"):
        page = client.get("/review/", {"q": word}).content
        assert cards(page) == 1 and b">beta<" in page, word
    assert b"No request fits this" in client.get("/review/", {"q": "gamma"}).content


def test_a_hubs_page_shows_its_newest_runs_and_leads_to_all(
    browser_of: Browser, make_hub: MakeHub, make_operation: MakeOperation
) -> None:
    hub = make_hub(lifecycle=Lifecycle.READY)
    for _ in range(60):
        make_operation(hub, OperationKind.TRY_LAUNCH, status=OperationStatus.SUCCEEDED)
    client, everything = browser_of("researcher"), reverse("deployments:runs", args=[hub.id])
    page = client.get(hub.get_absolute_url()).content.decode()
    assert page.count('/log/">Try a launch<') == 20 and f'href="{everything}"' in page
    assert client.get(everything).content.decode().count('/log/">Try a launch<') == 50
    assert client.get(everything, {"page": 2}).content.decode().count('/log/">Try a launch<') == 10


def test_a_hubs_page_shows_its_newest_revisions_and_leads_to_all(
    browser_of: Browser, make_hub: MakeHub, people: dict[str, User]
) -> None:
    hub = make_hub(lifecycle=Lifecycle.READY)
    for number in range(2, 31):
        SpecRevision.objects.create(deployment=hub, number=number, data=hub.revision.data, author=people["researcher"])
    client, everything = browser_of("researcher"), reverse("deployments:revisions", args=[hub.id])
    page = client.get(hub.get_absolute_url()).content.decode()
    assert "Revisions (30)" in page and page.count(": what it changed") == 20 and f'href="{everything}"' in page
    assert client.get(everything).content.decode().count(": what it changed") == 30
