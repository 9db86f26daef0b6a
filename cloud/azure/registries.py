"""Azure's container registries: names, registries, and the token that a hub pushes with. Nothing here waits long."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cloud.azure.clusters import ABSENT_CODES
from cloud.azure.enums import word
from cloud.azure.session import AzureSession
from cloud.azure.translate import error_code, translated
from cloud.errors import NotYet

TYPE = "Microsoft.ContainerRegistry/registries"
#: Allows to pull and push any repository of the registry, and nothing else; every registry has it.
PUSH_MAP = "_repositories_push"
#: Each token has two passwords: while the hub uses one, the other can be made anew.
SLOTS = ("password1", "password2")
#: Between two looks at passwords being made (seconds). Azure takes one or two seconds for them.
GLANCE = 0.25


@dataclass(frozen=True, slots=True)
class NameAvailability:
    """Whether a registry may be called so; `reason` is Azure's word: Invalid or AlreadyExists."""

    available: bool
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Registry:
    """A registry as Azure sees it; `state` is ARM's provisioningState, `login_server` the host of its images."""

    id: str
    name: str
    region: str
    login_server: str
    state: str
    sku: str
    tags: dict[str, str] = field(default_factory=dict)


def name_available(az: AzureSession, subscription: str, name: str) -> NameAvailability:
    """Whether the name is well formed and free in all of Azure."""
    with translated(f"see whether the registry name {name} is free"):
        body: Any = {"name": name, "type": TYPE}
        found = az.registries(subscription).registries.check_name_availability(body)
        return NameAvailability(bool(found.name_available), found.reason or "", found.message or "")


def get_registry(az: AzureSession, subscription: str, group: str, name: str) -> Registry | None:
    """The registry, or None when Azure itself says that there is none."""
    from azure.core.exceptions import ResourceNotFoundError

    with translated(f"look at the container registry {name}"):
        try:
            return _registry(az.registries(subscription).registries.get(group, name))
        except ResourceNotFoundError as exc:
            _only_when_absent(exc)
            return None


def list_registries(az: AzureSession, subscription: str) -> list[Registry]:
    """Every registry of the subscription."""
    with translated("list the container registries"):
        return [_registry(each) for each in az.registries(subscription).registries.list()]


def create_registry(
    az: AzureSession, subscription: str, group: str, name: str, region: str, tags: Mapping[str, str], sku: str = "Basic"
) -> None:
    """Begin to make the registry, or set its tags; look first whose it is. A name taken elsewhere raises NameTaken."""
    with translated(f"create the container registry {name}"):
        body: Any = {
            "location": region,
            "tags": dict(tags),
            "sku": {"name": sku},
            # Tokens and roles are enough: the admin user's password would open everything.
            "properties": {"adminUserEnabled": False},
        }
        az.registries(subscription).registries.begin_create(group, name, body, polling=False)


def delete_registry(az: AzureSession, subscription: str, group: str, name: str) -> None:
    """Begin to delete the registry with all its images; already gone is fine."""
    from azure.core.exceptions import ResourceNotFoundError

    with translated(f"delete the container registry {name}"):
        try:
            az.registries(subscription).registries.begin_delete(group, name, polling=False)
        except ResourceNotFoundError as exc:
            _only_when_absent(exc)


def ensure_token(az: AzureSession, subscription: str, group: str, registry: str, token: str) -> bool:
    """Make the token that may push, unless it is there; True once it can be given a password."""
    from azure.core.exceptions import ResourceNotFoundError

    client = az.registries(subscription)
    with translated(f"make the token {token} of the registry {registry}"):
        scope_map = f"{client.registries.get(group, registry).id}/scopeMaps/{PUSH_MAP}"
        try:
            found = client.tokens.get(group, registry, token).properties
        except ResourceNotFoundError as exc:
            _only_when_absent(exc)
            found = None
        if found is None or found.scope_map_id != scope_map or word(found.status) != "enabled":
            body: Any = {"properties": {"scopeMapId": scope_map, "status": "enabled"}}
            client.tokens.begin_create(group, registry, token, body, polling=False)
            return False
        return word(found.provisioning_state) == "Succeeded"


def generate_password(
    az: AzureSession, subscription: str, group: str, registry: str, token: str, *, patience: float = 10.0
) -> str:
    """A new password for the token; the newest one before goes on working until the next is made.

    Azure tells it once, at the end of a short operation. After `patience` seconds raises NotYet: that password is lost
    and harms nobody, the next call makes another.
    """
    from cloud.azure.polling import StepPolling

    client, poller = az.registries(subscription), StepPolling()
    with translated(f"make a password for the registry {registry}"):
        registry_id = client.registries.get(group, registry).id
        slot = _free_slot(client.tokens.get(group, registry, token))
        body: Any = {"tokenId": f"{registry_id}/tokens/{token}", "name": slot}
        polling: Any = poller
        client.registries.begin_generate_credentials(group, registry, body, polling=polling)
        deadline = time.monotonic() + patience
        while _where(poller) not in {"succeeded", "failed", "canceled"}:
            if time.monotonic() > deadline:
                raise NotYet("Azure is still making the registry's password.", "It is tried again by itself.")
            time.sleep(GLANCE)
        return _told(poller.last_answer.json(), slot, registry)


def _where(poller: Any) -> str:
    """Azure's word for where the operation stands; NotYet when Azure has forgotten it."""
    from azure.core.exceptions import HttpResponseError

    try:
        return str(poller.look())
    except HttpResponseError as exc:
        if exc.status_code in {404, 410} and error_code(exc):
            raise NotYet("Azure has lost the registry's new password.", "Another is made.") from exc
        raise


def _free_slot(token: Any) -> str:
    """The slot that is empty, or else the one that was filled longer ago."""
    credentials = token.properties.credentials
    made = {each.name: each.creation_time for each in (credentials.passwords if credentials else None) or []}
    empty = [slot for slot in SLOTS if made.get(slot) is None]
    return empty[0] if empty else min(SLOTS, key=lambda slot: made[slot])


def _told(answer: Any, slot: str, registry: str) -> str:
    passwords = answer.get("passwords") if isinstance(answer, dict) else None
    found = [each.get("value") for each in passwords or [] if each.get("name") == slot]
    if not found or not found[0]:
        raise NotYet(f"Azure told no password for the registry {registry}.", "It is tried again by itself.")
    return str(found[0])


def _only_when_absent(exc: Exception) -> None:
    """Go on only when Azure itself says so: a proxy's 404 must not pass for "gone"."""
    if error_code(exc) not in ABSENT_CODES:
        raise exc


def _registry(found: Any) -> Registry:
    properties = found.properties
    return Registry(
        id=found.id or "",
        name=found.name or "",
        region=found.location or "",
        login_server=properties.login_server or "",
        state=word(properties.provisioning_state),
        sku=word(found.sku.name) if found.sku else "",
        tags=dict(found.tags or {}),
    )
