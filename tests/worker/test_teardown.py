"""Taking down from every state, with proof; what is not ours stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cloud.azure import groups, registries
from deployments import outside, services
from deployments.models import Deployment, Operation
from deployments.states import Lifecycle, OperationStatus, Outcome
from tests.sandbox_process import SandboxProcess
from tests.worker.conftest import MadeHub
from tests.worker.driving import Drive


def taken_down(hub: Deployment, drive: Drive, people: dict[str, Any]) -> Operation:
    hub.refresh_from_db()
    operation = services.tear_down(people["researcher"], hub, hub.name)
    running = hub.operations.filter(status=OperationStatus.RUNNING).exclude(id=operation.id).first()
    if running:
        drive(running)
        operation.refresh_from_db()
    drive(operation)
    hub.refresh_from_db()
    return operation


def receipt(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = operation.result["receipt"]
    return found


def test_a_hub_that_serves_is_taken_down_and_each_line_rests_on_a_look_of_its_own(
    built: Callable[..., Deployment], drive: Drive, people: dict[str, Any]
) -> None:
    hub = built()
    operation = taken_down(hub, drive, people)
    assert (operation.status, hub.lifecycle) == (OperationStatus.SUCCEEDED, Lifecycle.DELETED)
    told = receipt(operation)
    assert told["complete"]
    notes = {item["kind"]: item["note"] for item in told["items"]}
    assert set(notes) == {
        "resource group", "cluster", "node group", "namespace", "release", "public address", "secret",
    }  # fmt: skip
    assert all(item["note"] and item["at"] for item in told["items"])
    assert "nothing answers there now" in notes["public address"]
    assert not groups.list_tagged(outside.azure(), hub.revision.spec.subscription_id, *tag(hub))


@pytest.mark.parametrize("step", ["providers", "group", "cluster", "nodes", "release", "workloads", "health", "proof"])
def test_a_half_built_hub_is_taken_down_from_every_step(
    step: str, make_hub: MadeHub, drive: Drive, people: dict[str, Any]
) -> None:
    hub = make_hub()
    drive(services.approve(people["reviewer"], hub, 1), until=step)
    operation = taken_down(hub, drive, people)
    assert hub.lifecycle == Lifecycle.DELETED, operation.error_message
    assert receipt(operation)["complete"]


def test_a_request_that_nobody_has_decided_about_is_taken_down(
    make_hub: MadeHub, drive: Drive, people: dict[str, Any]
) -> None:
    hub = make_hub()
    operation = taken_down(hub, drive, people)
    assert hub.lifecycle == Lifecycle.DELETED
    assert [item["kind"] for item in receipt(operation)["items"]] == ["secret", "secret"]


def test_a_stopped_hub_is_taken_down(built: Callable[..., Deployment], drive: Drive, people: dict[str, Any]) -> None:
    hub = built()
    assert drive(services.stop(people["researcher"], hub)).status == OperationStatus.SUCCEEDED
    operation = taken_down(hub, drive, people)
    assert hub.lifecycle == Lifecycle.DELETED, operation.error_message


def test_a_hub_whose_group_somebody_deleted_by_hand_is_taken_down(
    built: Callable[..., Deployment], drive: Drive, people: dict[str, Any]
) -> None:
    hub = built()
    groups.delete_group(outside.azure(), hub.revision.spec.subscription_id, hub.names.group)
    operation = taken_down(hub, drive, people)
    assert hub.lifecycle == Lifecycle.DELETED, operation.error_message


def test_a_leftover_with_our_tag_is_on_the_receipt_until_it_is_gone(
    built: Callable[..., Deployment], drive: Drive, people: dict[str, Any]
) -> None:
    hub = built()
    subscription = hub.revision.spec.subscription_id
    groups.create_group(outside.azure(), subscription, "planted", "uksouth", hub.names.tags)
    operation = taken_down(hub, drive, people)
    assert (operation.status, hub.lifecycle) == (OperationStatus.FAILED, Lifecycle.DELETING)
    assert [item["name"] for item in receipt(operation)["leftovers"]] == ["planted"]
    assert "planted" in operation.error_message
    groups.delete_group(outside.azure(), subscription, "planted")
    again = taken_down(hub, drive, people)
    assert again.id == operation.id
    assert hub.lifecycle == Lifecycle.DELETED


def test_a_group_that_bears_anothers_tag_is_left_alone_and_the_rest_goes(
    built: Callable[..., Deployment], drive: Drive, people: dict[str, Any]
) -> None:
    hub = built()
    subscription = hub.revision.spec.subscription_id
    others = {"slipway-deployment": "another"}
    groups.create_group(outside.azure(), subscription, hub.names.group, "uksouth", others)
    operation = taken_down(hub, drive, people)
    assert hub.lifecycle == Lifecycle.DELETED, operation.error_message
    told = receipt(operation)
    assert [note["kind"] for note in told["left_alone"]] == ["resource group"]
    assert groups.get_group(outside.azure(), subscription, hub.names.group) is not None
    gone = {item["kind"] for item in told["items"] if item["gone"]}
    assert {"cluster", "namespace", "release", "secret"} <= gone


def test_a_group_that_holds_what_is_not_ours_stays_and_the_receipt_says_why(
    built: Callable[..., Deployment], drive: Drive, people: dict[str, Any], cloud: SandboxProcess
) -> None:
    hub = built()
    cloud.control("azure/leftover", {"subscription": hub.revision.spec.subscription_id, "group": hub.names.group,
                                      "type": "Microsoft.Storage/storageAccounts", "name": "thesisdata"})  # fmt: skip
    operation = taken_down(hub, drive, people)
    assert operation.status == OperationStatus.FAILED
    assert "thesisdata" in operation.error_message
    assert groups.get_group(outside.azure(), hub.revision.spec.subscription_id, hub.names.group) is not None
    assert all(item["gone"] for item in receipt(operation)["items"] if item["kind"] != "resource group")


def test_a_tear_down_forgets_how_the_last_run_ended(built: Callable[..., Deployment], people: dict[str, Any]) -> None:
    hub = built()
    services.tear_down(people["researcher"], hub, hub.name)
    hub.refresh_from_db()
    assert hub.last_outcome == Outcome.NONE


def tag(hub: Deployment) -> tuple[str, str]:
    return "slipway-deployment", hub.names.owner


def test_a_registry_that_bears_anothers_tag_is_left_alone_and_the_rest_goes(
    built: Callable[..., Deployment], drive: Drive, people: dict[str, Any]
) -> None:
    hub = built(registry="acr", docker_username="", secrets={})
    place = outside.azure(), hub.revision.spec.subscription_id, hub.names.group, hub.names.registry
    registries.create_registry(*place, "uksouth", {"slipway-deployment": "another"})
    operation = taken_down(hub, drive, people)
    assert operation.status == OperationStatus.FAILED and hub.names.registry in operation.error_message
    told = receipt(operation)
    assert {note["kind"] for note in told["left_alone"]} == {"container registry", "resource group"}
    assert registries.get_registry(*place) is not None
    gone = {item["kind"] for item in told["items"] if item["gone"]}
    assert {"cluster", "namespace", "release", "secret"} <= gone
