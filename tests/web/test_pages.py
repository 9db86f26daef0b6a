"""Pages as a whole: a strict content policy, one partial for first load and refresh."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from deployments.archive import archive_stretch
from deployments.events import Line, record
from deployments.models import Deployment, Operation, StepRun
from deployments.states import Lifecycle, OperationKind, OperationStatus, StepState

Browser = Callable[[str], Client]
MakeHub = Callable[..., Deployment]
MakeOperation = Callable[..., Operation]
pytestmark = pytest.mark.usefixtures("catalogue")
INLINE = re.compile(r"\s(?:style|on[a-z]+)=|<script(?![^>]*\ssrc=)|<style", re.IGNORECASE)


@pytest.mark.parametrize("page", ["/", "/hubs/new/", "/hubs/", "/review/", "/nowhere/"])
def test_nothing_inline_that_the_content_policy_refuses(page: str, browser_of: Browser, make_hub: MakeHub) -> None:
    make_hub()
    answer = browser_of("reviewer").get(page)
    assert not INLINE.search(answer.content.decode())
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


def test_first_load_and_refresh_show_the_same_progress(
    browser_of: Browser, make_hub: MakeHub, make_operation: MakeOperation
) -> None:
    hub = make_hub(lifecycle=Lifecycle.PROVISIONING)
    operation = make_operation(hub)
    StepRun.objects.create(
        operation=operation, name="pods", title="Hub starting", position=1,
        state=StepState.WORKING, summary="4 of 6 pods ready", expected_seconds=90,
    )  # fmt: skip
    client = browser_of("researcher")
    whole, part = (client.get(reverse(f"deployments:{page}", args=[hub.id])).content for page in ("detail", "progress"))
    for words in (b"4 of 6 pods ready", b"0 of 1 steps", b'id="progress"'):
        assert words in whole and words in part
    assert b"<html" not in part


def test_a_ready_hub_opens(browser_of: Browser, make_hub: MakeHub, make_operation: MakeOperation) -> None:
    hub = make_hub(lifecycle=Lifecycle.READY)
    proof = {"repository": "binder-examples/requirements", "image": "me/img:1", "seconds": 41, "at": "2026-01-01"}
    make_operation(hub, status=OperationStatus.SUCCEEDED, result={"proof": proof})
    page = browser_of("researcher").get(hub.get_absolute_url()).content.decode()
    assert "Open your Binder" in page and "https://my-course.example.org/services/binder/" in page
    assert "binder-examples/requirements" in page and "41 s" in page


def test_taking_down_behind_a_running_build_is_said(
    browser_of: Browser, make_hub: MakeHub, make_operation: MakeOperation
) -> None:
    hub = make_hub(lifecycle=Lifecycle.DELETING)
    make_operation(hub, cancel_requested=True)
    make_operation(hub, OperationKind.TEARDOWN, status=OperationStatus.WAITING)
    assert b"begins as soon as this run has stopped" in browser_of("researcher").get(hub.get_absolute_url()).content


@pytest.mark.parametrize(
    ("lifecycle", "kind", "run", "words"),
    [
        (Lifecycle.PROVISIONING, OperationKind.PROVISION, OperationStatus.RUNNING, "Being built"),
        (Lifecycle.PROVISIONING, OperationKind.PROVISION, OperationStatus.FAILED, "Build failed"),
        (Lifecycle.PROVISIONING, OperationKind.PROVISION, OperationStatus.CANCELLED, "Build cancelled"),
        (Lifecycle.DELETING, OperationKind.TEARDOWN, OperationStatus.FAILED, "Taking down failed"),
        (Lifecycle.DELETING, OperationKind.PROVISION, OperationStatus.FAILED, "Being taken down"),
        (Lifecycle.READY, OperationKind.PROVISION, OperationStatus.SUCCEEDED, "Ready"),
    ],
)
def test_list_and_page_say_the_same_of_a_hub(
    lifecycle: str, kind: str, run: str, words: str,
    browser_of: Browser, make_hub: MakeHub, make_operation: MakeOperation,
) -> None:  # fmt: skip
    hub = make_hub(lifecycle=lifecycle)
    make_operation(hub, kind, status=run)
    client = browser_of("researcher")
    for page in ("/", hub.get_absolute_url()):
        assert f"</span>{words}</span>" in client.get(page).content.decode(), page


@pytest.mark.parametrize(("days", "words"), [(30, "30 days left"), (7, "soon"), (-2, "over")])
def test_a_last_day_that_is_near_or_past_stands_out(
    days: int, words: str, browser_of: Browser, make_hub: MakeHub
) -> None:
    hub = make_hub(lifecycle=Lifecycle.READY)
    Deployment.objects.filter(id=hub.id).update(keep_until=timezone.localdate() + timedelta(days=days))
    page = browser_of("researcher").get("/").content.decode()
    assert words in page and ('class="left "' in page) == (days > 7)


def test_a_request_is_withdrawn_and_not_taken_down(browser_of: Browser, make_hub: MakeHub) -> None:
    hub, client = make_hub(), browser_of("researcher")
    assert b"Withdraw the request" in client.get(hub.get_absolute_url()).content
    assert b"Nothing has been built" in client.get(reverse("deployments:take-down", args=[hub.id])).content


def test_a_long_log_is_paged(browser_of: Browser, make_hub: MakeHub, make_operation: MakeOperation) -> None:
    operation = make_operation(make_hub(lifecycle=Lifecycle.PROVISIONING))
    record(operation.id, [Line(f"line {n}") for n in range(1, 451)])
    client = browser_of("researcher")
    page = client.get(operation.deployment.get_absolute_url()).content.decode()
    assert page.count('<li class="line') == 200 and "line 450<" in page and "line 250<" not in page
    log = reverse("deployments:log", args=[operation.id])
    assert "line 250<" in client.get(log, {"before": 251}).content.decode()
    assert client.get(f"{log}?lines&before=51").content.decode().count("<li") == 50


def test_a_whole_log_is_downloaded_as_text_also_from_the_archive(
    browser_of: Browser, make_hub: MakeHub, make_operation: MakeOperation
) -> None:
    operation = make_operation(make_hub(), status=OperationStatus.SUCCEEDED)
    record(operation.id, [Line(f"line {n}", step="pods") for n in range(1, 2102)])
    client, address = browser_of("researcher"), reverse("deployments:whole-log", args=[operation.id])
    answer = client.get(address)
    archive_stretch(operation.id)
    assert client.get(address).content == answer.content
    lines = answer.content.decode().splitlines()
    assert len(lines) == 2101 and lines[-1].endswith("line 2101") and " pods " in lines[0]
    assert re.fullmatch(
        r'attachment; filename="my-course-provision-\d{8}-\d{4}\.log"', answer.headers["Content-Disposition"]
    )
    assert address.encode() in client.get(reverse("deployments:log", args=[operation.id])).content


def test_the_values_are_shown_without_secrets(browser_of: Browser, make_hub: MakeHub) -> None:
    answer = browser_of("researcher").get(reverse("deployments:values", args=[make_hub().id]), {"download": ""})
    assert answer.headers["Content-Disposition"] == 'attachment; filename="my-course-values.yaml"'
    assert b"binderhub" in answer.content


def test_all_hubs_can_be_filtered(browser_of: Browser, make_hub: MakeHub) -> None:
    make_hub("alpha"), make_hub("beta", lifecycle=Lifecycle.DELETED)
    client = browser_of("reviewer")
    assert ">beta<" not in client.get("/hubs/").content.decode()
    assert ">beta<" in client.get("/hubs/", {"state": "deleted"}).content.decode()
    assert ">alpha<" not in client.get("/hubs/", {"q": "bet", "state": "all"}).content.decode()


@pytest.mark.parametrize("model", ["deployment", "operation", "event", "resource", "secretref", "catalogueentry"])
def test_the_admin_shows_and_changes_nothing(model: str, people: dict[str, object], browser_of: Browser) -> None:
    reviewer = people["reviewer"]
    reviewer.is_staff = reviewer.is_superuser = True  # type: ignore[attr-defined]
    reviewer.save()  # type: ignore[attr-defined]
    client = browser_of("reviewer")
    assert client.get(f"/admin/deployments/{model}/").status_code == 200
    assert client.get(f"/admin/deployments/{model}/add/").status_code == 403


def administrator(people: dict[str, User], browser_of: Browser) -> Client:
    people["reviewer"].is_staff = people["reviewer"].is_superuser = True
    people["reviewer"].save()
    return browser_of("reviewer")


@pytest.mark.usefixtures("valkey")
@pytest.mark.parametrize(
    "page", ["dashboard/", "dashboard/queues/0/", "dashboard/queues/0/empty/", "dashboard/workers/0/"]
)
def test_the_queue_pages_need_nothing_that_the_policy_forbids(
    page: str, people: dict[str, User], browser_of: Browser
) -> None:
    answer = administrator(people, browser_of).get(f"/admin/django_rq/{page}", follow=True)
    policy, text = answer.headers["Content-Security-Policy"], answer.content.decode()
    assert answer.status_code == 200 and "unsafe" not in policy
    assert not re.search(r' (?:style|on[a-z]+)="|<script(?![^>]*\ssrc=)', text)
    for block in re.findall(r"<style>(.*?)</style>", text, re.DOTALL):
        assert f"'sha256-{b64encode(sha256(block.encode()).digest()).decode()}'" in policy


def test_pages_of_our_own_allow_no_inline_style(browser_of: Browser) -> None:
    policy = browser_of("researcher").get("/").headers["Content-Security-Policy"]
    assert "style-src 'self'" in policy.split("; ") and "sha256" not in policy


def test_a_style_sheet_is_one_whole_answer_and_is_not_sent_again(client: Client) -> None:
    answer = client.get("/static/css/slipway.css")
    assert answer.status_code == 200 and not answer.streaming and b":root" in answer.content
    assert answer.headers["Content-Type"].startswith("text/css")
    again = client.get("/static/css/slipway.css", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304 and again.content == b""


def test_what_browsers_ask_for_by_themselves_is_there(client: Client) -> None:
    assert client.get("/favicon.ico").headers["Location"] == "/static/img/favicon.svg"
