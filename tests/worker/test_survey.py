"""The cloud compared with our records: what is left over, and what is gone; each with its way out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from accounts.models import SubscriptionGrant
from cloud.azure import groups
from cloud.errors import InvalidRequest
from deployments import outside, services
from deployments.errors import NotAllowed, TooLate
from deployments.models import Deployment, Discrepancy, Event, SecretRef, Survey
from deployments.naming import OWNER_TAG
from deployments.states import DiscrepancyKind, Lifecycle, OperationKind, OperationStatus
from deployments.surveys import VAULT
from tests.cloud.waiting import until
from tests.sandbox_process import SandboxProcess
from tests.worker.conftest import SUBSCRIPTION, MadeHub
from tests.worker.driving import Drive
from worker.chores import survey

pytestmark = pytest.mark.django_db(transaction=True)
Built = Callable[..., Deployment]
GROUPS = r"/resourcegroups\?"
#: The simulated Free Trial, as it is when nobody has used it yet.
NEW = "5117a000-0000-4000-8000-00000000c002"


@pytest.fixture(autouse=True)
def no_lag(quick: None, settings: Any) -> None:
    """The simulated Azure's lists are never late: what has just ended may be told of."""
    settings.SLIPWAY_LIST_LAG_SECONDS = 0.0


def look() -> None:
    Survey.objects.update(due_at="2000-01-01T00:00:00Z")
    survey.survey()


def told(owner: object, place: str = SUBSCRIPTION) -> Discrepancy | None:
    return Discrepancy.objects.filter(owner=str(owner), place=place).first()


def left_over(owner: object, place: str = SUBSCRIPTION) -> Discrepancy:
    """What the next survey tells of this owner, which it must."""
    look()
    found = told(owner, place)
    assert found is not None and found.kind == DiscrepancyKind.LEFT_OVER
    return found


def kinds(found: Discrepancy) -> list[str]:
    return [each["kind"] for each in found.details]


def plant(cloud: SandboxProcess, owner: object, group: str = "somebodys", **more: Any) -> str:
    planted = {"subscription": SUBSCRIPTION, "group": group, "tags": {OWNER_TAG: str(owner)}, **more}
    return str(cloud.control("azure/leftover", planted)["id"])


def tagged(owner: object) -> list[str]:
    found = groups.list_tagged(outside.azure(), SUBSCRIPTION, OWNER_TAG, str(owner))
    return [each.name for each in found]


def test_of_a_hub_that_stands_as_it_was_described_nothing_is_told(built: Built) -> None:
    hubs = [built(), built(name="other", registry="acr", docker_username="", secrets={})]
    look()
    assert [told(hub.id) for hub in hubs] == [None, None]
    surveys = {row.place: row for row in Survey.objects.all()}
    assert set(surveys) == {VAULT, SUBSCRIPTION}
    assert all(row.looked_at and not row.problem for row in surveys.values())


def test_a_subscription_that_has_switched_nothing_on_is_looked_at_all_the_same(people: dict[str, Any]) -> None:
    SubscriptionGrant.objects.create(subscription_id=NEW)
    look()
    assert Survey.objects.get(place=NEW).problem == ""
    assert Survey.objects.get(place=NEW).looked_at is not None


def test_each_place_is_looked_at_when_it_is_due_and_then_left_alone(people: dict[str, Any], make_hub: MadeHub) -> None:
    make_hub()
    assert survey.due(timezone.now()) and survey.survey() == 2
    assert not survey.due(timezone.now()) and survey.survey() == 0
    assert survey.due(timezone.now() + timedelta(hours=1, seconds=1))


# --- left over -------------------------------------------------------------------------------------------------------


def test_a_forgotten_hub_is_left_over_and_a_clean_up_with_a_receipt_removes_it(
    built: Built, drive: Drive, people: dict[str, Any]
) -> None:
    hub = built(registry="acr", docker_username="", secrets={})
    services.forget(people["reviewer"], hub, hub.name, "Wanted to see it.")
    found = left_over(hub.id)
    assert kinds(found) == ["resource group", "cluster", "container registry", "node group", "role"]
    operation = drive(services.clean_up(people["reviewer"], found, hub.name))
    assert operation.status == OperationStatus.SUCCEEDED, operation.error_message
    receipt = operation.result["receipt"]
    assert receipt["complete"] and {"cluster", "role", "secret"} <= {item["kind"] for item in receipt["items"]}
    assert tagged(hub.id) == [] and told(hub.id) is None
    assert not hub.secrets.exclude(state="purged").exists()
    look()
    assert told(hub.id) is None and told(hub.id, VAULT) is None


def test_what_this_portal_never_knew_gets_a_record_before_anything_is_removed(
    cloud: SandboxProcess, drive: Drive, people: dict[str, Any], make_hub: MadeHub
) -> None:
    make_hub()
    owner = uuid4()
    name = f"slipway-course-{owner.hex[:6]}"
    groups.create_group(outside.azure(), SUBSCRIPTION, name, "uksouth", {OWNER_TAG: str(owner)})
    found = left_over(owner)
    assert (found.deployment, found.title) == (None, name)
    with pytest.raises(InvalidRequest, match="does not match"):
        services.clean_up(people["reviewer"], found, "course")
    assert not Deployment.objects.filter(id=owner).exists()
    operation = drive(services.clean_up(people["reviewer"], found, name))
    assert operation.status == OperationStatus.SUCCEEDED, operation.error_message
    hub = Deployment.objects.get(id=owner)
    assert (hub.name, hub.lifecycle, hub.owner) == ("course", Lifecycle.DELETED, people["reviewer"])
    assert [row.gone_at is not None for row in hub.resources.all()] == [True]
    assert tagged(owner) == []
    assert Event.objects.filter(operation=operation, by=people["reviewer"], message__contains=name).exists()


def test_a_tag_that_no_slipway_has_written_is_shown_and_not_removed(
    cloud: SandboxProcess, people: dict[str, Any], make_hub: MadeHub
) -> None:
    make_hub()
    plant(cloud, "mine", name="odd")
    found = left_over("mine")
    with pytest.raises(InvalidRequest, match="not something that a Slipway"):
        services.clean_up(people["reviewer"], found, "odd")


def test_a_single_thing_in_somebodys_group_goes_and_the_group_stays(
    cloud: SandboxProcess, drive: Drive, people: dict[str, Any], make_hub: MadeHub
) -> None:
    make_hub()
    owner = uuid4()
    plant(cloud, owner, name="disk-one", type="Microsoft.Compute/disks")
    plant(cloud, "nobody", name="disk-two", type="Microsoft.Compute/disks")
    operation = drive(services.clean_up(people["reviewer"], left_over(owner), "disk-one"))
    assert operation.status == OperationStatus.SUCCEEDED, operation.error_message
    names = {each.name for each in groups.list_resources(outside.azure(), SUBSCRIPTION, "somebodys")}
    assert "disk-two" in names and "disk-one" not in names
    assert [item["gone"] for item in operation.result["receipt"]["items"]] == [True]


def test_a_group_with_somebodys_thing_in_it_stays_and_the_run_says_why(
    cloud: SandboxProcess, drive: Drive, people: dict[str, Any], make_hub: MadeHub
) -> None:
    make_hub()
    owner, name = uuid4(), f"shared-{uuid4().hex[:6]}"
    groups.create_group(outside.azure(), SUBSCRIPTION, name, "uksouth", {OWNER_TAG: str(owner)})
    plant(cloud, owner, group=name, name="ours")
    plant(cloud, "", group=name, name="thesis")
    operation = drive(services.clean_up(people["reviewer"], left_over(owner), name))
    assert operation.status == OperationStatus.FAILED and "thesis" in operation.error_message
    assert [each.name for each in groups.list_resources(outside.azure(), SUBSCRIPTION, name)] == ["thesis"]


def test_a_secret_under_the_id_of_a_hub_that_is_gone_is_found_and_purged(
    drive: Drive, people: dict[str, Any], make_hub: MadeHub
) -> None:
    hub = make_hub()
    services.reject(people["reviewer"], hub, 1, "No.")
    SecretRef.objects.filter(deployment=hub).update(state="purged")
    found = left_over(hub.id, VAULT)
    assert kinds(found) == ["secret", "secret"]
    operation = drive(services.clean_up(people["reviewer"], found, hub.name))
    assert operation.status == OperationStatus.SUCCEEDED, operation.error_message
    names = {*outside.vault().names(), *outside.vault().deleted_names()}
    assert not [name for name in names if name.startswith(hub.id.hex)]


def test_a_secret_of_a_deployment_that_was_never_known_is_purged_without_a_subscription(
    cloud: SandboxProcess, drive: Drive, people: dict[str, Any], make_hub: MadeHub
) -> None:
    make_hub()
    owner = uuid4()
    outside.vault().set(f"{owner.hex}-docker-token-abcdef", "x")
    operation = drive(
        services.clean_up(people["reviewer"], left_over(owner, VAULT), f"{owner.hex}-docker-token-abcdef")
    )
    assert operation.status == OperationStatus.SUCCEEDED, operation.error_message
    assert operation.result["receipt"]["complete"]


def test_secrets_that_are_being_swept_or_kept_by_the_vaults_rules_are_not_left_over(
    make_hub: MadeHub, people: dict[str, Any]
) -> None:
    hub = make_hub()
    services.reject(people["reviewer"], hub, 1, "No.")
    look()
    assert told(hub.id, VAULT) is None
    SecretRef.objects.filter(deployment=hub).update(state="recoverable")
    look()
    assert told(hub.id, VAULT) is None


@pytest.mark.parametrize("step", ["group", "cluster", "release"])
def test_a_hub_that_is_being_built_is_no_leftover(
    step: str, make_hub: MadeHub, drive: Drive, people: dict[str, Any]
) -> None:
    hub = make_hub()
    drive(services.approve(people["reviewer"], hub, 1), until=step)
    look()
    assert told(hub.id) is None


def test_a_hub_that_is_being_taken_down_or_is_just_gone_is_no_leftover(
    built: Built, drive: Drive, people: dict[str, Any], settings: Any
) -> None:
    hub = built()
    teardown = drive(services.tear_down(people["reviewer"], hub, hub.name), until="cluster")
    look()
    assert told(hub.id) is None
    drive(teardown)
    settings.SLIPWAY_LIST_LAG_SECONDS = 60.0
    groups.create_group(outside.azure(), SUBSCRIPTION, f"late-{uuid4().hex[:6]}", "uksouth", hub.names.tags)
    look()
    assert told(hub.id) is None
    settings.SLIPWAY_LIST_LAG_SECONDS = 0.0
    assert left_over(hub.id).deployment == hub


def test_who_does_not_review_removes_nothing(people: dict[str, Any], make_hub: MadeHub, cloud: SandboxProcess) -> None:
    make_hub()
    owner = uuid4()
    plant(cloud, owner, name="disk-three")
    with pytest.raises(NotAllowed):
        services.clean_up(people["researcher"], left_over(owner), "disk-three")


def test_a_leftover_asked_for_twice_is_removed_by_one_run(
    people: dict[str, Any], make_hub: MadeHub, cloud: SandboxProcess
) -> None:
    make_hub()
    owner = uuid4()
    plant(cloud, owner, name="disk-four")
    found = left_over(owner)
    first = services.clean_up(people["reviewer"], found, "disk-four")
    found.refresh_from_db()
    assert services.clean_up(people["reviewer"], found, found.title) == first
    look()
    assert told(owner) is not None  # still shown while it is being removed


# --- gone ------------------------------------------------------------------------------------------------------------


def without_its_group(hub: Deployment) -> Deployment:
    groups.delete_group(outside.azure(), SUBSCRIPTION, hub.names.group)
    until(lambda: groups.get_group(outside.azure(), SUBSCRIPTION, hub.names.group) is None)
    return hub


def test_a_hub_whose_group_somebody_deleted_is_gone_and_is_built_again(
    built: Built, drive: Drive, people: dict[str, Any]
) -> None:
    hub = without_its_group(built(registry="acr", docker_username="", secrets={}))
    look()
    found = told(hub.id)
    assert found is not None and found.kind == DiscrepancyKind.GONE
    assert kinds(found) == ["resource group", "cluster"]
    log = hub.operations.get(kind=OperationKind.PROVISION).events
    assert log.filter(level="warning", message__contains="not by Slipway").count() == 1
    operation = drive(services.build_again(people["reviewer"], hub))
    hub.refresh_from_db()
    assert operation.status == OperationStatus.SUCCEEDED, operation.error_message
    assert hub.lifecycle == Lifecycle.READY and told(hub.id) is None
    look()
    assert told(hub.id) is None


def test_a_hub_that_is_there_is_not_built_again(built: Built, people: dict[str, Any]) -> None:
    hub = built()
    with pytest.raises(TooLate, match="not gone"):
        services.build_again(people["reviewer"], hub)
    with pytest.raises(NotAllowed):
        services.build_again(people["researcher"], hub)


def test_a_hub_whose_cloud_is_gone_is_taken_down_as_usual(built: Built, drive: Drive, people: dict[str, Any]) -> None:
    hub = without_its_group(built())
    look()
    operation = drive(services.tear_down(people["researcher"], hub, hub.name))
    assert operation.status == OperationStatus.SUCCEEDED and told(hub.id) is None


def test_a_list_that_lags_behind_makes_no_hub_gone(built: Built, cloud: SandboxProcess) -> None:
    hub = built()
    cloud.fault(GROUPS, "custom", method="GET", status=200, body='{"value": []}')
    look()
    assert told(hub.id) is None


def test_a_half_built_hub_of_which_nothing_was_made_is_not_gone(
    make_hub: MadeHub, drive: Drive, people: dict[str, Any]
) -> None:
    hub = make_hub(node_count=4000)
    assert drive(services.approve(people["reviewer"], hub, 1)).status == OperationStatus.FAILED
    look()
    assert told(hub.id) is None


# --- places that cannot be looked at ---------------------------------------------------------------------------------


def test_a_subscription_that_is_lost_is_told_with_its_reason_and_the_others_are_looked_at(
    built: Built, cloud: SandboxProcess
) -> None:
    hub, lost = built(), str(UUID(int=7))
    SubscriptionGrant.objects.create(subscription_id=lost)
    look()
    problem = Survey.objects.get(place=lost)
    assert problem.looked_at is None and problem.problem_since and "does not see this subscription" in problem.problem
    assert Survey.objects.get(place=SUBSCRIPTION).problem == ""
    assert told(hub.id) is None


def test_what_was_told_stays_while_nobody_can_look(built: Built, cloud: SandboxProcess) -> None:
    hub = without_its_group(built())
    look()
    first = told(hub.id)
    cloud.fault(GROUPS, "custom", method="GET", status=503, body="", count=9)
    look()
    row = Survey.objects.get(place=SUBSCRIPTION)
    assert row.problem and row.looked_at
    cloud.clear_faults()
    look()
    again = told(hub.id)
    assert first and again and (again.id, again.first_seen) == (first.id, first.first_seen)
    assert again.last_seen > first.last_seen


def test_a_place_that_is_allowed_no_more_is_forgotten(built: Built) -> None:
    stray = str(UUID(int=8))
    SubscriptionGrant.objects.create(subscription_id=stray)
    look()
    SubscriptionGrant.objects.filter(subscription_id=stray).delete()
    Discrepancy.objects.create(kind=DiscrepancyKind.LEFT_OVER, place=stray, owner="x", details=[])
    look()
    assert not Survey.objects.filter(place=stray).exists() and not Discrepancy.objects.filter(place=stray).exists()


@pytest.mark.parametrize(
    "listed", ["resourcegroups", "resources", "providers/Microsoft.ContainerService/managedClusters"]
)
def test_all_hubs_of_a_subscription_share_each_list(listed: str, built: Built, cloud: SandboxProcess) -> None:
    built(), built(name="other")
    path = rf"{SUBSCRIPTION}/{listed}\?"
    cloud.fault(path, "slow", method="GET", delay=0.0, count=99)
    look()
    assert [rule["struck"] for rule in cloud.control("faults") if rule["path"] == path] == [1]
