"""What is asked of Azure and GitHub before anything is made."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from cloud.azure import identity, network, offers, policies
from cloud.azure.policies import Denied, Wanted
from cloud.azure.session import AzureSession
from cloud.errors import PermissionDenied
from cloud.github import unknown_organisations
from cloud.profile import AzureCloud
from sandbox.seeds import WORKER_CLIENT_ID
from tests.sandbox_process import SandboxProcess

CLUSTER = {"type": "Microsoft.ContainerService/managedClusters", "location": "uksouth", "tags": {"mine": "yes"}}
SIZES = "Microsoft.Compute/virtualMachineScaleSets/sku.name"


@pytest.fixture
def subscription(sandbox: SandboxProcess) -> str:
    """One of its own."""
    number = str(uuid.uuid4())
    sandbox.control("azure/subscriptions", {"id": number, "name": "test"})
    return number


def assign(sandbox: SandboxProcess, subscription: str, name: str, **rule: Any) -> None:
    sandbox.control("azure/policies", {"subscription": subscription, "name": name, **rule})


def test_a_policy_that_would_refuse_is_named(sandbox: SandboxProcess, az: AzureSession, subscription: str) -> None:
    assign(sandbox, subscription, "Only the west", allowed_locations=["ukwest"])
    assign(sandbox, subscription, "Tags for all", required_tag="mine")
    wanted = [Wanted("a cluster", CLUSTER, "2024-01-01"), Wanted("a cluster", CLUSTER, "2024-01-01")]
    assert set(policies.denials(az, subscription, wanted)) == {Denied("Only the west", "a cluster")}


def test_of_an_open_field_the_refused_values_are_named(
    sandbox: SandboxProcess, az: AzureSession, subscription: str
) -> None:
    assign(sandbox, subscription, "Small only", allowed_sizes=["Standard_D2s_v5"])
    kind = {"type": "Microsoft.Compute/virtualMachineScaleSets", "location": "uksouth"}
    wanted = Wanted("machines", kind, "2024-03-01", {SIZES: ("Standard_D2s_v5", "Standard_D4s_v5")})
    (denied,) = policies.denials(az, subscription, [wanted])
    assert denied == Denied("Small only", "machines", SIZES, ("Standard_D4s_v5",))


def test_without_policies_nothing_is_refused(az: AzureSession, subscription: str) -> None:
    assert policies.denials(az, subscription, [Wanted("a cluster", CLUSTER, "2024-01-01")]) == []


def test_who_may_not_ask_about_policies_is_told(sandbox: SandboxProcess, az: AzureSession, subscription: str) -> None:
    rights = {"subscription": subscription, "client_id": WORKER_CLIENT_ID, "actions": ["Microsoft.Resources/*"]}
    sandbox.control("azure/rights", rights)
    with pytest.raises(PermissionDenied):
        policies.denials(az, subscription, [Wanted("a cluster", CLUSTER, "2024-01-01")])


def test_a_label_is_free_until_somebody_has_it(sandbox: SandboxProcess, az: AzureSession, subscription: str) -> None:
    assert network.label_is_free(az, subscription, "uksouth", "nobodys-label")
    sandbox.control("azure/dns", {"region": "uksouth", "label": "somebodys-label"})
    assert not network.label_is_free(az, subscription, "uksouth", "somebodys-label")


def test_addresses_have_a_quota(sandbox: SandboxProcess, az: AzureSession, subscription: str) -> None:
    sandbox.control("azure/quota", {"subscription": subscription, "name": "PublicIPAddresses", "limit": 3})
    quota = network.address_quota(az, subscription, "uksouth")
    assert quota is not None and (quota.used, quota.limit) == (0, 3)


def test_the_portal_knows_its_own_name(az: AzureSession) -> None:
    me = identity.who(az)
    assert me.client_id == WORKER_CLIENT_ID and uuid.UUID(me.object_id)
    assert me.client_id in str(me) and me.object_id in str(me)


def test_versions_on_long_term_support_are_not_for_everybody(az: AzureSession, subscription: str) -> None:
    found = {each.version: each for each in offers.list_kubernetes_versions(az, subscription, "uksouth")}
    assert found["1.30.14"].is_long_term and not found["1.30.14"].is_for_everybody
    assert not found["1.36.0"].is_for_everybody and found["1.34.3"].is_for_everybody


def test_an_organisation_that_is_not_there_is_named(profile: AzureCloud) -> None:
    assert unknown_organisations(profile, ["slipwayorg", "slipwayogr"]) == ("slipwayogr",)
