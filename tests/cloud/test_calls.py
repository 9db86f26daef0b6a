"""Every call to the outside is told: whom it asked, what came of it, how long it took."""

import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud import binderhub, calls, github, helm_process, prices, registries
from cloud.azure import groups
from cloud.azure.session import AzureSession
from cloud.errors import SlipwayError
from cloud.keyvault import SecretVault
from cloud.kubernetes import KubernetesCluster
from cloud.profile import AzureCloud
from sandbox.seeds import PORTAL_VAULT, SUBSCRIPTIONS
from tests.sandbox_process import SandboxProcess, helm_binary

PAID = SUBSCRIPTIONS[0]["id"]
Told = list[tuple[str, str, float]]


@pytest.fixture
def told() -> Iterator[Told]:
    """What the listeners hear."""
    heard: Told = []

    def listener(service: str, code: str, seconds: float) -> None:
        heard.append((service, code, seconds))

    calls.listen(listener)
    yield heard
    calls.unlisten(listener)


def outcomes(told: Told) -> list[tuple[str, str]]:
    return [(service, code) for service, code, _ in told]


def test_a_sign_in_and_what_it_was_for_are_told_apart(sandbox: SandboxProcess, profile: AzureCloud, told: Told) -> None:
    az = AzureSession.from_environment(profile, sandbox.worker_env)
    groups.list_groups(az, PAID)
    assert ("entra", "200") in outcomes(told) and outcomes(told)[-1] == ("arm", "200")
    assert all(0 < seconds < 60 for _, _, seconds in told)


def test_a_refusal_is_told_with_its_status(az: AzureSession, told: Told) -> None:
    assert groups.get_group(az, PAID, f"g-{uuid.uuid4().hex[:8]}") is None
    assert outcomes(told)[-1] == ("arm", "404")


def test_a_call_that_brought_no_answer_is_told_as_failed(sandbox: SandboxProcess, az: AzureSession, told: Told) -> None:
    sandbox.fault("/resourcegroups", "drop")
    with pytest.raises(SlipwayError):
        groups.list_groups(az, PAID)
    assert set(outcomes(told)) == {("arm", "failed")}


def test_the_vault_is_a_service_of_its_own(sandbox: SandboxProcess, az: AzureSession, told: Told) -> None:
    SecretVault(az, f"{sandbox.origin}/kv/{PORTAL_VAULT}/").names()
    assert outcomes(told)[-1] == ("vault", "200")


def test_the_clusters_own_interface_is_told(cluster: KubernetesCluster, told: Told) -> None:
    cluster.nodes()
    cluster.namespace("nowhere")
    assert outcomes(told) == [("kubernetes", "200"), ("kubernetes", "404")]


def test_helm_is_told_with_its_exit_code(kubeconfig: bytes, told: Told, tmp_path: Path) -> None:
    for arguments in (["version"], ["no-such-command"]):
        what = helm_process.Run(arguments, helm_process.environment(tmp_path, "c"), kubeconfig)
        helm_process.run(helm_binary(), what, 30)
    assert outcomes(told) == [("helm", "0"), ("helm", "1")]


def test_each_of_the_others_has_its_name(profile: AzureCloud, told: Told) -> None:
    for ask in (
        lambda: prices.node_price(profile, "uksouth", "Standard_D2s_v5"),
        lambda: registries.check_docker_hub(profile, "slipwaydemo", "wrong", "slipwaydemo", "x-"),
        lambda: github.check_oauth_app(profile, "id", "secret", "https://x.example.org/"),
        lambda: binderhub.answers("http://127.0.0.1:9/"),
    ):
        with contextlib.suppress(SlipwayError):
            ask()
    assert {service for service, _ in outcomes(told)} == {"prices", "docker-hub", "github", "hub"}
    assert outcomes(told)[-1] == ("hub", "failed")
