"""What a prepared subscription consists of: each part can be looked at, made, or told as a command to others."""

from __future__ import annotations

import json
import shlex
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cloud.azure import groups, rights, role_assignments, role_definitions, vaults
from cloud.azure.session import AzureSession
from cloud.errors import InvalidRequest, Unavailable
from deployments.roles import Role

#: A new vault's name must become known to the world first (seconds).
VAULT_PATIENCE, GLANCE = 180.0, 1.0
CONDITION_FILE = "only-acr-pull.txt"


class Standing(StrEnum):
    THERE = "there already"
    ABSENT = "missing"
    DIFFERENT = "different"
    COMING = "on its way"


@dataclass(frozen=True)
class Wanted:
    """What the operator asked for. Principals are object ids of service principals or managed identities."""

    tenant: str
    subscriptions: tuple[str, ...]
    web: str
    worker: str
    vault: str
    vault_group: str
    region: str
    purge_protection: bool = False

    @property
    def home(self) -> str:
        """The subscription of the portal's own vault: the first."""
        return self.subscriptions[0]

    @property
    def vault_id(self) -> str:
        group = f"/subscriptions/{self.home}/resourceGroups/{self.vault_group}"
        return f"{group}/providers/Microsoft.KeyVault/vaults/{self.vault}"


class Part(ABC):
    """One thing that must be so."""

    title: str

    @abstractmethod
    def standing(self, az: AzureSession) -> Standing:
        """How it is now."""

    @abstractmethod
    def make(self, az: AzureSession) -> None:
        """Makes it so."""

    @abstractmethod
    def command(self) -> str:
        """The same for somebody who has the Azure CLI."""

    def files(self) -> dict[str, str]:
        """Files that the command reads, by name."""
        return {}


class Provider(Part):
    def __init__(self, subscription: str, namespace: str) -> None:
        self.subscription, self.namespace = subscription, namespace
        self.title = f"{namespace} is switched on in {subscription}"

    def standing(self, az: AzureSession) -> Standing:
        state = rights.provider_states(az, self.subscription, [self.namespace])[self.namespace]
        known = {"Registered": Standing.THERE, "Registering": Standing.COMING}
        return known.get(state, Standing.ABSENT)

    def make(self, az: AzureSession) -> None:
        rights.register_provider(az, self.subscription, self.namespace)

    def command(self) -> str:
        return _az("provider register", namespace=self.namespace, subscription=self.subscription)


class Group(Part):
    def __init__(self, wanted: Wanted) -> None:
        self.wanted, self.title = wanted, f"Resource group {wanted.vault_group} for the portal's own vault"

    def standing(self, az: AzureSession) -> Standing:
        found = groups.get_group(az, self.wanted.home, self.wanted.vault_group)
        return Standing.THERE if found else Standing.ABSENT

    def make(self, az: AzureSession) -> None:
        groups.create_group(az, self.wanted.home, self.wanted.vault_group, self.wanted.region, {})

    def command(self) -> str:
        place = {"name": self.wanted.vault_group, "location": self.wanted.region}
        return _az("group create", **place, subscription=self.wanted.home)


class PortalVault(Part):
    """Rights by roles, so that web and worker can have different ones."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted, self.title = wanted, f"Key vault {wanted.vault} for the hubs' secrets"

    def standing(self, az: AzureSession) -> Standing:
        found = vaults.get_vault(az, self.wanted.vault_id)
        if found is None:
            return Standing.ABSENT
        if not found.by_roles or (self.wanted.purge_protection and not found.purge_protection):
            return Standing.DIFFERENT
        return Standing.THERE if found.state == "Succeeded" else Standing.COMING

    def make(self, az: AzureSession) -> None:
        if vaults.get_vault(az, self.wanted.vault_id) is not None:
            raise InvalidRequest(
                f"The vault {self.wanted.vault} is there, but does not take its rights from roles, or lacks the purge"
                " protection that you want.",
                "Change that in the Azure portal (its other users lose access policies), or name another vault.",
            )
        protected = self.wanted.purge_protection
        vaults.create_vault(
            az, self.wanted.vault_id, self.wanted.region, self.wanted.tenant, purge_protection=protected
        )
        until = time.monotonic() + VAULT_PATIENCE
        while self.standing(az) is not Standing.THERE:
            if time.monotonic() > until:
                raise Unavailable(f"Azure is still making the vault {self.wanted.vault}.", "Run this again in a while.")
            time.sleep(GLANCE)

    def command(self) -> str:
        place = {"name": self.wanted.vault, "resource-group": self.wanted.vault_group, "location": self.wanted.region}
        more = {"enable-rbac-authorization": "true", "retention-days": str(vaults.RETENTION_DAYS)}
        more |= {"enable-purge-protection": "true"} if self.wanted.purge_protection else {}
        return _az("keyvault create", **place, **more, subscription=self.wanted.home)


class Definition(Part):
    def __init__(self, wanted: Wanted, role: Role, scopes: tuple[str, ...]) -> None:
        self.wanted, self.role = wanted, role
        self.definition = role.definition(wanted.tenant, wanted.vault, scopes)
        self.title = f"Role “{self.definition.name}”: {role.description}"

    def standing(self, az: AzureSession) -> Standing:
        found = role_definitions.find_definition(az, self.wanted.home, self.definition.name)
        if found is None:
            return Standing.ABSENT
        return Standing.THERE if found.says_the_same(self.definition) else Standing.DIFFERENT

    def make(self, az: AzureSession) -> None:
        """One that somebody made with the command has an id of its own: it is changed, not made again."""
        found = role_definitions.find_definition(az, self.wanted.home, self.definition.name)
        number = found.number if found else self.definition.number
        parts = self.definition
        role = role_definitions.RoleDefinition(
            number, parts.name, parts.description, parts.scopes, parts.actions, parts.data_actions
        )
        role_definitions.put_definition(az, self.wanted.home, role)

    def command(self) -> str:
        return _az("role definition create", **{"role-definition": self._file})

    def files(self) -> dict[str, str]:
        parts = self.definition
        content = {
            "Name": parts.name,
            "IsCustom": True,
            "Description": parts.description,
            "Actions": list(parts.actions),
            "NotActions": [],
            "DataActions": list(parts.data_actions),
            "NotDataActions": [],
            "AssignableScopes": list(parts.scopes),
        }
        return {self._file: json.dumps(content, indent=2) + "\n"}

    @property
    def _file(self) -> str:
        return f"slipway-{self.role.key.replace(' ', '-')}.json"


class Given(Part):
    """A role of ours given to one of the portal's identities at one place."""

    def __init__(self, wanted: Wanted, role: Role, principal: str, scope: str) -> None:
        self.wanted, self.role, self.principal, self.scope = wanted, role, principal, scope
        self.name = role.name(wanted.vault)
        self.title = f"“{self.name}” is given to {principal} at {scope}"

    def standing(self, az: AzureSession) -> Standing:
        found = self._found(az)
        if found is None:
            return Standing.ABSENT
        same = "".join(found.condition.split()) == "".join(self.role.condition.split())
        return Standing.THERE if same else Standing.DIFFERENT

    def make(self, az: AzureSession) -> None:
        role, found = role_definitions.find_definition(az, self.wanted.home, self.name), self._found(az)
        if role is None:
            raise Unavailable(f"Azure does not know the role {self.name} yet.", "Run this again in a minute.")
        number = found.id if found else ""
        condition = self.role.condition
        role_assignments.assign_role(
            az, self._subscription, self.scope, role.number, self.principal, condition=condition, number=number
        )

    def _found(self, az: AzureSession) -> role_assignments.Assignment | None:
        role = role_definitions.find_definition(az, self.wanted.home, self.name)
        if role is None:
            return None
        if self.scope.lower() == self.wanted.vault_id.lower() and vaults.get_vault(az, self.scope) is None:
            return None
        return role_assignments.find_assignment(az, self._subscription, self.scope, role.number, self.principal)

    @property
    def _subscription(self) -> str:
        return self.scope.split("/")[2]

    def command(self) -> str:
        who = {"assignee-object-id": self.principal, "assignee-principal-type": "ServicePrincipal"}
        text = _az("role assignment create", **who, role=self.name, scope=self.scope)
        bound = f' --condition-version 2.0 --condition "$(cat {CONDITION_FILE})"'
        return text + (bound if self.role.condition else "")

    def files(self) -> dict[str, str]:
        return {CONDITION_FILE: self.role.condition + "\n"} if self.role.condition else {}


def _az(what: str, **options: Any) -> str:
    told = " ".join(f"--{name} {shlex.quote(value)}" for name, value in options.items())
    return f"az {what} {told}"
