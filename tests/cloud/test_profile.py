"""A profile may weaken a safeguard only where nothing leaves this machine."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cloud.errors import InvalidRequest
from cloud.profile import AzureCloud, is_loopback, load

LOCAL = "https://127.0.0.1:8443"


def local_profile(**changes: object) -> AzureCloud:
    values = {name: LOCAL for name in ("authority", "arm", "prices", "docker_hub_auth", "docker_hub_registry")}
    values |= {"github": LOCAL, "github_api": LOCAL, "hub_address": "http://127.{h1}.{h2}.{h3}:8480/"}
    return AzureCloud.from_mapping(AzureCloud.public().as_dict() | values | changes)


@pytest.mark.parametrize(
    "weakness", [{"verify_challenge_resource": False}, {"ca_bundle": "/ca.pem"}, {"instance_discovery": False}]
)
def test_a_real_cloud_cannot_be_weakened(weakness: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest, match="only safe when every address is on this machine"):
        replace(AzureCloud.public(), **weakness)  # type: ignore[arg-type]


def test_one_stranger_among_local_addresses_is_named() -> None:
    with pytest.raises(InvalidRequest, match=r"prices \(https://prices\.azure\.com"):
        local_profile(verify_challenge_resource=False, prices="https://prices.azure.com/api/retail/prices")


def test_a_local_profile_may_be_weakened() -> None:
    assert local_profile(verify_challenge_resource=False, instance_discovery=False).verify_challenge_resource is False


def test_a_local_profile_may_hand_out_the_real_chart() -> None:
    profile = local_profile(ca_bundle="/ca.pem", chart_repository="https://hub.jupyter.org/helm-chart/")
    assert profile.chart_ca_bundle is None


def test_a_name_that_could_mean_anybody_is_no_loopback() -> None:
    assert not is_loopback("https://sandbox.localhost/")
    assert not is_loopback("https://127.0.0.1.evil.example/")
    assert is_loopback("https://127.3.2.1:99/x")


def test_a_hub_of_public_azure_has_its_label_and_region_as_address() -> None:
    assert AzureCloud.public().hub_url("demo-ab12cd", "uksouth") == "https://demo-ab12cd.uksouth.cloudapp.azure.com/"


def test_a_sandbox_hub_gets_an_address_of_its_own_on_this_machine() -> None:
    first, second = (local_profile().hub_url(label, "uksouth") for label in ("a-000000", "b-000000"))
    assert first != second
    assert is_loopback(first)


@pytest.mark.parametrize(("name", "authority"), [("china", "login.chinacloudapi.cn"), ("usgov", "microsoftonline.us")])
def test_the_environment_names_the_cloud(name: str, authority: str) -> None:
    assert authority in load({"AZURE_CLOUD": name}).authority


def test_an_unknown_cloud_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidRequest) as caught:
        load({"AZURE_CLOUD": "mars"})
    assert "public, china, usgov" in caught.value.remedy


def test_a_profile_file_wins_over_the_name(tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    path.write_text(json.dumps(AzureCloud.public().as_dict() | {"name": "mine"}))
    assert load({"AZURE_CLOUD": "china", "AZURE_CLOUD_PROFILE": str(path)}).name == "mine"


def test_a_misspelt_field_of_a_profile_is_named(tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    path.write_text(json.dumps(AzureCloud.public().as_dict() | {"autority": "x"}))
    with pytest.raises(InvalidRequest, match="autority"):
        load({"AZURE_CLOUD_PROFILE": str(path)})
