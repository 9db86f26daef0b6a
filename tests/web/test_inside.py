"""Pages about the inside of a hub: there at once, filled in by a worker, for those who may see the hub."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import django_rq
import pytest
from django.test import Client
from django.utils import timezone

from deployments.models import Checkup, Deployment, Look, Operation
from deployments.states import Lifecycle, OperationKind, OperationStatus
from tests.web.insides import CONTAINER, DIAGNOSIS, OVERVIEW, PAGES, POD, fill, log_data, url, with_cluster
from tests.web.standing import ready

Browser = Callable[[str], Client]
MakeHub = Callable[..., Deployment]


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


# --- who may look, and at what -------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [*PAGES, "inside-stream"])
def test_a_strangers_hub_has_no_inside(page: str, hub: Deployment, browser_of: Browser) -> None:
    assert browser_of("stranger").get(url(hub, page, query="?subject=overview")).status_code == 404
    assert Look.objects.count() == 0


@pytest.mark.parametrize("who", ["researcher", "reviewer"])
@pytest.mark.parametrize("page", PAGES)
def test_owner_and_reviewers_look_inside(page: str, who: str, hub: Deployment, browser_of: Browser) -> None:
    assert browser_of(who).get(url(hub, page)).status_code == 200


@pytest.mark.parametrize(
    ("page", "pod", "query"),
    [
        ("inside-pod", "Hub_1", ""),
        ("inside-pod", "..", ""),
        ("inside-log", "hub-1", "?container=../secrets"),
        ("inside-log", "hub-1", "?container=a%00b"),
        ("inside-stream", "", "?subject=secrets/all"),
        ("inside-stream", "", ""),
    ],
)
def test_what_nothing_can_be_called_is_not_found(
    page: str, pod: str, query: str, hub: Deployment, browser_of: Browser
) -> None:
    path = url(hub) + f"pods/{pod}/{'log/' if page == 'inside-log' else ''}" if pod else url(hub, page)
    assert browser_of("researcher").get(path + query).status_code == 404
    assert Look.objects.count() == 0


@pytest.mark.parametrize("page", PAGES)
def test_looking_changes_nothing_and_posts_are_refused(page: str, hub: Deployment, browser_of: Browser) -> None:
    assert browser_of("researcher").post(url(hub, page)).status_code == 405


# --- before anything is known --------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_the_page_is_there_before_anybody_has_looked_and_wakes_a_worker(
    page: str, hub: Deployment, browser_of: Browser, django_capture_on_commit_callbacks: Any
) -> None:
    django_rq.get_queue("operations").empty()
    with django_capture_on_commit_callbacks(execute=True):
        shown = text(browser_of("researcher").get(url(hub, page)))
    assert "Asking the cluster" in shown
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in shown
    look = Look.objects.get(deployment=hub)
    assert look.looked_at is None and look.wanted_until > timezone.now() + timedelta(seconds=15)
    assert django_rq.get_queue("operations").count == 1


def test_a_page_that_stays_open_keeps_its_look_and_wakes_nobody_again(
    hub: Deployment, browser_of: Browser, django_capture_on_commit_callbacks: Any
) -> None:
    fill(hub, "overview", OVERVIEW)
    Look.objects.update(wanted_until=timezone.now() + timedelta(seconds=3))
    with django_capture_on_commit_callbacks() as woken:
        browser_of("researcher").get(url(hub))
    assert woken == [] and Look.objects.get().wanted_until > timezone.now() + timedelta(seconds=15)


@pytest.mark.parametrize(
    ("lifecycle", "words"),
    [
        (Lifecycle.REQUESTED, "Its cluster does not exist yet"),
        (Lifecycle.PROVISIONING, "Its cluster does not exist yet"),
        (Lifecycle.DELETED, "Its cluster does not exist any more"),
    ],
)
def test_without_a_cluster_the_page_says_so_and_asks_nobody(
    lifecycle: str, words: str, make_hub: MakeHub, browser_of: Browser
) -> None:
    assert words in text(browser_of("researcher").get(url(make_hub(lifecycle=lifecycle))))
    assert Look.objects.count() == 0


def test_a_stopped_hub_is_not_asked(make_hub: MakeHub, browser_of: Browser) -> None:
    hub = with_cluster(ready(make_hub, Lifecycle.STOPPED))
    assert "Its machines are switched off" in text(browser_of("researcher").get(url(hub)))


# --- what is shown -------------------------------------------------------------------------------------------------


def test_the_overview_tells_states_in_plain_words_beside_kubernetes_own(hub: Deployment, browser_of: Browser) -> None:
    fill(hub, "overview", OVERVIEW)
    shown = text(browser_of("researcher").get(url(hub)))
    for words in (
        "cannot get its image", "ImagePullBackOff", "waiting for a machine (node)", "Pending", "Somebody&#x27;s",
        "its disk is full", "DiskPressure", "3.86 cores, 13.6 GiB", "waits for a public address", "waits for its disk",
        "Error: ErrImagePull", "5 times", "And 4 more.",
    ):  # fmt: skip
        assert words in shown, words
    assert "http-equiv" not in shown


def test_what_is_wrong_is_said_with_its_fix_and_what_says_so(hub: Deployment, browser_of: Browser) -> None:
    fill(hub, "overview", OVERVIEW)
    shown = text(browser_of("researcher").get(url(hub)))
    assert "The registry does not hand out an image." in shown and "Give the hub a new token." in shown
    assert "&lt;pull access denied&gt;" in shown


def test_a_hub_without_troubles_says_that(hub: Deployment, browser_of: Browser) -> None:
    fill(hub, "overview", OVERVIEW | {"diagnoses": []})
    assert "Slipway finds nothing wrong inside the hub." in text(browser_of("researcher").get(url(hub)))


def test_a_problem_is_said_above_what_was_seen_before(hub: Deployment, browser_of: Browser) -> None:
    fill(hub, "overview", OVERVIEW, problem="The cluster did not answer.")
    shown = text(browser_of("researcher").get(url(hub)))
    assert "The cluster did not answer. What you see below is older." in shown and "hub-6c9f" in shown
    assert "finds nothing wrong" not in shown


def test_a_script_gets_only_the_part_that_changes(hub: Deployment, browser_of: Browser) -> None:
    fill(hub, "overview", OVERVIEW)
    shown = text(browser_of("researcher").get(url(hub, query="?htmx")))
    assert shown.startswith('<div id="inside"') and "<html" not in shown


def test_a_pod_is_described(hub: Deployment, browser_of: Browser) -> None:
    described = POD | {
        "containers": [CONTAINER], "address": "10.244.0.9", "priority": "", "message": "", "phase": "Running",
        "conditions": [{"kind": "Ready", "value": "False", "reason": "", "message": "unready: [hub]", "since": None}],
        "volumes": [{"name": "secret", "kind": "secret", "source": "hub"}], "tolerations": [],
    }  # fmt: skip
    fill(hub, "pod/hub-6c9f", {"pod": described, "events": OVERVIEW["events"]})
    shown = text(browser_of("researcher").get(url(hub, "inside-pod")))
    for words in (
        "crashes again and again", "Error, exit code 1", "cpu 0.2", "memory 1 GiB", "HUB_TOKEN", "it answers",
        "unready: [hub]", "a secret", "Before the last restart", "JupyterHub: starts and stops sessions",
    ):  # fmt: skip
        assert words in shown, words


def test_helms_history_is_told(hub: Deployment, browser_of: Browser) -> None:
    rows = [
        {
            "revision": number,
            "status": status,
            "chart": "binderhub-1.0.0+sandbox.1",
            "description": told,
            "updated": None,
        }
        for number, status, told in ((2, "failed", "Upgrade failed"), (1, "deployed", "Install complete"))
    ]
    fill(hub, "history", {"revisions": rows})
    shown = text(browser_of("researcher").get(url(hub, "inside-history")))
    for words in ("did not work", "Upgrade failed", "served now", "Install complete", "binderhub-1.0.0<"):
        assert words in shown, words


def test_a_log_shows_its_lines_escaped_and_leads_to_the_other_containers(hub: Deployment, browser_of: Browser) -> None:
    fill(hub, "log/hub-6c9f/", log_data("first", "<script>alert(1)</script>"))
    shown = text(browser_of("researcher").get(url(hub, "inside-log")))
    assert "first" in shown and "&lt;script&gt;alert(1)&lt;/script&gt;" in shown and 'data-last="1001"' in shown
    assert "?container=side" in shown and "?container=hub&amp;previous" in shown
    assert "subject=log%2Fhub-6c9f%2F" in shown


def test_the_log_before_a_restart_is_another_look(hub: Deployment, browser_of: Browser) -> None:
    fill(hub, "log/hub-6c9f/hub/previous", log_data("its last words"))
    shown = text(browser_of("researcher").get(url(hub, "inside-log", query="?container=hub&previous")))
    assert "its last words" in shown and "before its last restart" in shown and 'id="follow"' not in shown


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"problem": "container is waiting to start: ImagePullBackOff"}, "There is no log: container is waiting"),
        ({"gone": True}, "The pod has ended."),
    ],
)
def test_a_log_that_cannot_be_had_says_why(
    more: dict[str, Any], words: str, hub: Deployment, browser_of: Browser
) -> None:
    fill(hub, "log/hub-6c9f/", log_data(**more))
    assert words in text(browser_of("researcher").get(url(hub, "inside-log")))


# --- the hub's own page --------------------------------------------------------------------------------------------


def checked(hub: Deployment, minutes_ago: float = 0) -> None:
    at = timezone.now() - timedelta(minutes=minutes_ago)
    Checkup.objects.update_or_create(deployment=hub, defaults={"at": at, "found": [DIAGNOSIS]})


def wrong(browser: Client, hub: Deployment) -> bool:
    return "Something is wrong inside the hub" in text(browser.get(hub.get_absolute_url()))


def test_the_hubs_page_says_what_is_wrong_inside(hub: Deployment, browser_of: Browser) -> None:
    checked(hub)
    shown = text(browser_of("researcher").get(hub.get_absolute_url()))
    for words in (
        "Something is wrong inside the hub",
        DIAGNOSIS["what"],
        DIAGNOSIS["fix"],
        "&lt;pull access denied&gt;",
    ):
        assert words in shown, words
    Checkup.objects.update(found=[])
    assert not wrong(browser_of("researcher"), hub)


def test_what_was_found_before_the_newest_run_is_not_said_of_what_came_of_it(
    hub: Deployment, browser_of: Browser, make_operation: Callable[..., Operation]
) -> None:
    checked(hub, minutes_ago=5)
    run = make_operation(hub, OperationKind.CHANGE)
    assert not wrong(browser_of("researcher"), hub)
    ended = timezone.now() - timedelta(minutes=1)
    Operation.objects.filter(id=run.id).update(status=OperationStatus.SUCCEEDED, finished_at=ended)
    assert not wrong(browser_of("researcher"), hub)
    checked(hub)
    assert wrong(browser_of("researcher"), hub)


def test_a_hub_whose_build_failed_can_be_looked_into(make_hub: MakeHub, browser_of: Browser) -> None:
    hub = with_cluster(make_hub(lifecycle=Lifecycle.PROVISIONING))
    assert url(hub) in text(browser_of("researcher").get(hub.get_absolute_url()))
