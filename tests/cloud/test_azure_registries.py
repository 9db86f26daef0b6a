"""Azure's registries and roles, through the real SDK."""

import ssl
import uuid
from collections.abc import Iterator

import httpx
import pytest

from cloud.azure import groups, registries, role_assignments
from cloud.azure.session import AzureSession
from cloud.errors import NameTaken, PermissionDenied
from cloud.profile import AzureCloud
from sandbox.seeds import SUBSCRIPTIONS
from tests.cloud.waiting import until
from tests.sandbox_process import SandboxProcess

PAID = SUBSCRIPTIONS[0]["id"]
TAGS = {"slipway-deployment": "one"}


@pytest.fixture
def group(az: AzureSession) -> Iterator[str]:
    name = f"g-{uuid.uuid4().hex[:8]}"
    groups.create_group(az, PAID, name, "uksouth", TAGS)
    yield name
    groups.delete_group(az, PAID, name)


@pytest.fixture
def registry(az: AzureSession, group: str) -> registries.Registry:
    name = f"slipway{uuid.uuid4().hex[:8]}"
    registries.create_registry(az, PAID, group, name, "uksouth", TAGS)
    return until(lambda: _ready(az, group, name))


def _ready(az: AzureSession, group: str, name: str) -> registries.Registry | None:
    found = registries.get_registry(az, PAID, group, name)
    return found if found and found.state == "Succeeded" else None


def test_a_registry_is_made_with_its_tags_at_the_address_known_before(
    profile: AzureCloud, registry: registries.Registry
) -> None:
    assert registry.login_server == profile.acr_login_server(registry.name)
    assert (registry.tags, registry.sku) == (TAGS, "Basic")


def test_a_registry_is_found_by_its_tag(az: AzureSession, registry: registries.Registry) -> None:
    found = groups.list_tagged(az, PAID, "slipway-deployment", "one")
    assert registry.id in [each.id for each in found]


def test_a_deleted_registry_frees_its_name(az: AzureSession, group: str, registry: registries.Registry) -> None:
    assert registries.name_available(az, PAID, registry.name).reason == "AlreadyExists"
    registries.delete_registry(az, PAID, group, registry.name)
    until(lambda: registries.get_registry(az, PAID, group, registry.name) is None)
    registries.delete_registry(az, PAID, group, registry.name)
    assert registries.name_available(az, PAID, registry.name).available


def test_a_name_that_is_none_is_said(az: AzureSession) -> None:
    found = registries.name_available(az, PAID, "a-b")
    assert (found.available, found.reason) == (False, "Invalid")
    assert "between 5 and 50" in found.message


def test_a_strangers_name_is_taken(sandbox: SandboxProcess, az: AzureSession, group: str) -> None:
    sandbox.control("azure/registry-names", {"name": "someoneelses"})
    with pytest.raises(NameTaken):
        registries.create_registry(az, PAID, group, "someoneelses", "uksouth", TAGS)


def test_a_token_gets_a_password_that_opens_the_registry(
    sandbox: SandboxProcess, az: AzureSession, group: str, registry: registries.Registry
) -> None:
    until(lambda: registries.ensure_token(az, PAID, group, registry.name, "slipway"))
    password = registries.generate_password(az, PAID, group, registry.name, "slipway")
    assert _signs_in(sandbox, registry, password)


def test_a_password_works_until_the_next_but_one_is_made(
    sandbox: SandboxProcess, az: AzureSession, group: str, registry: registries.Registry
) -> None:
    until(lambda: registries.ensure_token(az, PAID, group, registry.name, "slipway"))
    first, second = (registries.generate_password(az, PAID, group, registry.name, "slipway") for _ in range(2))
    assert _signs_in(sandbox, registry, first) and _signs_in(sandbox, registry, second)
    third = registries.generate_password(az, PAID, group, registry.name, "slipway")
    assert [_signs_in(sandbox, registry, each) for each in (first, second, third)] == [False, True, True]


def _signs_in(sandbox: SandboxProcess, registry: registries.Registry, password: str) -> bool:
    query = {"service": registry.login_server, "scope": "repository:a/b:pull,push"}
    url = f"https://{registry.login_server}/oauth2/token"
    trust = ssl.create_default_context(cafile=str(sandbox.ca))
    answer = httpx.get(url, params=query, auth=("slipway", password), verify=trust, trust_env=False)
    return answer.status_code == 200


def test_giving_a_role_twice_gives_it_once(az: AzureSession, registry: registries.Registry) -> None:
    principal = str(uuid.uuid4())
    scope, role = registry.id, role_assignments.ACR_PULL
    assert not role_assignments.has_role(az, PAID, scope, role, principal)
    first = role_assignments.assign_role(az, PAID, scope, role, principal)
    assert role_assignments.assign_role(az, PAID, scope, role, principal) == first
    assert role_assignments.has_role(az, PAID, scope, role, principal)


def test_a_role_is_taken_away(az: AzureSession, registry: registries.Registry) -> None:
    number = role_assignments.assign_role(az, PAID, registry.id, role_assignments.ACR_PULL, str(uuid.uuid4()))
    assert role_assignments.get_assignment(az, PAID, number)
    role_assignments.remove_assignment(az, PAID, number)
    role_assignments.remove_assignment(az, PAID, number)
    assert not role_assignments.get_assignment(az, PAID, number)


def test_a_contributor_may_give_no_roles(
    sandbox: SandboxProcess, profile: AzureCloud, az: AzureSession, registry: registries.Registry
) -> None:
    client = sandbox.control("azure/applications", {"client_secret": "contributor"})["client_id"]
    contributor = {"actions": ["*"], "not_actions": ["Microsoft.Authorization/*/write"]}
    sandbox.control("azure/rights", {"client_id": client, "subscription": PAID, **contributor})
    environ = sandbox.portal_env | {"AZURE_CLIENT_ID": client, "AZURE_CLIENT_SECRET": "contributor"}
    other = AzureSession.from_environment(profile, environ)
    with pytest.raises(PermissionDenied):
        role_assignments.assign_role(other, PAID, registry.id, role_assignments.ACR_PULL, str(uuid.uuid4()))
