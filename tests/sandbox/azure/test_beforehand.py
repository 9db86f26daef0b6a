"""What can be asked before anything is made: policies, services that are switched off, public addresses, names."""

from __future__ import annotations

from typing import Any

from azure.core.exceptions import HttpResponseError

from tests.sandbox.azure.conftest import World, cluster_body, refusal

VERSION = "2023-03-01"
CLUSTERS = "Microsoft.ContainerService/managedClusters"
SCALE_SETS = "Microsoft.Compute/virtualMachineScaleSets"


def ask(world: World, content: dict[str, Any], **pending: list[str]) -> dict[str, Any]:
    """What policies would say of such a resource."""
    path = f"/subscriptions/{world.subscription}/providers/Microsoft.PolicyInsights/checkPolicyRestrictions"
    body = {
        "resourceDetails": {"resourceContent": content, "apiVersion": "2024-01-01"},
        "pendingFields": [{"field": name.replace("__", "/"), "values": values} for name, values in pending.items()],
    }
    answer: dict[str, Any] = world.send("POST", f"{path}?api-version={VERSION}", body).json()
    return answer


def evaluations(answer: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer["contentEvaluationResult"]["policyEvaluations"]
    return found


def test_a_policy_is_foretold_and_then_met(own: World) -> None:
    own.control("policies", subscription=own.subscription, name="Only the west", allowed_locations=["ukwest"])
    (told,) = evaluations(ask(own, {"type": CLUSTERS, "location": "uksouth"}))
    assert (told["evaluationResult"], told["effectDetails"]["policyEffect"]) == ("NonCompliant", "Deny")
    assert evaluations(ask(own, {"type": CLUSTERS, "location": "ukwest"})) == []
    refusal("RequestDisallowedByPolicy", 403, own.group)


def test_a_policys_definition_says_what_people_call_it(own: World) -> None:
    own.control("policies", subscription=own.subscription, name="Only the west", allowed_locations=["ukwest"])
    (told,) = evaluations(ask(own, {"type": CLUSTERS, "location": "uksouth"}))
    number = told["policyInfo"]["policyDefinitionId"]
    assert own.send("GET", f"{number}?api-version=2023-04-01").json()["properties"]["displayName"] == "Only the west"
    unknown = "/providers/Microsoft.Authorization/policyDefinitions/nothing"
    refusal("PolicyDefinitionNotFound", 404, lambda: own.send("GET", f"{unknown}?api-version=2023-04-01"))


def test_of_a_field_that_is_still_open_the_denied_values_are_told(own: World) -> None:
    own.control("policies", subscription=own.subscription, name="Only the west", allowed_locations=["ukwest"])
    answer = ask(own, {"type": CLUSTERS}, location=["uksouth", "UK West"])
    assert evaluations(answer) == []
    (restricted,) = answer["fieldRestrictions"]
    assert restricted["field"] == "location"
    assert (restricted["restrictions"][0]["result"], restricted["restrictions"][0]["values"]) == ("Deny", ["uksouth"])


def test_a_policy_about_sizes_is_foretold_and_met(own: World) -> None:
    own.control("policies", subscription=own.subscription, name="Small only", allowed_sizes=["Standard_D2s_v5"])
    name = f"{SCALE_SETS}/sku.name"
    answer = ask(own, {"type": SCALE_SETS}, **{name: ["Standard_D2s_v5", "Standard_D4s_v5"]})
    assert answer["fieldRestrictions"][0]["restrictions"][0]["values"] == ["Standard_D4s_v5"]
    big = cluster_body(pool={"vmSize": "Standard_D4s_v5"})
    assert evaluations(ask(own, big | {"type": CLUSTERS}))
    group = own.group()
    refusal("RequestDisallowedByPolicy", 403, lambda: own.create(group, body=big))
    own.create(group).result()
    pool = {"properties": {"count": 1, "vmSize": "Standard_D4s_v5", "mode": "User"}}
    add = own.aks.agent_pools.begin_create_or_update
    refusal("RequestDisallowedByPolicy", 403, lambda: add(group, "c1", "more", pool))


def test_a_question_about_policies_must_name_a_type(own: World) -> None:
    refusal("InvalidCheckRestrictionsRequest", 400, lambda: ask(own, {"location": "uksouth"}))


def test_a_provider_that_is_switched_off_answers_no_question(own: World) -> None:
    own.control("providers", subscription=own.subscription, namespace="Microsoft.Compute", state="NotRegistered")
    path = f"/subscriptions/{own.subscription}/providers/Microsoft.Compute/locations/uksouth/usages"
    # Not by the typed client: that one would register the provider by itself.
    refusal("MissingSubscriptionRegistration", 409, lambda: own.send("GET", f"{path}?api-version=2024-11-01"))
    assert own.groups.providers.get("Microsoft.Compute").registration_state == "NotRegistered"


def test_a_cluster_without_a_public_address_left_fails_after_it_was_accepted(own: World) -> None:
    own.control("quota", subscription=own.subscription, name="PublicIPAddresses", limit=0)
    path = f"/subscriptions/{own.subscription}/providers/Microsoft.Network/locations/uksouth/usages"
    rows = own.send("GET", f"{path}?api-version=2024-05-01").json()["value"]
    left = {row["name"]["value"]: row["limit"] - row["currentValue"] for row in rows}
    assert left["StandardSkuPublicIpAddresses"] == 0
    try:
        own.create(own.group()).result()
    except HttpResponseError as error:
        assert error.error and error.error.code == "PublicIPCountLimitReached"
    else:
        raise AssertionError("the cluster was made")
