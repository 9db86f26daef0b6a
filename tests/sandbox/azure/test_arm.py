"""The rules of Azure Resource Manager itself."""

from __future__ import annotations

from typing import Any

import pytest
from azure.mgmt.resource.resources import ResourceManagementClient

from sandbox import seeds
from tests.sandbox.azure.conftest import World, cluster_body, refusal

VERSION = "2025-04-01"


def test_an_api_version_is_required(world: World) -> None:
    refusal("MissingApiVersionParameter", 400, lambda: world.send("GET", "/subscriptions"))


@pytest.mark.parametrize("version", ["new", "2025-13-41", "1999-01-01"])
def test_an_api_version_is_a_date(own: World, version: str) -> None:
    refusal("InvalidApiVersionParameter", 400, lambda: own.send("GET", f"/subscriptions?api-version={version}"))


@pytest.mark.parametrize(
    ("content", "media_type", "code", "status"),
    [
        (b'{"lo', "application/json", "InvalidRequestContent", 400),
        (b'["uksouth"]', "application/json", "InvalidRequestContent", 400),
        (b'{"location": "uksouth", "tags": ["a"]}', "application/json", "InvalidRequestContent", 400),
        (b'{"location": "uksouth"}', "text/plain", "UnsupportedMediaType", 415),
    ],
)
def test_a_body_must_be_readable(own: World, content: bytes, media_type: str, code: str, status: int) -> None:
    path = f"/subscriptions/{own.subscription}/resourcegroups/g?api-version={VERSION}"
    refusal(code, status, lambda: own.send("PUT", path, content, media_type=media_type))


def test_every_answer_carries_its_ids(own: World) -> None:
    error = refusal("ResourceGroupNotFound", 404, lambda: own.groups.resource_groups.get("nothing"))
    assert error.response.headers["x-ms-correlation-request-id"]
    assert error.response.headers["x-ms-request-id"]


def test_an_unknown_subscription_is_not_found(world: World) -> None:
    client = ResourceManagementClient(world.worker, "5117a000-0000-4000-8000-00000000dead", **world.options())
    refusal("SubscriptionNotFound", 404, lambda: list(client.resource_groups.list()))


def test_a_subscription_id_is_a_guid(world: World) -> None:
    client = ResourceManagementClient(world.worker, "mine", **world.options())
    refusal("InvalidSubscriptionId", 400, lambda: list(client.resource_groups.list()))


def test_who_has_no_right_may_not(own: World) -> None:
    client = ResourceManagementClient(own.web, own.subscription, **own.options())
    error = refusal("AuthorizationFailed", 403, lambda: list(client.resource_groups.list()))
    assert "Microsoft.Resources/subscriptions/resourceGroups/read" in str(error)


def test_a_contributor_may_not_assign_roles(own: World) -> None:
    name = f"/subscriptions/{own.subscription}/providers/Microsoft.Authorization/roleAssignments/{own.subscription}"
    properties = {"properties": {"roleDefinitionId": "x", "principalId": "y"}}
    refusal(
        "AuthorizationFailed",
        403,
        lambda: own.groups.resources.begin_create_or_update_by_id(
            name, properties, api_version="2022-04-01", polling=False
        ),
    )


def test_a_disabled_subscription_takes_no_writes(own: World) -> None:
    own.control("subscriptions", id=own.subscription, state="Disabled")
    refusal("ReadOnlyDisabledSubscription", 409, own.group)


def test_an_unknown_provider_is_refused(own: World) -> None:
    refusal("InvalidResourceNamespace", 404, lambda: own.groups.providers.get("Microsoft.Nothing"))


def test_an_unknown_resource_type_is_refused(own: World) -> None:
    group = own.group()
    number = f"/subscriptions/{own.subscription}/resourceGroups/{group}/providers/Microsoft.Network/nothings/x"
    refusal("InvalidResourceType", 404, lambda: own.groups.resources.get_by_id(number, api_version=VERSION))


def test_a_provider_registers_over_time(own: World) -> None:
    own.control("providers", subscription=own.subscription, namespace="Microsoft.KeyVault", state="NotRegistered")
    assert own.groups.providers.register("Microsoft.KeyVault").registration_state == "Registering"
    while own.groups.providers.get("Microsoft.KeyVault").registration_state != "Registered":
        pass


def test_paths_ignore_case(own: World) -> None:
    group = own.group()
    path = f"/SUBSCRIPTIONS/{own.subscription.upper()}/RESOURCEGROUPS/{group.upper()}?api-version={VERSION}"
    assert own.send("GET", path).json()["name"] == group


@pytest.mark.parametrize("name", ["ends-with.", "has space", "x" * 91])
def test_a_bad_group_name_is_refused(own: World, name: str) -> None:
    make = own.groups.resource_groups.create_or_update
    refusal("InvalidResourceGroup", 400, lambda: make(name, {"location": "uksouth"}))


@pytest.mark.parametrize("change", [{"tagz": {}}, {"location": "uksouth", "surprise": 1}])
def test_a_group_takes_no_unknown_field(own: World, change: dict[str, Any]) -> None:
    group = own.group()
    path = f"/subscriptions/{own.subscription}/resourcegroups/{group}?api-version={VERSION}"
    method = "PUT" if "location" in change else "PATCH"
    refusal("InvalidRequestContent", 400, lambda: own.send(method, path, change))


def test_a_group_needs_a_region_that_exists(own: World) -> None:
    make = own.groups.resource_groups.create_or_update
    refusal("LocationNotAvailableForResourceGroup", 400, lambda: make("g", {"location": "atlantis"}))


def test_a_group_cannot_move(own: World) -> None:
    group = own.group()
    make = own.groups.resource_groups.create_or_update
    refusal("InvalidResourceGroupLocation", 409, lambda: make(group, {"location": "ukwest"}))


def test_a_group_that_is_being_deleted_takes_nothing(own: World) -> None:
    group = own.group()
    own.create(group).result()
    own.groups.resource_groups.begin_delete(group, polling=False)
    refusal("ResourceGroupBeingDeleted", 409, lambda: own.create(group, "c2"))


def test_a_deleted_group_takes_everything_in_it_along(own: World) -> None:
    group = own.group()
    own.create(group).result()
    own.groups.resource_groups.begin_delete(group).result()
    names = {entry.name for entry in own.groups.resource_groups.list()}
    assert names <= {"NetworkWatcherRG"}
    assert not own.groups.resource_groups.check_existence(group)


def test_a_policy_denies(own: World) -> None:
    own.control("policies", subscription=own.subscription, name="Allowed locations", allowed_locations=["ukwest"])
    error = refusal("RequestDisallowedByPolicy", 403, own.group)
    assert error.error.additional_info[0].info["policyDefinitionDisplayName"] == "Allowed locations"


def test_resources_are_found_by_tag(own: World) -> None:
    group = own.group(mine="yes")
    own.create(group, body=cluster_body(top={"tags": {"mine": "yes"}})).result()
    found = own.groups.resources.list(filter="tagName eq 'mine' and tagValue eq 'yes'")
    types = {resource.type.lower() for resource in found}
    assert "microsoft.containerservice/managedclusters" in types
    assert "microsoft.network/publicipaddresses" in types
    assert next(iter(own.groups.resource_groups.list(filter="tagName eq 'mine'")))


def test_a_tag_filter_takes_nothing_beside_it(own: World) -> None:
    text = "tagName eq 'mine' and resourceType eq 'Microsoft.KeyVault/vaults'"
    refusal("InvalidFilterInQueryString", 400, lambda: list(own.groups.resources.list(filter=text)))


def test_what_is_asked_for_by_a_tag_is_shown_without_its_tags(own: World) -> None:
    own.control("leftover", subscription=own.subscription, tags={"mine": "yes"})
    (asked,) = own.groups.resources.list(filter="tagName eq 'mine' and tagValue eq 'yes'")
    (listed,) = (each for each in own.groups.resources.list() if each.id == asked.id)
    assert (asked.tags, listed.tags) == (None, {"mine": "yes"})


def test_a_planted_leftover_is_found(own: World) -> None:
    planted = own.control("leftover", subscription=own.subscription, tags={"mine": "yes"})["id"]
    assert [found.id for found in own.groups.resources.list(filter="tagName eq 'mine'")] == [planted]


def test_the_worker_sees_its_subscriptions_and_the_web_process_none(world: World) -> None:
    kinds = {
        entry.subscription_id: entry.subscription_policies.quota_id
        for entry in world.subscriptions.subscriptions.list()
    }
    assert kinds[seeds.SUBSCRIPTIONS[1]["id"]] == "FreeTrial_2014-09-01"
    from azure.mgmt.resource.subscriptions import SubscriptionClient

    assert list(SubscriptionClient(world.web, **world.options()).subscriptions.list()) == []


def test_physical_and_logical_regions_are_told_apart(own: World) -> None:
    kinds = [entry.metadata.region_type for entry in own.subscriptions.subscriptions.list_locations(own.subscription)]
    assert kinds.count("Physical") >= 12
    assert "Logical" in kinds


def test_sizes_come_in_pages_and_say_where_they_are_restricted(own: World) -> None:
    every = list(own.compute.resource_skus.list())
    assert len(every) > 50
    here = {size.name: size for size in own.compute.resource_skus.list(filter="location eq 'westeurope'")}
    assert here["Standard_B2s"].restrictions[0].reason_code == "NotAvailableForSubscription"


def test_usage_counts_the_clusters_that_run(own: World) -> None:
    own.create(own.group(), body=cluster_body(pool={"count": 3})).result()
    usage = {entry.name.value: entry.current_value for entry in own.compute.usage.list("uksouth")}
    assert (usage["cores"], usage["standardDSv5Family"], usage["standardDSv3Family"]) == (6, 6, 0)
