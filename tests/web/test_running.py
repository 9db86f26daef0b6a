"""A hub that stands, run from its page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from deployments.models import Deployment, HealthCheck
from deployments.states import Health, Lifecycle, OperationKind, OperationStatus, Outcome, StepState
from deployments.strip import strips
from tests.web.standing import CHARTS, asked_change, failed_change, ready, stored
from tests.web.test_pages import INLINE

Browser = Callable[[str], Client]
MakeHub = Callable[..., Deployment]
pytestmark = pytest.mark.usefixtures("catalogue")


def url(page: str, hub: Deployment, *more: Any) -> str:
    return reverse(f"deployments:{page}", args=[hub.id, *more])


def shown(client: Client, hub: Deployment) -> str:
    return client.get(hub.get_absolute_url()).content.decode()


def told(answer: Any) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


# --- who may -------------------------------------------------------------------------------------------------------

PAGES = ["versions", "secrets", "stop", "extend", "try-launch"]


@pytest.mark.parametrize("page", PAGES)
def test_pages_that_run_a_hub_are_for_its_owner_and_reviewers(
    page: str, browser_of: Browser, make_hub: MakeHub
) -> None:
    hub = ready(make_hub)
    answers = {who: browser_of(who).get(url(page, hub)).status_code for who in ("stranger", "researcher", "reviewer")}
    assert answers == {"stranger": 404, "researcher": 200, "reviewer": 200}


@pytest.mark.parametrize(
    ("page", "more"),
    [("stop", ()), ("start", ()), ("extend", ()), ("try-launch", ()), ("withdraw", (2,)), ("secret", ("docker-token",)),
     ("step-up", ()), ("revision", (1,))],
)  # fmt: skip
def test_a_stranger_changes_nothing(page: str, more: Any, browser_of: Browser, make_hub: MakeHub) -> None:
    hub = ready(make_hub)
    asked_change(hub, node_count=9)
    stored(hub, "docker-token")
    assert browser_of("stranger").post(url(page, hub, *more)).status_code in (404, 405)
    assert not hub.operations.exists() and hub.revisions.count() == 2


@pytest.mark.parametrize("page", ["detail", *PAGES, "secret", "step-up", "revision", "review-change"])
def test_nothing_inline_that_the_content_policy_refuses(page: str, browser_of: Browser, make_hub: MakeHub) -> None:
    hub = ready(make_hub)
    failed_change(hub)
    stored(hub, "docker-token")
    HealthCheck.objects.create(deployment=hub, health=Health.HEALTHY)
    more = {"secret": ["docker-token"], "revision": [2], "review-change": [asked_change(hub, node_count=5).number]}
    answer = browser_of("reviewer").get(url(page, hub, *more.get(page, [])), {"kubernetes_version": "1.34.3"})
    assert answer.status_code == 200 and not INLINE.search(answer.content.decode())


@pytest.mark.parametrize(("page", "more"), [("start", ()), ("withdraw", (1,))])
def test_buttons_need_a_form_that_is_sent(page: str, more: Any, browser_of: Browser, make_hub: MakeHub) -> None:
    assert browser_of("researcher").get(url(page, ready(make_hub), *more)).status_code == 405


@pytest.mark.parametrize("page", ["stop", "start", "try-launch"])
def test_a_form_without_its_token_does_nothing(page: str, people: dict[str, User], make_hub: MakeHub) -> None:
    hub, careful = ready(make_hub), Client(enforce_csrf_checks=True)
    careful.force_login(people["researcher"], backend="django.contrib.auth.backends.ModelBackend")
    assert careful.post(url(page, hub), {"repository": "a/b"}).status_code == 403
    assert not hub.operations.exists()


@pytest.mark.parametrize("lifecycle", [Lifecycle.REQUESTED, Lifecycle.PROVISIONING, Lifecycle.DELETED])
def test_a_hub_that_does_not_stand_offers_nothing_of_it(lifecycle: str, browser_of: Browser, make_hub: MakeHub) -> None:
    hub, client = make_hub(lifecycle=lifecycle), browser_of("researcher")
    assert "Run this hub" not in shown(client, hub)
    assert "does not run" in told(client.get(url("stop", hub), follow=True))


def test_while_something_is_done_to_it_nothing_else_is_offered(
    browser_of: Browser, make_hub: MakeHub, make_operation: Callable[..., Any]
) -> None:
    hub = ready(make_hub)
    make_operation(hub, OperationKind.CHANGE)
    page = shown(browser_of("researcher"), hub)
    assert "Something is being done to the hub just now" in page and 'id="stop"' not in page


# --- stop and start ------------------------------------------------------------------------------------------------


def test_stopping_says_what_it_saves_and_is_done_once(browser_of: Browser, make_hub: MakeHub) -> None:
    hub, client = ready(make_hub), browser_of("researcher")
    page = client.get(url("stop", hub)).content.decode()
    assert "£438.00" in page and "£64.80" in page  # three nodes at 0.20 an hour; disks, address and load balancer stay
    assert "£438.00" in shown(client, hub)
    client.post(url("stop", hub))
    assert "being done to this hub just now" in told(client.post(url("stop", hub), follow=True))
    assert hub.operations.get().kind == OperationKind.STOP


def test_a_stopped_hub_offers_its_start(browser_of: Browser, make_hub: MakeHub) -> None:
    hub, client = ready(make_hub, Lifecycle.STOPPED), browser_of("researcher")
    page = shown(client, hub)
    assert "switched off" in page and 'id="start"' in page and 'id="change"' not in page
    client.post(url("start", hub))
    assert hub.operations.get().kind == OperationKind.START


def test_a_hub_that_runs_cannot_be_started(browser_of: Browser, make_hub: MakeHub) -> None:
    answer = browser_of("researcher").post(url("start", ready(make_hub)), follow=True)
    assert "This hub is not stopped" in told(answer)


# --- its last day --------------------------------------------------------------------------------------------------


def test_a_hub_is_kept_longer_within_what_the_group_allows(browser_of: Browser, make_hub: MakeHub) -> None:
    hub, client = ready(make_hub), browser_of("researcher")
    day = timezone.localdate() + timedelta(days=60)
    client.post(url("extend", hub), {"day": day.isoformat()})
    hub.refresh_from_db()
    assert hub.keep_until == day


@pytest.mark.parametrize(
    ("days", "words"), [(400, "90 days from today at most"), (30, "Choose a day after"), (None, "This is not a day")]
)
def test_a_last_day_that_cannot_be_is_explained(
    days: int | None, words: str, browser_of: Browser, make_hub: MakeHub
) -> None:
    hub = ready(make_hub)
    day = (timezone.localdate() + timedelta(days=days)).isoformat() if days else "soon"
    answer = browser_of("researcher").post(url("extend", hub), {"day": day})
    assert answer.status_code == 422 and words in answer.content.decode()


@pytest.mark.parametrize(("days", "warned"), [(8, False), (7, True), (0, True)])
def test_the_page_warns_of_the_last_day(days: int, warned: bool, browser_of: Browser, make_hub: MakeHub) -> None:
    hub = ready(make_hub)
    Deployment.objects.filter(id=hub.id).update(keep_until=timezone.localdate() + timedelta(days=days))
    assert ("This hub is taken down after" in shown(browser_of("researcher"), hub)) is warned


# --- a launch ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed", ["binder-examples/r", " https://github.com/binder-examples/r.git ", "github.com/binder-examples/r/"]
)
def test_any_way_of_writing_a_repository_is_launched(typed: str, browser_of: Browser, make_hub: MakeHub) -> None:
    hub = ready(make_hub)
    browser_of("researcher").post(url("try-launch", hub), {"repository": typed})
    assert hub.operations.get().arguments == {"repository": "binder-examples/r", "ref": "HEAD"}


@pytest.mark.parametrize(("page", "lifecycle"), [("start", Lifecycle.STOPPED), ("try-launch", Lifecycle.READY)])
def test_a_second_click_starts_nothing_more(page: str, lifecycle: str, browser_of: Browser, make_hub: MakeHub) -> None:
    hub, client = ready(make_hub, lifecycle), browser_of("researcher")
    answers = [client.post(url(page, hub), {"repository": "a/b"}, follow=True) for _ in range(2)]
    assert hub.operations.count() == 1 and "being done to this hub just now" in told(answers[1])


@pytest.mark.parametrize("typed", ["", "binder-examples", "a/*", "a/b/c", "../..", "a/b c"])
def test_what_is_no_repository_comes_back_with_a_sentence(typed: str, browser_of: Browser, make_hub: MakeHub) -> None:
    hub = ready(make_hub)
    answer = browser_of("researcher").post(url("try-launch", hub), {"repository": typed})
    assert answer.status_code == 422 and b'class="error"' in answer.content
    assert not hub.operations.exists()


# --- versions ------------------------------------------------------------------------------------------------------


def test_newer_versions_are_listed_with_their_day_and_what_changes(browser_of: Browser, make_hub: MakeHub) -> None:
    page = browser_of("researcher").get(url("versions", ready(make_hub))).content.decode()
    assert "8 September 2025" in page and "4.2.0" in page
    assert "https://github.com/jupyterhub/binderhub/compare/040c9bbe...af9ca8b1" in page
    assert "1.34.3" in page and "+mark" not in page.replace("%2Bmark", "")


def test_a_newer_chart_is_looked_at_and_then_applied_once(browser_of: Browser, make_hub: MakeHub) -> None:
    hub, client = ready(make_hub), browser_of("researcher")
    wish = {"chart_version": CHARTS[0][0]}
    page = client.get(url("step-up", hub), wish).content.decode()
    assert "Version of the chart" in page and not hub.operations.exists()
    for _ in range(2):
        client.post(url("step-up", hub), wish | {"number": 1})
    operation = hub.operations.get()
    assert operation.kind == OperationKind.CHANGE and operation.revision.spec.chart_version == CHARTS[0][0]


def test_kubernetes_goes_up_one_minor_version(browser_of: Browser, make_hub: MakeHub) -> None:
    hub, client = ready(make_hub), browser_of("researcher")
    page = client.get(url("step-up", hub), {"kubernetes_version": "1.34.3"}).content.decode()
    assert "It cannot go back" in page
    client.post(url("step-up", hub), {"kubernetes_version": "1.34.3", "number": 1})
    assert hub.operations.get().revision.spec.kubernetes_version == "1.34.3"


@pytest.mark.parametrize("wish", [{}, {"chart_version": "9"}, {"kubernetes_version": "1.33.6"}, {"node_count": "9"}])
def test_a_version_that_is_not_offered_is_refused(wish: dict[str, str], browser_of: Browser, make_hub: MakeHub) -> None:
    hub = ready(make_hub)
    answer = browser_of("researcher").post(url("step-up", hub), wish | {"number": 1}, follow=True)
    assert "not offered" in told(answer) and not hub.operations.exists()


def test_an_old_page_changes_nothing(browser_of: Browser, make_hub: MakeHub) -> None:
    hub = ready(make_hub)
    wish = {"chart_version": CHARTS[0][0], "number": 7}
    assert "changed since" in told(browser_of("researcher").post(url("step-up", hub), wish, follow=True))


# --- revisions -----------------------------------------------------------------------------------------------------


def test_a_change_put_back_says_what_is_served_and_why(browser_of: Browser, make_hub: MakeHub) -> None:
    hub = ready(make_hub)
    failed_change(hub)
    page = shown(browser_of("researcher"), hub)
    for words in (
        "The hub serves revision 1",
        "so Slipway put back",
        "The pods of the hub keep ending.",
        "Look at the log",
    ):
        assert words in page


def test_it_is_said_until_another_change_works(
    browser_of: Browser, make_hub: MakeHub, make_operation: Callable[..., Any]
) -> None:
    hub, client = ready(make_hub), browser_of("researcher")
    failed_change(hub)
    make_operation(hub, OperationKind.TRY_LAUNCH, status=OperationStatus.SUCCEEDED)
    assert "The hub serves revision 1" in shown(client, hub)
    make_operation(hub, OperationKind.CHANGE, status=OperationStatus.SUCCEEDED)
    assert "The hub serves revision 1" not in shown(client, hub)


@pytest.mark.parametrize(
    ("kind", "put_back", "words"),
    [
        (OperationKind.CHANGE, StepState.FAILED, "and so did putting it back"),
        (OperationKind.CHANGE, "", "The hub serves revision 1"),
        (OperationKind.ROTATE, StepState.DONE, "The hub uses its former secrets"),
    ],
)
def test_each_way_a_change_fails_has_its_words(
    kind: str, put_back: str, words: str, browser_of: Browser, make_hub: MakeHub
) -> None:
    hub = ready(make_hub)
    failed_change(hub, kind, put_back)
    assert words in shown(browser_of("researcher"), hub)


def test_secrets_that_were_put_back_are_asked_for_and_not_retried(browser_of: Browser, make_hub: MakeHub) -> None:
    hub = ready(make_hub)
    failed_change(hub, OperationKind.ROTATE)
    Deployment.objects.filter(id=hub.id).update(last_outcome=Outcome.ROLLED_BACK)
    page = shown(browser_of("researcher"), hub)
    assert "Give new secrets" in page and ">Retry<" not in page
    assert "Last change put back" in browser_of("researcher").get("/").content.decode()


def test_a_revision_shows_who_asked_and_what_changed(browser_of: Browser, make_hub: MakeHub) -> None:
    hub, client = ready(make_hub), browser_of("researcher")
    asked_change(hub, idle_minutes=45)
    page = client.get(url("revision", hub, 2)).content.decode()
    assert "researcher" in page and "Stop after so many idle minutes" in page and "2700" in page
    assert ">Served<" in shown(client, hub)
    assert client.get(url("revision", hub, 3)).status_code == 404


def test_a_change_that_waits_can_be_withdrawn(browser_of: Browser, make_hub: MakeHub) -> None:
    hub, client = ready(make_hub), browser_of("researcher")
    asked_change(hub, node_count=9)
    assert "A change waits for a reviewer" in shown(client, hub)
    client.post(url("withdraw", hub, 2))
    assert "A change waits for a reviewer" not in shown(client, hub)
    assert client.post(url("withdraw", hub, 2)).status_code == 404


def test_the_first_revision_cannot_be_withdrawn(browser_of: Browser, make_hub: MakeHub) -> None:
    hub = ready(make_hub)
    browser_of("researcher").post(url("withdraw", hub, 1))
    assert hub.revisions.count() == 1


# --- health --------------------------------------------------------------------------------------------------------


def test_a_month_of_health_is_shown_by_days_and_in_words(browser_of: Browser, make_hub: MakeHub) -> None:
    hub, now = ready(make_hub), timezone.now()
    for days in range(40):
        health = Health.UNHEALTHY if days == 3 else Health.HEALTHY
        HealthCheck.objects.create(deployment=hub, at=now - timedelta(days=days), health=health)
    day, month = strips(hub, now + timedelta(minutes=1))
    assert [slot.health for slot in month.slots[-5:]] == ["healthy", "unhealthy", "healthy", "healthy", "healthy"]
    assert len(month.slots) == 30 and sum(slot.well for slot in month.slots) == 29
    assert day.told == "healthy when looked at, once"
    page = shown(browser_of("researcher"), hub)
    assert "healthy in 96.7 % of 30 looks" in page and page.count("<rect") == 48 + 30
