"""A registry's scope maps and tokens: who may do what with its repositories, without being anybody in the directory."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Any

from starlette.responses import Response

from sandbox.azure import operations, registries
from sandbox.azure.call import Call, empty, ok
from sandbox.azure.due import transition
from sandbox.azure.errors import AzureError, resource_not_found
from sandbox.azure.store import Store

TOKEN_TYPE, MAP_TYPE = f"{registries.TYPE}/tokens", f"{registries.TYPE}/scopeMaps"
NAME = re.compile(r"[a-zA-Z0-9-]{5,50}")
CREATING, GENERATING = 5, 3  # seconds
PASSWORDS = ("password1", "password2")
READ, WRITE = ("content/read",), ("content/read", "content/write")
METADATA = ("metadata/read", "metadata/write")
ALL = (*WRITE, "content/delete", *METADATA)
#: Every registry has these, and they cannot be changed.
SYSTEM_MAPS = {
    "_repositories_admin": ("Can perform all read, write and delete operations on the registry", ALL),
    "_repositories_pull": ("Can pull any repository of the registry", READ),
    "_repositories_pull_metadata_read": ("Can perform all read operations on the registry", READ + METADATA[:1]),
    "_repositories_push": ("Can push to any repository of the registry", WRITE),
    "_repositories_push_metadata_write": ("Can perform all read and write operations", WRITE + METADATA),
}
#: What a scope map's action means to the registry's own protocol.
VERBS = {"content/read": "pull", "content/write": "push", "content/delete": "delete"}


def tokens(store: Store) -> Any:
    """`<registry>|<token>`, both in small letters, → {body, hashes}."""
    return store.core.state.bucket("azure.registry_tokens")


def opens(store: Store, registry: str, username: str, password: str) -> bool:
    """Whether the token `username` is enabled and has this password."""
    entry = tokens(store).get(f"{registry.lower()}|{username.lower()}")
    if entry is None or entry["body"]["properties"]["status"] != "enabled":
        return False
    return _hashed(password) in entry["hashes"].values()


def verbs(store: Store, registry: str, username: str) -> set[str]:
    """What the token may do in any repository."""
    entry = tokens(store).get(f"{registry.lower()}|{username.lower()}")
    name = entry["body"]["properties"]["scopeMapId"].rsplit("/", 1)[-1] if entry else ""
    return {VERBS[action] for action in SYSTEM_MAPS[name][1] if action in VERBS} if name else set()


def _hashed(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


def _map(call: Call, name: str) -> dict[str, Any]:
    description, actions = SYSTEM_MAPS[name]
    return {
        "id": f"{registries.id_of(call)}/scopeMaps/{name}",
        "name": name,
        "type": MAP_TYPE,
        "properties": {
            "description": description,
            "type": "SystemDefined",
            "creationDate": registries.require(call)["body"]["properties"]["creationDate"],
            "provisioningState": "Succeeded",
            "actions": [f"repositories/*/{action}" for action in actions],
        },
    }


def maps(call: Call) -> Response:
    registries.require(call)
    return ok({"value": [_map(call, name) for name in SYSTEM_MAPS]})


def get_map(call: Call) -> Response:
    registries.require(call)
    if call.params["child"] not in SYSTEM_MAPS:
        raise _missing(call, MAP_TYPE)
    return ok(_map(call, call.params["child"]))


def _missing(call: Call, kind: str) -> AzureError:
    return resource_not_found(kind, f"{call.params['name']}/{call.params['child']}", call.params["group"])


def _key(call: Call) -> str:
    return f"{call.params['name']}|{call.params['child']}".lower()


def put(call: Call) -> Response:
    record, name = registries.require(call), call.params["child"]
    asked = call.json().get("properties") or {}
    if not NAME.fullmatch(name):
        raise AzureError(400, "InvalidTokenName", f"The token name '{name}' must have 5 to 50 letters, digits or '-'.")
    if record["body"]["properties"]["provisioningState"] != "Succeeded":
        message = f"The registry {call.params['name']} is not in a state that allows this operation."
        raise AzureError(409, "RegistryNotReady", message)
    _check_map(record["body"]["id"], str(asked.get("scopeMapId") or ""))
    old = tokens(call.store).get(_key(call))
    properties = {
        "creationDate": call.core.clock.iso(),
        "provisioningState": "Creating",
        "credentials": {"certificates": [], "passwords": []},
    }
    if old:
        properties = old["body"]["properties"]
    properties = properties | {"scopeMapId": asked["scopeMapId"], "status": asked.get("status") or "enabled"}
    body = {"id": f"{record['body']['id']}/tokens/{name}", "name": name, "type": TOKEN_TYPE, "properties": properties}
    tokens(call.store).put(_key(call), {"body": body, "hashes": (old or {}).get("hashes", {})})
    if old:
        return ok(body)
    operation = call.store.begin(call.params["subscription"], registries.NAMESPACE, record["body"]["location"])
    call.store.schedule("registry.token", CREATING, token=_key(call), operation=operation)
    return ok(body, 201, operations.headers(call.store, operation))


def _check_map(registry: str, wanted: str) -> None:
    prefix, _, name = wanted.rpartition("/scopeMaps/")
    if prefix.lower() != registry.lower() or name not in SYSTEM_MAPS:
        raise AzureError(400, "ScopeMapNotFound", f"The scope map '{wanted}' could not be found.")


@transition("registry.token")
def _ready(store: Store, item: dict[str, Any]) -> None:
    entry = tokens(store).get(item["token"])
    if entry is not None:
        body = entry["body"]
        properties = body["properties"] | {"provisioningState": "Succeeded"}
        tokens(store).put(item["token"], entry | {"body": body | {"properties": properties}})
    store.finish(item["operation"], "Succeeded" if entry else "Canceled")


def _require(call: Call) -> dict[str, Any]:
    registries.require(call)
    entry: dict[str, Any] | None = tokens(call.store).get(_key(call))
    if entry is None:
        raise _missing(call, TOKEN_TYPE)
    return entry


def get(call: Call) -> Response:
    return ok(_require(call)["body"])


def listing(call: Call) -> Response:
    registries.require(call)
    found = tokens(call.store).items(f"{call.params['name'].lower()}|")
    return ok({"value": [entry["body"] for _, entry in found]})


def delete(call: Call) -> Response:
    registries.require(call)
    return empty(200 if tokens(call.store).delete(_key(call)) else 204)


def generate(call: Call) -> Response:
    """New passwords, told once: when the operation that its Location names is over."""
    record, asked = registries.require(call), call.json()
    prefix, _, name = str(asked.get("tokenId") or "").rpartition("/tokens/")
    key = f"{call.params['name']}|{name}".lower()
    entry = tokens(call.store).get(key)
    if entry is None or prefix.lower() != record["body"]["id"].lower():
        raise AzureError(404, "TokenNotFound", f"The token '{asked.get('tokenId')}' could not be found.")
    if entry["body"]["properties"]["provisioningState"] != "Succeeded":
        message = f"The token '{name}' is not active. Wait until its provisioning has succeeded."
        raise AzureError(409, "TokenNotActive", message)
    if asked.get("name") not in (None, *PASSWORDS):
        raise AzureError(400, "InvalidPasswordName", f"The password's name must be one of {', '.join(PASSWORDS)}.")
    made = {each: secrets.token_urlsafe(39) for each in ([asked["name"]] if asked.get("name") else PASSWORDS)}
    operation = call.store.begin(call.params["subscription"], registries.NAMESPACE, record["body"]["location"])
    call.store.schedule("registry.passwords", GENERATING, token=key, passwords=made, operation=operation)
    return empty(202, {"location": operations.result_address(call.store, operation, call.api_version)})


@transition("registry.passwords")
def _generated(store: Store, item: dict[str, Any]) -> None:
    entry = tokens(store).get(item["token"])
    if entry is None:
        store.finish(item["operation"], "Canceled")
        return
    body, now = entry["body"], store.core.clock.iso()
    hashes = entry["hashes"] | {name: _hashed(value) for name, value in item["passwords"].items()}
    shown = [{"name": name, "creationTime": now} for name in sorted(hashes)]
    properties = body["properties"] | {"credentials": {"certificates": [], "passwords": shown}}
    tokens(store).put(item["token"], {"body": body | {"properties": properties}, "hashes": hashes})
    told = [{"name": name, "creationTime": now, "value": value} for name, value in item["passwords"].items()]
    store.finish(item["operation"], "Succeeded", result={"username": body["name"], "passwords": told})
