"""Secrets in the vault, by the real SecretClient."""

import uuid
from datetime import UTC, datetime

import pytest

from cloud.azure.session import AzureSession
from cloud.errors import InvalidRequest, NameTaken, NotYet, SlipwayError, Unavailable
from cloud.keyvault import SecretVault
from tests.cloud.waiting import until
from tests.sandbox_process import SandboxProcess


@pytest.fixture
def vault(az: AzureSession, sandbox: SandboxProcess) -> SecretVault:
    return SecretVault(az, sandbox.worker_env["AZURE_KEY_VAULT_URL"])


@pytest.fixture
def web_vault(web_az: AzureSession, sandbox: SandboxProcess) -> SecretVault:
    return SecretVault(web_az, sandbox.web_env["AZURE_KEY_VAULT_URL"])


@pytest.fixture
def name() -> str:
    return f"test-{uuid.uuid4().hex[:12]}"


def gone(vault: SecretVault, name: str) -> bool:
    try:
        vault.purge(name)
    except NotYet:
        return False
    return vault.state(name).state == "absent"


def test_the_web_process_sets_and_the_worker_gets(web_vault: SecretVault, vault: SecretVault, name: str) -> None:
    version = web_vault.set(name, "pässword", {"slipway-deployment": "x"})
    assert version
    assert vault.get(name) == "pässword"


def test_the_web_process_cannot_read(web_vault: SecretVault, name: str) -> None:
    web_vault.set(name, "hidden")
    with pytest.raises(SlipwayError) as caught:
        web_vault.get(name)
    assert "hidden" not in str(caught.value)


def test_a_newer_value_wins(web_vault: SecretVault, vault: SecretVault, name: str) -> None:
    assert web_vault.set(name, "old") != web_vault.set(name, "new")
    assert vault.get(name) == "new"


def test_names_are_listed(web_vault: SecretVault, vault: SecretVault, name: str) -> None:
    web_vault.set(name, "x")
    assert name in vault.names()


def test_a_secret_that_is_not_there_is_absent_and_cannot_be_read(vault: SecretVault, name: str) -> None:
    assert vault.state(name).state == "absent"
    with pytest.raises(InvalidRequest) as caught:
        vault.get(name)
    assert caught.value.code == "SecretNotFound"


def test_a_deleted_secret_says_until_when_it_can_come_back(
    web_vault: SecretVault, vault: SecretVault, name: str
) -> None:
    web_vault.set(name, "x")
    assert vault.state(name).state == "active"
    vault.delete(name)
    state = until(lambda: vault.state(name) if vault.state(name).state == "deleted" else None)
    assert state.scheduled_purge is not None
    assert state.scheduled_purge > datetime.now(UTC)
    assert name in vault.deleted_names()


def test_a_purged_secret_is_gone_for_good_and_twice_is_fine(
    web_vault: SecretVault, vault: SecretVault, name: str
) -> None:
    web_vault.set(name, "x")
    vault.delete(name)
    until(lambda: gone(vault, name))
    vault.delete(name)
    vault.purge(name)


def test_the_name_of_a_deleted_secret_is_taken(web_vault: SecretVault, vault: SecretVault, name: str) -> None:
    web_vault.set(name, "x")
    vault.delete(name)
    until(lambda: vault.state(name).state == "deleted")
    with pytest.raises(NameTaken):
        web_vault.set(name, "y")


def test_a_broken_answer_never_passes_for_absent(sandbox: SandboxProcess, vault: SecretVault, name: str) -> None:
    sandbox.fault(f"/kv/.*{name}", "custom", status=404, body="<html></html>", count=10)
    with pytest.raises(Unavailable):
        vault.state(name)
