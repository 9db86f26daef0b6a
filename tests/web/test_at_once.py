"""Double clicks, two tabs, two administrators: through the pages, by two processes in the same moment."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from deployments.models import Deployment, Operation, Review
from deployments.states import Lifecycle, OperationKind, OperationStatus
from tests.environment import database_in_use
from tests.web.clicking import Answer, Click, Clicker, at_once
from tests.web.standing import ready
from tests.web.test_form import filled

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("catalogue")]
Browser = Callable[[str], Client]
MakeHub = Callable[..., Deployment]
MakeOperation = Callable[..., Operation]
Press = Callable[..., list[Answer]]
#: Two processes do not always meet: often enough in so many hubs.
HUBS = 3


@pytest.fixture(scope="module")
def press(django_db_setup: None, sandbox: object) -> Iterator[Press]:
    """`press(click, click)` has two processes click in the same moment."""
    environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings", "DATABASE_URL": database_in_use()}
    clickers = [Clicker(environ) for _ in range(2)]
    assert [clicker.hear() for clicker in clickers] == ["ready", "ready"]
    yield partial(at_once, clickers)
    for clicker in clickers:
        clicker.end()


@pytest.fixture
def admins(people: dict[str, User], browser_of: Browser) -> list[Client]:
    """Two people who review."""
    people["second"] = User.objects.create_superuser("second", "second@example.org", "x")
    return [browser_of("reviewer"), browser_of("second")]


def only(answers: list[Answer], words: str) -> Answer:
    """The one that was told so."""
    (found,) = [answer for answer in answers if words in answer.told]
    return found


def runs(hub: Deployment) -> Counter[tuple[str, str]]:
    return Counter((run.kind, run.status) for run in hub.operations.all())


def test_a_form_sent_from_two_tabs_makes_one_request(
    press: Press, browser_of: Browser, people: dict[str, User]
) -> None:
    sent = {name: str(value) for name, value in filled(people["researcher"]).items()}
    answers = press(*[Click(browser_of("researcher"), reverse("deployments:new"), sent)] * 2)
    hub = Deployment.objects.get()
    assert {answer.led_to for answer in answers} == {hub.get_absolute_url()}
    assert sorted(hub.secrets.values_list("purpose", flat=True)) == ["docker-token", "hub-tokens"]


def test_two_admins_approve_a_request_once(press: Press, admins: list[Client], make_hub: MakeHub) -> None:
    for number in range(HUBS):
        hub = make_hub(f"hub-{number}")
        path = reverse("deployments:approve", args=[hub.id, 1])
        answers = press(*(Click(admin, path, {}) for admin in admins))
        assert runs(hub) == {(OperationKind.PROVISION, OperationStatus.RUNNING): 1}
        assert Review.objects.filter(revision__deployment=hub).count() == 1
        assert only(answers, "is being built now") != only(answers, "decided or changed in the meantime")
        assert {answer.led_to for answer in answers} == {hub.get_absolute_url()}


def test_one_admin_approves_or_the_other_rejects(press: Press, admins: list[Client], make_hub: MakeHub) -> None:
    for number in range(HUBS):
        hub = make_hub(f"hub-{number}")
        approve, reject = (reverse(f"deployments:{name}", args=[hub.id, 1]) for name in ("approve", "reject"))
        answers = press(Click(admins[0], approve, {}), Click(admins[1], reject, {"reason": "Not now."}))
        only(answers, "decided or changed in the meantime")
        hub.refresh_from_db()
        approved = hub.lifecycle == Lifecycle.PROVISIONING
        assert hub.operations.count() == int(approved) and (approved or hub.lifecycle == Lifecycle.REJECTED)
        only(answers, "is being built now" if approved else "is not approved")


def test_take_down_pressed_in_two_tabs_begins_one_teardown(
    press: Press, browser_of: Browser, make_hub: MakeHub
) -> None:
    tabs = [browser_of("researcher")] * 2
    for number in range(HUBS):
        hub = ready(partial(make_hub, f"hub-{number}"))
        path = reverse("deployments:take-down", args=[hub.id])
        answers = press(*(Click(tab, path, {"confirm": hub.name}) for tab in tabs))
        assert runs(hub) == {(OperationKind.TEARDOWN, OperationStatus.RUNNING): 1}
        # Both wanted the same, and both are shown it.
        assert answers == [Answer(302, hub.get_absolute_url(), "")] * 2
    assert b"Being taken down" in tabs[0].get(hub.get_absolute_url()).content


def test_retry_pressed_twice_tries_again_once(
    press: Press, browser_of: Browser, make_hub: MakeHub, make_operation: MakeOperation
) -> None:
    for number in range(HUBS):
        hub = make_hub(f"hub-{number}", lifecycle=Lifecycle.PROVISIONING)
        failed = make_operation(hub, status=OperationStatus.FAILED, finished_at=timezone.now())
        path = reverse("deployments:retry", args=[failed.id])
        answers = press(*[Click(browser_of("researcher"), path, {})] * 2)
        assert runs(hub) == {(OperationKind.PROVISION, OperationStatus.RUNNING): 1}
        assert failed.events.filter(message__contains="asked to try again").count() == 1
        assert only(answers, "Trying again") != only(answers, "cannot be tried again: it is running")


def test_stop_in_one_tab_and_a_try_in_another_begin_one_of_them(
    press: Press, browser_of: Browser, make_hub: MakeHub
) -> None:
    tabs = [browser_of("researcher")] * 2
    for number in range(HUBS):
        hub = ready(partial(make_hub, f"hub-{number}"))
        stop, attempt = (reverse(f"deployments:{name}", args=[hub.id]) for name in ("stop", "try-launch"))
        repository = {"repository": "https://github.com/binder-examples/conda", "ref": "HEAD"}
        answers = press(Click(tabs[0], stop, {}), Click(tabs[1], attempt, repository))
        assert hub.operations.filter(status=OperationStatus.RUNNING).count() == hub.operations.count() == 1
        only(answers, "Something is being done to this hub just now")
