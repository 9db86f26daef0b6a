"""One session serves threads and forks, and costs nothing until it is used."""

import contextlib
import os
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from cloud.azure import offers, rights
from cloud.azure.session import AzureSession
from cloud.errors import PermanentError, Unavailable
from cloud.keyvault import SecretVault
from cloud.profile import AzureCloud
from sandbox.seeds import SUBSCRIPTIONS
from tests.sandbox_process import PROJECT, SandboxProcess

PAID = SUBSCRIPTIONS[0]["id"]
IMPORT_ALL = """
import importlib, pkgutil, sys, cloud
for module in pkgutil.walk_packages(cloud.__path__, "cloud."):
    if module.name != "cloud.azure.polling":
        importlib.import_module(module.name)
print([name for name in sys.modules if name.split(".")[0] in {"azure", "kubernetes", "msal", "requests"}])
"""


def test_importing_cloud_imports_no_sdk() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORT_ALL], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_threads_share_one_client(az: AzureSession) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: id(az.compute(PAID)), range(32)))
    assert len(made) == 1


def test_a_forked_child_makes_clients_of_its_own_and_works(az: AzureSession) -> None:
    offers.list_regions(az, PAID)
    child = os.fork()
    if child == 0:
        os._exit(0 if offers.list_regions(az, PAID) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert offers.list_regions(az, PAID)


@pytest.mark.parametrize("kind", ["expired-token", "cae"])
def test_a_token_that_azure_takes_no_longer_is_replaced(
    kind: str, sandbox: SandboxProcess, profile: AzureCloud
) -> None:
    az = AzureSession.from_environment(profile, sandbox.worker_env)
    offers.list_regions(az, PAID)
    sandbox.fault(f"/subscriptions/{PAID}/locations", kind)
    with contextlib.suppress(Unavailable):
        offers.list_regions(az, PAID)
    assert offers.list_regions(az, PAID)


@pytest.mark.parametrize("kind", ["expired-token", "cae"])
def test_a_token_that_the_vault_takes_no_longer_is_replaced(
    kind: str, sandbox: SandboxProcess, profile: AzureCloud
) -> None:
    az = AzureSession.from_environment(profile, sandbox.worker_env)
    vault = SecretVault(az, sandbox.portal_env["AZURE_KEY_VAULT_URL"])
    before = vault.names()
    sandbox.fault("^/kv/", kind)
    with contextlib.suppress(Unavailable):
        vault.names()
    assert vault.names() == before


@pytest.mark.parametrize(
    "environ",
    [
        {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_FEDERATED_TOKEN_FILE": "/var/run/token"},
        {"AZURE_CLIENT_ID": "c"},
        {},
    ],
)
def test_identities_without_a_secret_are_made_without_asking_anybody(environ: dict[str, str]) -> None:
    assert AzureSession.from_environment(AzureCloud.public(), environ).credential is not None


def test_a_look_switches_nothing_on(sandbox: SandboxProcess, az: AzureSession) -> None:
    subscription = str(uuid.uuid4())
    sandbox.control("azure/subscriptions", {"id": subscription, "name": "fresh"})
    off = {"subscription": subscription, "namespace": "Microsoft.Compute", "state": "NotRegistered"}
    sandbox.control("azure/providers", off)
    with pytest.raises(PermanentError) as caught:
        offers.list_quotas(az, subscription, "uksouth")
    assert caught.value.code == "MissingSubscriptionRegistration"
    assert rights.provider_states(az, subscription, ["Microsoft.Compute"]) == {"Microsoft.Compute": "NotRegistered"}
