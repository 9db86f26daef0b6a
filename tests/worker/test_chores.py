"""What is done without anybody asking: hubs looked after, owners written to, last days kept."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from cloud.azure import groups
from deployments import catalogue, cataloguing, outside, services, tagging
from deployments.models import Deployment, HealthCheck, Notice, Operation, Survey
from deployments.states import Health, Lifecycle, OperationKind, OperationStatus
from deployments.surveys import VAULT
from tests.sandbox_process import SandboxProcess
from tests.worker.conftest import SUBSCRIPTION
from tests.worker.driving import Drive
from worker import chores
from worker.chores import checkups, ends, health, letters, tags

Built = Callable[..., Deployment]


@pytest.fixture
def serving(make_hub: Callable[..., Deployment]) -> Deployment:
    """A hub that the database takes for served, at an address where nobody answers."""
    hub = make_hub()
    Deployment.objects.filter(id=hub.id).update(
        lifecycle=Lifecycle.READY, health=Health.HEALTHY, serving=hub.revision, address=f"http://127.0.0.1:{_free()}/"
    )
    Operation.objects.create(
        deployment=hub, revision=hub.revision, kind=OperationKind.PROVISION, status=OperationStatus.SUCCEEDED
    )
    hub.refresh_from_db()
    return hub


def _free() -> int:
    with socket.socket() as each:
        each.bind(("127.0.0.1", 0))
        return int(each.getsockname()[1])


def at(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


# --- health --------------------------------------------------------------------------------------------------------


def test_a_hub_that_serves_is_found_well_and_left_alone_for_a_while(built: Built) -> None:
    hub, now = built(), timezone.now()
    assert health.check_health(at(now)) == 1
    check = HealthCheck.objects.get(deployment=hub)
    assert (check.health, check.at) == (Health.HEALTHY, now)
    assert health.check_health(at(now + timedelta(seconds=200))) == 0
    assert health.check_health(at(now + timedelta(seconds=301))) == 1


def test_a_hub_that_goes_silent_is_told_once_and_so_is_its_return(serving: Deployment) -> None:
    now, log = timezone.now(), serving.operations.get().events
    for minutes in (0, 1, 2):
        health.check_health(at(now + timedelta(minutes=minutes)))
    serving.refresh_from_db()
    assert serving.health == Health.UNHEALTHY and serving.health_checks.count() == 3
    assert [event.level for event in log.all()] == ["warning"]
    Deployment.objects.filter(id=serving.id).update(health=Health.HEALTHY)
    health.check_health(at(now + timedelta(minutes=3)))
    assert log.count() == 2


def test_a_hub_that_is_not_well_is_asked_again_sooner(serving: Deployment) -> None:
    now = timezone.now()
    health.check_health(at(now))
    assert health.check_health(at(now + timedelta(seconds=61))) == 1


def test_while_something_is_being_done_to_a_hub_nobody_else_looks(serving: Deployment, people: dict[str, Any]) -> None:
    services.stop(people["researcher"], serving)
    assert health.check_health() == 0


def test_looks_are_kept_for_thirty_days(serving: Deployment) -> None:
    now = timezone.now()
    for days in (29, 31):
        HealthCheck.objects.create(deployment=serving, at=now - timedelta(days=days), health=Health.HEALTHY)
    health.check_health(at(now))
    assert {(now - check.at).days for check in serving.health_checks.all()} == {0, 29}


# --- the last day --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "subjects"), [(8, []), (7, ["in 7 days"]), (1, ["tomorrow night"]), (0, ["tonight"])])
def test_owners_are_warned_seven_days_and_one_day_before(days: int, subjects: list[str], serving: Deployment) -> None:
    today = serving.keep_until - timedelta(days=days)
    for _ in range(2):
        ends.mind_ends(today)
    assert [letter.subject for letter in mail.outbox] == [f"course is taken down {when}" for when in subjects]
    assert all(letter.to == ["researcher@example.org"] for letter in mail.outbox)


def test_each_warning_is_sent_once_and_anew_after_the_day_was_moved(
    serving: Deployment, people: dict[str, Any]
) -> None:
    last = serving.keep_until
    for days in (7, 6, 2, 1, 0):
        ends.mind_ends(last - timedelta(days=days))
    assert len(mail.outbox) == 2
    services.extend(people["researcher"], serving, last + timedelta(days=20))
    ends.mind_ends(last)
    assert len(mail.outbox) == 2
    ends.mind_ends(last + timedelta(days=13))
    assert len(mail.outbox) == 3


def test_a_warning_names_the_day_and_leads_to_the_page(serving: Deployment) -> None:
    ends.mind_ends(serving.keep_until - timedelta(days=1))
    assert f"http://127.0.0.1:8000/hubs/{serving.id}/" in mail.outbox[0].body
    assert f"{serving.keep_until:%-d %B %Y}" in mail.outbox[0].body


def test_the_day_after_the_last_it_is_taken_down_with_a_receipt(built: Built, drive: Drive) -> None:
    hub = built()
    ends.mind_ends(hub.keep_until)
    assert not hub.operations.filter(kind=OperationKind.TEARDOWN).exists()
    for _ in range(2):
        ends.mind_ends(hub.keep_until + timedelta(days=1))
    operation = drive(hub.operations.get(kind=OperationKind.TEARDOWN))
    assert operation.status == OperationStatus.SUCCEEDED and operation.requested_by is None
    assert operation.result["receipt"]["complete"]


def test_a_stopped_hub_ends_too(serving: Deployment) -> None:
    Deployment.objects.filter(id=serving.id).update(lifecycle=Lifecycle.STOPPED)
    ends.mind_ends(serving.keep_until + timedelta(days=1))
    serving.refresh_from_db()
    assert serving.lifecycle == Lifecycle.DELETING


def test_azure_is_told_the_last_day_and_told_again_when_it_is_moved(built: Built, people: dict[str, Any]) -> None:
    hub = built()
    place = outside.azure(), hub.revision.spec.subscription_id, hub.names.group
    assert groups.get_group(*place).tags["slipway-keep-until"] == hub.keep_until.isoformat()  # type: ignore[union-attr]
    assert tags.keep_tags() == 0
    groups.create_group(*place, "uksouth", {**tagging.tags(hub), "cost-centre": "42"})
    services.extend(people["researcher"], hub, hub.keep_until + timedelta(days=3))
    assert "worker.jobs.keep_tags" in chores.due(timezone.now())
    assert (tags.keep_tags(), tags.keep_tags()) == (1, 0)
    found = groups.get_group(*place)
    assert found and found.tags["slipway-keep-until"] == hub.keep_until.isoformat()
    assert found.tags["cost-centre"] == "42" and found.tags["slipway-deployment"] == hub.names.owner


def test_a_group_that_is_anothers_by_now_is_not_told(built: Built, people: dict[str, Any]) -> None:
    hub = built()
    place = outside.azure(), hub.revision.spec.subscription_id, hub.names.group
    groups.create_group(*place, "uksouth", {"slipway-deployment": "another"})
    services.extend(people["researcher"], hub, hub.keep_until + timedelta(days=3))
    tags.keep_tags()
    found = groups.get_group(*place)
    assert found and found.tags == {"slipway-deployment": "another"}


# --- letters -------------------------------------------------------------------------------------------------------


def test_a_decision_is_written_to_the_owner_once(make_hub: Callable[..., Deployment], people: dict[str, Any]) -> None:
    services.reject(people["reviewer"], make_hub(), 1, "Use <smaller> machines & fewer.")
    assert (letters.send_letters(), letters.send_letters()) == (1, 0)
    assert mail.outbox[0].subject == "course is not approved"
    assert "Use <smaller> machines & fewer." in mail.outbox[0].body


def test_a_hub_that_is_ready_is_written_about(built: Built) -> None:
    hub = built()
    letters.send_letters()
    assert {letter.subject for letter in mail.outbox} == {"course is approved", "course is ready"}
    assert hub.address in mail.outbox[-1].body


def test_a_failure_is_written_with_its_reason(serving: Deployment) -> None:
    serving.operations.update(
        status=OperationStatus.FAILED, finished_at=timezone.now(), error_message="The quota is used up."
    )
    letters.send_letters()
    assert mail.outbox[0].subject == "Build of course failed" and "The quota is used up." in mail.outbox[0].body


def test_old_news_is_not_written(serving: Deployment) -> None:
    serving.operations.update(finished_at=timezone.now() - timedelta(days=2))
    assert letters.due(timezone.now()) == []


def test_a_letter_that_could_not_go_out_is_tried_again(serving: Deployment, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", _free()
    today = serving.keep_until - timedelta(days=1)
    ends.mind_ends(today)
    assert not Notice.objects.exists() and len(ends.due(today)) == 1


def test_who_has_no_address_is_not_written_to_again_and_again(serving: Deployment) -> None:
    serving.owner.email = ""
    serving.owner.save()
    today = serving.keep_until - timedelta(days=1)
    ends.mind_ends(today)
    assert mail.outbox == [] and ends.due(today) == []


# --- when ----------------------------------------------------------------------------------------------------------


def test_chores_are_sent_for_only_when_they_are_due(serving: Deployment, cloud: SandboxProcess) -> None:
    now = timezone.now()
    Deployment.objects.filter(id=serving.id).update(keep_until=timezone.localdate() + timedelta(days=20))
    assert chores.due(now) == ["worker.jobs.check_health", "worker.jobs.check_up", "worker.jobs.survey"]
    health.check_health(at(now))
    assert chores.due(now) == ["worker.jobs.check_up", "worker.jobs.survey"]
    checkups.check_up(at(now))
    for place in (VAULT, SUBSCRIPTION):
        Survey.objects.create(place=place, due_at=now + timedelta(hours=1))
    assert chores.due(now) == []


def test_the_catalogue_knows_how_much_room_a_region_has(db: None, settings: Any, cloud: SandboxProcess) -> None:
    settings.SLIPWAY_REGIONS = ["uksouth"]
    free_trial = "5117a000-0000-4000-8000-00000000c002"
    cataloguing.refresh_subscription(outside.azure(), outside.profile(), free_trial)
    assert [(region.name, region.room) for region in catalogue.regions(free_trial)] == [("uksouth", 2)]
