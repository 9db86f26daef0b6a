"""What Azure offers, read by the real SDKs."""

from uuid import UUID

import pytest

from cloud.azure import offers, rights
from cloud.azure.session import AzureSession
from cloud.errors import InvalidRequest, PermissionDenied, SignInFailed, Throttled, Unavailable
from cloud.prices import node_price
from cloud.profile import AzureCloud
from sandbox.seeds import SUBSCRIPTIONS, TENANT_ID
from tests.sandbox_process import SandboxProcess

PAID, TRIAL = SUBSCRIPTIONS[0]["id"], SUBSCRIPTIONS[1]["id"]


def test_subscriptions_say_which_is_a_free_trial(az: AzureSession) -> None:
    found = {subscription.id: subscription for subscription in offers.list_subscriptions(az)}
    assert found[TRIAL].quota_id.startswith("FreeTrial")
    assert found[PAID].state == "Enabled"
    assert found[PAID].tenant_id == TENANT_ID


def test_only_real_places_are_regions(az: AzureSession) -> None:
    names = {region.name for region in offers.list_regions(az, PAID)}
    assert "uksouth" in names
    assert "global" not in names


def test_node_sizes_say_what_they_have(az: AzureSession) -> None:
    sizes = {size.name: size for size in offers.list_node_sizes(az, PAID, "uksouth")}
    size = sizes["Standard_D2s_v3"]
    assert (size.vcpus, size.memory_gib) == (2, 8)
    assert size.family.lower() == "standarddsv3family"


def test_quotas_are_found_by_lowercase_key(az: AzureSession) -> None:
    quotas = offers.list_quotas(az, TRIAL, "uksouth")
    assert quotas["cores"].limit == 4
    assert quotas["cores"].left == quotas["cores"].limit - quotas["cores"].used
    assert "standarddsv3family" in quotas


def test_one_kubernetes_version_is_the_default_and_has_a_patch_number(az: AzureSession) -> None:
    versions = offers.list_kubernetes_versions(az, PAID, "uksouth")
    (default,) = [version for version in versions if version.is_default]
    assert default.version.count(".") == 2
    assert versions[0].version > versions[-1].version


def test_the_worker_may_do_what_a_hub_needs(az: AzureSession) -> None:
    granted = rights.permissions(az, PAID)
    assert granted.allows("Microsoft.ContainerService/managedClusters/write")
    assert granted.allows("Microsoft.Authorization/roleAssignments/write")
    assert not granted.allows("Microsoft.Authorization/roleDefinitions/write")


def test_the_web_process_may_do_nothing_in_a_subscription(web_az: AzureSession) -> None:
    with pytest.raises(PermissionDenied):
        offers.list_quotas(web_az, PAID, "uksouth")


def test_exclusions_bind_only_the_role_they_are_in() -> None:
    reader = (("*/read",), ())
    contributor = (("*",), ("Microsoft.Authorization/*/write",))
    both = rights.Permissions((reader, contributor, (("Microsoft.Authorization/roleAssignments/*",), ())))
    assert both.allows("microsoft.authorization/roleassignments/WRITE")
    assert not rights.Permissions((contributor,)).allows("Microsoft.Authorization/roleAssignments/write")


def test_providers_say_whether_they_are_registered_and_can_be(az: AzureSession) -> None:
    rights.register_provider(az, PAID, "Microsoft.ContainerService")
    states = rights.provider_states(az, PAID, ["Microsoft.ContainerService"])
    assert states["Microsoft.ContainerService"] in {"Registered", "Registering"}


def test_a_node_has_a_price_per_hour_in_the_profiles_currency(profile: AzureCloud) -> None:
    price = node_price(profile, "uksouth", "Standard_D2s_v3")
    assert price is not None
    assert (price.currency, price.unit) == ("GBP", "1 Hour")
    assert 0 < price.amount < 1


def test_a_size_nobody_sells_has_no_price(profile: AzureCloud) -> None:
    assert node_price(profile, "uksouth", "Standard_Nothing") is None


def test_a_wrong_client_secret_is_a_failed_sign_in(sandbox: SandboxProcess, profile: AzureCloud) -> None:
    environ = {key: value for key, value in sandbox.worker_env.items() if key != "AZURE_CLIENT_SECRET_FILE"}
    stranger = AzureSession.from_environment(profile, environ | {"AZURE_CLIENT_SECRET": "wrong"})
    with pytest.raises(SignInFailed) as caught:
        offers.list_subscriptions(stranger)
    assert caught.value.code == "AADSTS7000215"


def test_an_unknown_tenant_is_a_failed_sign_in(sandbox: SandboxProcess, profile: AzureCloud) -> None:
    stranger = AzureSession.from_environment(profile, sandbox.worker_env | {"AZURE_TENANT_ID": str(UUID(int=7))})
    with pytest.raises(SignInFailed) as caught:
        offers.list_subscriptions(stranger)
    assert caught.value.code == "AADSTS90002"


def test_a_secret_file_that_is_not_there_is_named(profile: AzureCloud) -> None:
    with pytest.raises(SignInFailed) as caught:
        AzureSession.from_environment(profile, {"AZURE_CLIENT_SECRET_FILE": "/nowhere"})
    assert "AZURE_CLIENT_SECRET_FILE" in caught.value.remedy


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("throttled", Throttled),
        ("throttled-silent", Throttled),
        ("unavailable", Unavailable),
        ("server-error", Unavailable),
        ("html", Unavailable),
        ("empty", Unavailable),
        ("garbage", Unavailable),
        ("forbidden", PermissionDenied),
        ("expired-token", Unavailable),
    ],
)
def test_each_kind_of_bad_day_has_its_error(
    sandbox: SandboxProcess, az: AzureSession, kind: str, error: type[Exception]
) -> None:
    sandbox.fault(f"/subscriptions/{PAID}/locations", kind, count=10)
    with pytest.raises(error):
        offers.list_regions(az, PAID)


def test_a_connection_that_breaks_off_is_tried_again_and_then_reported(
    sandbox: SandboxProcess, az: AzureSession
) -> None:
    sandbox.fault(f"/subscriptions/{PAID}/locations", "drop", count=20)
    with pytest.raises(Unavailable):
        offers.list_regions(az, PAID)


def test_the_answer_to_a_refused_question_is_in_azures_words(az: AzureSession) -> None:
    with pytest.raises((InvalidRequest, PermissionDenied)) as caught:
        offers.list_regions(az, "00000000-0000-0000-0000-000000000000")
    assert caught.value.code == "SubscriptionNotFound"
    assert caught.value.correlation_id
