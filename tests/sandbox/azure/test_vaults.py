"""What Key Vault refuses, by its management and by its data."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from sandbox import seeds
from tests.sandbox.azure.conftest import FixedToken, World, refusal

OFFICER = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"


def body(**properties: Any) -> dict[str, Any]:
    base = {"tenantId": seeds.TENANT_ID, "sku": {"family": "A", "name": "standard"}}
    return {"location": "uksouth", "properties": base | properties}


def vault(own: World, group: str, **properties: Any) -> str:
    name = f"v{uuid.uuid4().hex[:12]}"
    own.vaults.vaults.begin_create_or_update(group, name, body(**properties)).result()
    return name


def name() -> str:
    return f"s-{uuid.uuid4().hex[:8]}"


def test_a_vault_appears_once_its_name_is_known(own: World) -> None:
    group = own.group()
    found = own.vaults.vaults.get(group, vault(own, group))
    assert found.properties.provisioning_state == "Succeeded"
    assert found.properties.vault_uri.startswith(own.origin)


@pytest.mark.parametrize("bad", ["1vault", "two--hyphens", "v" * 25])
def test_a_bad_vault_name_is_refused(own: World, bad: str) -> None:
    group = own.group()
    make = own.vaults.vaults.begin_create_or_update
    refusal("VaultNameNotValid", 400, lambda: make(group, bad, body()))


def test_a_vault_takes_no_unknown_field(own: World) -> None:
    group = own.group()
    make = own.vaults.vaults.begin_create_or_update
    refusal("BadRequest", 400, lambda: make(group, f"v{uuid.uuid4().hex[:12]}", body(surprise=1)))


def test_vault_names_are_unique_in_the_world(own: World) -> None:
    group = own.group()
    make = own.vaults.vaults.begin_create_or_update
    refusal("VaultAlreadyExists", 409, lambda: make(group, seeds.PORTAL_VAULT, body()))
    asked = {"name": seeds.PORTAL_VAULT, "type": "Microsoft.KeyVault/vaults"}
    assert own.vaults.vaults.check_name_availability(asked).name_available is False


def test_a_deleted_vault_keeps_its_name_until_purged(own: World) -> None:
    group = own.group()
    taken = vault(own, group)
    own.vaults.vaults.delete(group, taken)
    make = own.vaults.vaults.begin_create_or_update
    refusal("ConflictError", 409, lambda: make(group, taken, body()))
    own.vaults.vaults.begin_purge_deleted(taken, "uksouth").result()
    make(group, taken, body()).result()


def test_deleting_a_group_soft_deletes_its_vault(own: World) -> None:
    group = own.group()
    kept = vault(own, group)
    own.groups.resource_groups.begin_delete(group).result()
    assert kept in [entry.name for entry in own.vaults.vaults.list_deleted()]


def test_purge_protection_forbids_purging(own: World) -> None:
    group = own.group()
    kept = vault(own, group, enablePurgeProtection=True)
    own.vaults.vaults.delete(group, kept)
    refusal("MethodNotAllowed", 405, lambda: own.vaults.vaults.begin_purge_deleted(kept, "uksouth"))


def test_the_web_process_may_only_set(world: World) -> None:
    secret = name()
    world.secrets(world.web).set_secret(secret, "hidden")
    error = refusal("Forbidden", 403, lambda: world.secrets(world.web).get_secret(secret))
    assert error.response.json()["error"]["innererror"]["code"] == "ForbiddenByRbac"
    assert world.secrets().get_secret(secret).value == "hidden"


def test_the_worker_may_set_what_azure_has_made_for_a_hub(world: World) -> None:
    assert world.secrets().set_secret(name(), "hidden").value == "hidden"


def test_a_vault_refuses_a_token_for_arm(world: World) -> None:
    client = world.secrets(FixedToken(world.token()))
    with pytest.raises(HttpResponseError) as caught:
        client.get_secret("any")
    assert caught.value.status_code == 401
    assert "AKV10022" in str(caught.value)


def test_a_vault_challenges_who_brings_no_token(world: World) -> None:
    answer = world.http.get(f"/kv/{seeds.PORTAL_VAULT}/secrets/any?api-version=7.6")
    assert answer.status_code == 401
    assert 'resource="https://vault.azure.net"' in answer.headers["www-authenticate"]


def test_a_secret_that_is_not_there_is_not_found(world: World) -> None:
    refusal("SecretNotFound", 404, lambda: world.secrets().get_secret(name()))


def test_a_secret_has_a_name_of_letters_digits_and_hyphens(world: World) -> None:
    refusal("BadParameter", 400, lambda: world.secrets(world.web).set_secret("under_score", "x"))


def test_a_secret_has_at_most_25_kib(world: World) -> None:
    refusal("BadParameter", 400, lambda: world.secrets(world.web).set_secret(name(), "x" * 26_000))


def test_a_secret_has_at_most_15_tags(world: World) -> None:
    tags = {str(number): "x" for number in range(16)}
    refusal("BadParameter", 400, lambda: world.secrets(world.web).set_secret(name(), "x", tags=tags))


def test_a_vault_speaks_known_versions_only(world: World) -> None:
    path = f"/kv/{seeds.PORTAL_VAULT}/secrets/any?api-version=1.0"
    scope = "https://vault.azure.net/.default"
    refusal("BadParameter", 400, lambda: world.send("GET", path, scope=scope))


def test_a_deleted_secrets_name_cannot_be_used(world: World) -> None:
    secret = name()
    world.secrets(world.web).set_secret(secret, "x")
    world.secrets().begin_delete_secret(secret).wait()
    error = refusal("Conflict", 409, lambda: world.secrets(world.web).set_secret(secret, "y"))
    assert error.response.json()["error"]["innererror"]["code"] == "ObjectIsDeletedButRecoverable"


def test_a_purged_secret_is_gone(world: World) -> None:
    secret = name()
    world.secrets(world.web).set_secret(secret, "x")
    world.secrets().begin_delete_secret(secret).wait()
    world.secrets().purge_deleted_secret(secret)
    with pytest.raises(ResourceNotFoundError):
        world.secrets().get_deleted_secret(secret)


def test_a_secret_that_is_being_deleted_is_in_conflict(tmp_path: Any) -> None:
    from tests.sandbox_process import SandboxProcess

    with SandboxProcess(tmp_path, speed=1) as process:
        slow, secret = World(process), name()
        slow.secrets(slow.web).set_secret(secret, "x")
        slow.secrets().begin_delete_secret(secret)
        error = refusal("Conflict", 409, lambda: slow.secrets(slow.web).set_secret(secret, "y"))
        assert error.response.json()["error"]["innererror"]["code"] == "ObjectIsBeingDeleted"
        refusal("SecretNotFound", 404, lambda: slow.secrets().get_deleted_secret(secret))


def test_secrets_come_in_pages(world: World) -> None:
    names = {name() for _ in range(30)}
    for secret in names:
        world.secrets(world.web).set_secret(secret, "x")
    found = {entry.name for entry in world.secrets().list_properties_of_secrets(max_page_size=7)}
    assert names <= found


def test_a_secret_keeps_its_versions(world: World) -> None:
    secret = name()
    first = world.secrets(world.web).set_secret(secret, "one").properties.version
    world.secrets(world.web).set_secret(secret, "two")
    assert world.secrets().get_secret(secret, first).value == "one"
    assert len(list(world.secrets().list_properties_of_secret_versions(secret))) == 2


def test_a_role_opens_a_vault_once_it_has_spread(own: World) -> None:
    actions = {"client_id": seeds.WORKER_CLIENT_ID, "subscription": own.subscription, "actions": ["*"]}
    own.control("rights", **actions)
    group = own.group()
    opened = vault(own, group, enableRbacAuthorization=True)
    refusal("Forbidden", 403, lambda: own.secrets(vault=opened).get_secret("any"))
    scope = own.vaults.vaults.get(group, opened).id
    principal = own.control("applications", client_id=seeds.WORKER_CLIENT_ID, client_secret="unused")["object_id"]
    properties = {"roleDefinitionId": f"/x/roleDefinitions/{OFFICER}", "principalId": principal}
    number = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
    assign = own.groups.resources.begin_create_or_update_by_id
    assign(number, {"properties": properties}, api_version="2022-04-01", polling=False)
    while True:
        try:
            own.secrets(vault=opened).set_secret("open", "sesame")
            break
        except HttpResponseError as error:
            assert error.status_code == 403


def test_a_secret_is_in_no_journal(world: World) -> None:
    world.secrets(world.web).set_secret(name(), "canary-7f3a")
    assert "canary-7f3a" not in str(world.process.control("journal"))
    assert "canary-7f3a" not in world.process.errors
