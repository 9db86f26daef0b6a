"""Who gets a token, and where it is good."""

from __future__ import annotations

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential, WorkloadIdentityCredential
from azure.mgmt.resource.resources import ResourceManagementClient

from sandbox import seeds
from tests.sandbox.azure.conftest import ARM, FixedToken, World, refusal


def refused_with(number: str, credential: ClientSecretCredential, scope: str = ARM) -> None:
    with pytest.raises(ClientAuthenticationError) as caught:
        credential.get_token(scope)
    assert f"AADSTS{number}" in str(caught.value)


def test_a_wrong_secret_is_refused(world: World) -> None:
    refused_with("7000215", world.credential(secret="wrong"))


def test_an_unknown_client_is_refused(world: World) -> None:
    refused_with("700016", world.credential(client="5117a000-0000-4000-8000-00000000dead"))


def test_an_unknown_tenant_is_refused(world: World) -> None:
    """The SDK hides Entra's words (AADSTS90002), because it meets them while it looks for the token's address."""
    tenant = "5117a000-0000-4000-8000-00000000dead"
    with pytest.raises(ClientAuthenticationError) as caught:
        world.credential(tenant=tenant).get_token(ARM)
    assert "Unable to get authority configuration" in str(caught.value)
    answer = world.http.post(f"/{tenant}/oauth2/v2.0/token", data={"grant_type": "client_credentials"})
    assert (answer.status_code, answer.json()["error_codes"]) == (400, [90002])


def test_an_unknown_resource_is_refused(world: World) -> None:
    refused_with("500011", world.worker, "https://example.org/.default")


def test_a_scope_without_default_is_refused(world: World) -> None:
    refused_with("1002012", world.worker, "https://management.azure.com/user_impersonation")


def test_a_federated_assertion_needs_its_record(world: World, tmp_path) -> None:
    import jwt

    path = tmp_path / "token"
    key = "k" * 32
    path.write_text(jwt.encode({"iss": "https://issuer", "sub": "system:serviceaccount:slipway:worker"}, key))
    credential = WorkloadIdentityCredential(
        tenant_id=seeds.TENANT_ID,
        client_id=seeds.WORKER_CLIENT_ID,
        token_file_path=str(path),
        authority=world.origin,
        disable_instance_discovery=True,
        connection_verify=world.ca,
    )
    refused_with("700213", credential)
    world.control(
        "federations",
        client_id=seeds.WORKER_CLIENT_ID,
        issuer="https://issuer",
        subject="system:serviceaccount:slipway:worker",
    )
    assert credential.get_token(ARM).token


def with_token(world: World, token: str) -> ResourceManagementClient:
    return ResourceManagementClient(FixedToken(token), world.subscription, **world.options())


def test_arm_refuses_a_token_for_the_vault(world: World) -> None:
    client = with_token(world, world.token(scope="https://vault.azure.net/.default"))
    refusal("InvalidAuthenticationTokenAudience", 401, lambda: list(client.resource_groups.list()))


def test_arm_refuses_a_forged_token(world: World) -> None:
    client = with_token(world, world.token()[:-4] + "AAAA")
    refusal("InvalidAuthenticationToken", 401, lambda: list(client.resource_groups.list()))


def test_arm_refuses_an_expired_token(world: World) -> None:
    client = with_token(world, world.token())
    world.control("expire-tokens")
    refusal("ExpiredAuthenticationToken", 401, lambda: list(client.resource_groups.list()))
    world.worker, world.web = world.credential("worker"), world.credential("web")
    world.use(world.subscription)


def test_arm_refuses_a_request_without_a_token(world: World) -> None:
    call = "/subscriptions?api-version=2022-12-01"
    refusal("AuthenticationFailed", 401, lambda: world.send("GET", call, credential=False))


def test_a_managed_identity_gets_a_token(world: World) -> None:
    query = {"resource": "https://management.azure.com", "api-version": "2018-02-01"}
    assert world.http.get("/metadata/identity/oauth2/token", params=query).status_code == 400
    answer = world.http.get("/metadata/identity/oauth2/token", params=query, headers={"Metadata": "true"})
    assert list(with_token(world, answer.json()["access_token"]).resource_groups.list()) is not None
