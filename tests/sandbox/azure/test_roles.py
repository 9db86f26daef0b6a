"""Role definitions, their assignments, and the conditions that bind who may give them."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from azure.identity import ClientSecretCredential

from sandbox import seeds
from sandbox.azure.conditions import Asked, ConditionError, parse
from tests.sandbox.azure.conftest import World, refusal

API = "api-version=2022-04-01"
PULL, PUSH = "7f951dda-4ed3-4680-a7ca-43fe172d538d", "8311e382-0749-4cb8-b61a-304f252e45ec"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
GIVER = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
ATTRIBUTE = "Microsoft.Authorization/roleAssignments:RoleDefinitionId"
ONLY_PULL = (
    "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR "
    f"(@Request[{ATTRIBUTE}] ForAnyOfAnyValues:GuidEquals {{{PULL}}})) AND "
    "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/delete'})) OR "
    f"(@Resource[{ATTRIBUTE}] ForAnyOfAnyValues:GuidEquals {{{PULL}}}))"
)


class Tenant:
    """A subscription whose owner makes roles, and somebody who has none yet."""

    def __init__(self, world: World) -> None:
        self.world, self.scope = world, f"/subscriptions/{world.subscription}"
        self.owner, _ = self._application(actions=["*"])
        self.guest, self.guest_id = self._application()

    def _application(self, **rights: Any) -> tuple[ClientSecretCredential, str]:
        made = self.world.control("applications", client_secret="secret")
        if rights:
            self.world.control("rights", client_id=made["client_id"], subscription=self.world.subscription, **rights)
        credential = self.world.credential(client=made["client_id"], secret="secret")
        return credential, made["object_id"]

    def define(self, name: str = "", number: str = "", credential: Any = None, **properties: Any) -> str:
        number = number or str(uuid.uuid4())
        body = {
            "roleName": name or f"Role {number}",
            "type": "CustomRole",
            "permissions": [{"actions": ["Microsoft.Resources/subscriptions/resourceGroups/read"]}],
            "assignableScopes": [self.scope],
        } | properties
        path = f"{self.scope}/providers/Microsoft.Authorization/roleDefinitions/{number}?{API}"
        self.world.send("PUT", path, {"properties": body}, credential or self.owner)
        return number

    def assign(self, role: str, principal: str = "", credential: Any = None, scope: str = "", **more: Any) -> str:
        path = f"{scope or self.scope}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
        properties = {"roleDefinitionId": f"{self.scope}/providers/x/roleDefinitions/{role}"}
        properties |= {"principalId": principal or self.guest_id, "principalType": "ServicePrincipal"} | more
        self.world.send("PUT", f"{path}?{API}", {"properties": properties}, credential or self.owner)
        return path

    def groups(self) -> Any:
        return self.world.send("GET", f"{self.scope}/resourcegroups?api-version=2024-03-01", credential=self.guest)


@pytest.fixture
def tenant(own: World) -> Tenant:
    return Tenant(own)


def test_a_custom_role_gives_what_it_names_where_it_is_assigned(tenant: Tenant) -> None:
    refusal("AuthorizationFailed", 403, tenant.groups)
    tenant.assign(tenant.define())
    assert tenant.groups().json()["value"] == []
    path = f"{tenant.scope}/resourcegroups/g1?api-version=2024-03-01"
    refusal("AuthorizationFailed", 403, lambda: tenant.world.send("PUT", path, {"location": "uksouth"}, tenant.guest))


def test_a_role_is_found_by_its_id_and_its_name(tenant: Tenant) -> None:
    name = f"Slipway {uuid.uuid4()}"
    number = tenant.define(name)
    definitions = f"{tenant.scope}/providers/Microsoft.Authorization/roleDefinitions"
    found = tenant.world.send("GET", f"{definitions}/{number}?{API}", credential=tenant.owner).json()
    assert (found["name"], found["properties"]["roleName"]) == (number, name)
    listed = tenant.world.send("GET", f"{definitions}?{API}&$filter=roleName eq '{name}'", credential=tenant.owner)
    assert [each["name"] for each in listed.json()["value"]] == [number]


def test_a_role_can_be_changed_and_keeps_its_assignments(tenant: Tenant) -> None:
    number = tenant.define(permissions=[{"actions": ["Microsoft.Compute/skus/read"]}])
    tenant.assign(number)
    refusal("AuthorizationFailed", 403, tenant.groups)
    tenant.define(number=number)
    assert tenant.groups().json()["value"] == []


def test_an_unknown_role_is_not_found(tenant: Tenant) -> None:
    refusal("RoleDefinitionDoesNotExist", 404, lambda: tenant.assign(str(uuid.uuid4())))


def test_a_role_of_the_same_name_is_refused(tenant: Tenant) -> None:
    name = f"Slipway {uuid.uuid4()}"
    tenant.define(name)
    refusal("RoleDefinitionWithSameNameExists", 409, lambda: tenant.define(name))


def test_a_role_names_operations_that_there_are(tenant: Tenant) -> None:
    made_up = [{"actions": ["Microsoft.Nothing/things/read"]}]
    refusal("InvalidActionOrNotAction", 400, lambda: tenant.define(permissions=made_up))


def test_a_role_has_a_guid(tenant: Tenant) -> None:
    refusal("InvalidRoleDefinitionId", 400, lambda: tenant.define(number="mine"))


def test_a_role_says_where_it_may_be_assigned(tenant: Tenant) -> None:
    refusal("MissingRoleDefinitionProperty", 400, lambda: tenant.define(assignableScopes=[]))


def test_a_role_for_a_place_where_one_has_no_right_is_refused(tenant: Tenant) -> None:
    elsewhere = f"/subscriptions/{tenant.world.new_subscription()}"
    refusal("LinkedAuthorizationFailed", 403, lambda: tenant.define(assignableScopes=[tenant.scope, elsewhere]))


def test_a_role_is_assigned_only_where_it_may_be(tenant: Tenant) -> None:
    group = tenant.world.group()
    number = tenant.define(assignableScopes=[f"{tenant.scope}/resourceGroups/{group}"])
    refusal("RoleAssignmentScopeNotAssignableToRoleDefinition", 400, lambda: tenant.assign(number))
    tenant.assign(number, scope=f"{tenant.scope}/resourceGroups/{group}")


def test_a_role_that_is_assigned_cannot_be_deleted(tenant: Tenant) -> None:
    number = tenant.define()
    assigned = tenant.assign(number)
    path = f"{tenant.scope}/providers/Microsoft.Authorization/roleDefinitions/{number}?{API}"
    refusal("RoleDefinitionHasAssignments", 400, lambda: tenant.world.send("DELETE", path, credential=tenant.owner))
    tenant.world.send("DELETE", f"{assigned}?{API}", credential=tenant.owner)
    tenant.world.send("DELETE", path, credential=tenant.owner)
    assert tenant.world.send("DELETE", path, credential=tenant.owner).status_code == 204


def test_who_may_give_roles_under_a_condition_gives_and_takes_no_other(tenant: Tenant) -> None:
    tenant.assign(GIVER, condition=ONLY_PULL, conditionVersion="2.0")
    somebody = str(uuid.uuid4())
    given = tenant.assign(PULL, somebody, tenant.guest)
    for role in (PUSH, READER, GIVER):
        refusal("AuthorizationFailed", 403, lambda role=role: tenant.assign(role, somebody, tenant.guest))
    others = tenant.assign(READER, somebody)
    refusal("AuthorizationFailed", 403, lambda: tenant.world.send("DELETE", f"{others}?{API}", None, tenant.guest))
    tenant.world.send("DELETE", f"{given}?{API}", None, tenant.guest)


def test_a_condition_is_checked_when_it_is_set(tenant: Tenant) -> None:
    refusal("InvalidConditionVersion", 400, lambda: tenant.assign(GIVER, condition=ONLY_PULL))
    broken = {"condition": "((!(ActionMatches{'x'}))", "conditionVersion": "2.0"}
    refusal("InvalidCondition", 400, lambda: tenant.assign(GIVER, **broken))


def test_data_actions_open_a_vaults_secrets(own: World) -> None:
    scope = f"/subscriptions/{seeds.SUBSCRIPTIONS[0]['id']}"
    made = own.control("applications", client_secret="secret")
    owner = own.control("applications", client_secret="secret")
    own.control("rights", client_id=owner["client_id"], subscription=scope.split("/")[-1], actions=["*"])
    own.use(scope.split("/")[-1])
    number = str(uuid.uuid4())
    permission = {"dataActions": ["Microsoft.KeyVault/vaults/secrets/setSecret/action"]}
    body = {"roleName": f"Setter {number}", "permissions": [permission], "assignableScopes": [scope]}
    signed_in = own.credential(client=owner["client_id"], secret="secret")
    roles = f"{scope}/providers/Microsoft.Authorization"
    own.send("PUT", f"{roles}/roleDefinitions/{number}?{API}", {"properties": body}, signed_in)
    properties = {"roleDefinitionId": f"{roles}/roleDefinitions/{number}", "principalId": made["object_id"]}
    own.send("PUT", f"{roles}/roleAssignments/{uuid.uuid4()}?{API}", {"properties": properties}, signed_in)
    client = own.secrets(own.credential(client=made["client_id"], secret="secret"))
    for _ in range(200):
        try:
            client.set_secret("by-role", "x")
            break
        except Exception as error:
            assert "ForbiddenByRbac" in str(error)
    refusal("Forbidden", 403, lambda: client.get_secret("by-role"))


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        (ONLY_PULL, True),
        ("!(ActionMatches{'a/write'})", False),
        ("ActionMatches{'a/*'}", True),
        ("ActionMatches{'b'} OR ActionMatches{'a/write'} AND !ActionMatches{'b'}", True),
        ("@Request[x:Kind] StringEqualsIgnoreCase 'user'", True),
        ("@Request[x:Kind] StringNotEquals 'user'", False),
    ],
)
def test_conditions_are_read_as_azure_reads_them(text: str, holds: bool) -> None:
    assert parse(text)(Asked("a/write", {"@Request[x:Kind]": "User"})) is holds


@pytest.mark.parametrize("text", ["(", "@Request[x:Kind]", "ActionMatches{'a'} nonsense", "@Request[x:Kind] Guid"])
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(ConditionError):
        parse(text)
