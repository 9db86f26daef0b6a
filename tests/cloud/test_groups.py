"""Resource groups and tags, by the real SDK."""

import uuid

import pytest

from cloud.azure import groups
from cloud.azure.session import AzureSession
from cloud.errors import PermanentError, PermissionDenied, PolicyDenied, Unavailable
from sandbox.seeds import SUBSCRIPTIONS
from tests.cloud.waiting import until
from tests.sandbox_process import SandboxProcess

PAID = SUBSCRIPTIONS[0]["id"]
TAG = "slipway-deployment"


def make(az: AzureSession, tag: str = "") -> groups.ResourceGroup:
    name = f"slipway-{uuid.uuid4().hex[:8]}"
    return groups.create_group(az, PAID, name, "uksouth", {TAG: tag or name})


def test_a_group_is_made_with_its_tags(az: AzureSession) -> None:
    made = make(az, "abc")
    found = groups.get_group(az, PAID, made.name)
    assert found is not None
    assert (found.region, found.tags, found.state) == ("uksouth", {TAG: "abc"}, "Succeeded")


def test_a_group_that_is_not_there_is_none(az: AzureSession) -> None:
    assert groups.get_group(az, PAID, "slipway-nothing") is None


@pytest.mark.parametrize("kind", ["html", "empty", "garbage"])
def test_a_broken_answer_never_passes_for_absent(sandbox: SandboxProcess, az: AzureSession, kind: str) -> None:
    sandbox.fault("/resourcegroups/slipway-nothing", kind, count=5)
    with pytest.raises(Unavailable):
        groups.get_group(az, PAID, "slipway-nothing")


def test_a_404_that_azure_has_not_signed_never_passes_for_absent(sandbox: SandboxProcess, az: AzureSession) -> None:
    sandbox.fault("/resourcegroups/slipway-nothing", "custom", status=404, body="<html>no such site</html>")
    with pytest.raises(Unavailable):
        groups.get_group(az, PAID, "slipway-nothing")


def test_a_subscription_that_is_not_seen_never_passes_for_absent(az: AzureSession) -> None:
    with pytest.raises(PermissionDenied):
        groups.get_group(az, "00000000-0000-0000-0000-000000000000", "any")


def test_a_group_elsewhere_under_the_same_name_is_refused(az: AzureSession) -> None:
    made = make(az)
    with pytest.raises(PermanentError):
        groups.create_group(az, PAID, made.name, "westeurope", {})


def test_a_policy_is_named(sandbox: SandboxProcess, az: AzureSession) -> None:
    sandbox.fault("/resourcegroups/", "policy", method="PUT")
    with pytest.raises(PolicyDenied, match="Allowed locations"):
        make(az)


def test_everything_with_the_tag_is_found_and_nothing_else(az: AzureSession) -> None:
    mine, other = make(az, "it's mine"), make(az)
    found = {resource.name for resource in groups.list_tagged(az, PAID, TAG, "it's mine")}
    assert mine.name in found
    assert other.name not in found


def test_a_group_is_deleted_in_its_own_time_and_twice_is_fine(az: AzureSession) -> None:
    made = make(az)
    groups.delete_group(az, PAID, made.name)
    until(lambda: groups.get_group(az, PAID, made.name) is None)
    groups.delete_group(az, PAID, made.name)
    assert made.name not in {group.name for group in groups.list_groups(az, PAID)}


def test_anything_is_deleted_by_its_id_and_twice_is_fine(sandbox: SandboxProcess, az: AzureSession) -> None:
    group = make(az)
    planted = {"subscription": PAID, "group": group.name, "name": "disk-one", "type": "Microsoft.Compute/disks"}
    found = sandbox.control("azure/leftover", planted | {"tags": {TAG: "abc"}})["id"]
    (seen,) = (each for each in groups.list_all(az, PAID) if each.id == found)
    assert (seen.type, seen.tags) == ("Microsoft.Compute/disks", {TAG: "abc"})
    for _ in range(2):
        groups.delete_resource(az, PAID, seen.id, seen.type)
    assert not [each for each in groups.list_all(az, PAID) if each.id == found]


def test_what_no_provider_knows_is_not_deleted_but_told(az: AzureSession) -> None:
    with pytest.raises(PermanentError, match="how to delete"):
        groups.delete_resource(az, PAID, "/subscriptions/x/y", "Microsoft.Compute/unheardOf")
