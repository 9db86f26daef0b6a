"""What a test can set: `/_sandbox/azure/…`, plain JSON, no sign-in."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.azure import network, providers, registries, throttling, tokens, vault_end
from sandbox.azure.due import settle
from sandbox.azure.regions import normalise
from sandbox.azure.store import GROUP_TYPE, Store, group_id
from sandbox.core import Core

Json = dict[str, Any]
Setter = Callable[[Store, Json], Any]


def routes(core: Core) -> list[BaseRoute]:
    base = "/_sandbox/azure"

    async def resources(_request: Request) -> Response:
        return JSONResponse(live(core))

    async def requests(_request: Request) -> Response:
        return JSONResponse(throttling.of(core).counts)

    listed: list[BaseRoute] = [
        Route(f"{base}/resources", resources, methods=["GET"]),
        Route(f"{base}/requests", requests, methods=["GET"]),
    ]
    return listed + [
        Route(f"{base}/{name}", _endpoint(core, setter), methods=["POST"]) for name, setter in SETTERS.items()
    ]


def _endpoint(core: Core, setter: Setter) -> Any:
    async def endpoint(request: Request) -> Response:
        raw = await request.body()
        body = await request.json() if raw else {}
        settle(core)
        try:
            return JSONResponse(setter(Store(core), body) or {"ok": True}, 201)
        except (KeyError, ValueError, TypeError) as error:
            return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 400)

    return endpoint


def live(core: Core) -> list[Json]:
    """Every live ARM resource, groups, role assignments, soft-deleted vaults and public addresses included."""
    settle(core)
    store = Store(core)
    records = store.under("/subscriptions/")
    bodies = [record["body"] for record in records]
    for record in records:
        if record["body"]["type"].lower() == network.CLUSTERS.lower():
            bodies += network.addresses_of(store, record)
    bodies += [entry["body"] for _, entry in core.state.bucket("azure.role_assignments").items()]
    bodies += [entry["body"] for _, entry in vault_end.deleted(store).items()]
    return [_summary(body) for body in bodies]


def _summary(body: Json) -> Json:
    properties = body.get("properties") or {}
    return {
        "id": body["id"],
        "type": body["type"],
        "name": body["name"],
        "location": body.get("location") or properties.get("location"),
        "tags": body.get("tags") or properties.get("tags") or {},
        "managedBy": body.get("managedBy"),
        "state": properties.get("provisioningState"),
    }


def _rights(store: Store, body: Json) -> None:
    granted = {"roles": [_role(role) for role in body.get("roles", [body])]}
    store.core.state.bucket("azure.rights").put(f"{body['client_id'].lower()}|{body['subscription'].lower()}", granted)


def _role(body: Json) -> Json:
    return {"actions": list(body["actions"]), "not_actions": list(body.get("not_actions", []))}


def _vault_rights(store: Store, body: Json) -> None:
    key = f"{body['vault'].lower()}|{body['client_id'].lower()}"
    store.core.state.bucket("azure.vault_rights").put(key, {"verbs": list(body["verbs"])})


def _applications(store: Store, body: Json) -> Json:
    client_id = str(body.get("client_id") or uuid.uuid4()).lower()
    store.core.state.bucket("azure.applications").put(client_id, {"secret": body["client_secret"]})
    return {"client_id": client_id, "object_id": tokens.object_id(client_id)}


def _federations(store: Store, body: Json) -> None:
    key = f"{body['client_id'].lower()}|{body['issuer']}|{body['subject']}"
    store.core.state.bucket("azure.federations").put(key, {"ok": True})


def _subscriptions(store: Store, body: Json) -> None:
    bucket, key = store.core.state.bucket("azure.subscriptions"), body["id"].lower()
    defaults = {} if key in store.subscriptions() else {"name": body["id"], "kind": "PayAsYouGo", "cores": 100}
    bucket.put(key, defaults | (bucket.get(key) or {}) | body)


def _quota(store: Store, body: Json) -> None:
    region = body.get("region", "*")
    key = f"{body['subscription'].lower()}|{region if region == '*' else normalise(region)}|{body['name'].lower()}"
    store.core.state.bucket("azure.quota").put(key, {"limit": int(body["limit"])})


def _capacity(store: Store, body: Json) -> None:
    """`available` false: this size is out of stock in this region."""
    bucket, key = store.core.state.bucket("azure.capacity"), f"{normalise(body['region'])}|{body['size'].lower()}"
    if body.get("available", False):
        bucket.delete(key)
    else:
        bucket.put(key, {"out": True})


def _providers(store: Store, body: Json) -> None:
    namespace = providers.NAMES[body["namespace"].lower()]
    store.unschedule(kind="provider.registered", subscription=body["subscription"].lower(), namespace=namespace)
    providers.set_state(store, body["subscription"], namespace, body["state"])


def _policies(store: Store, body: Json) -> None:
    """A deny policy; `{"subscription", "clear": true}` takes all of the subscription's away.

    It is about `types`, or about everything: about what is outside `allowed_locations`, has a size that is none of
    `allowed_sizes`, or lacks `required_tag`.
    """
    bucket, prefix = store.core.state.bucket("azure.policies"), f"{body['subscription'].lower()}|"
    if body.get("clear"):
        for key in bucket.keys(prefix):
            bucket.delete(key)
        return
    bucket.put(prefix + body["name"], body)


def _outcomes(store: Store, body: Json) -> None:
    """How the next cluster operation ends; `{"clear": true}` forgets what has not struck yet."""
    bucket = store.core.state.bucket("azure.outcomes")
    if body.get("clear"):
        for key, _ in bucket.items():
            bucket.delete(key)
        return
    bucket.put(f"{store.core.clock.now():018.6f}", body)


def _limits(store: Store, body: Json) -> None:
    """Requests that ARM takes: `{"subscription", "reads": {"size", "rate"}, "writes": …, "deletes": …}`; none: any."""
    kinds = {kind: body[kind] for kind in ("reads", "writes", "deletes") if kind in body}
    throttling.of(store.core).set(body["subscription"].lower(), kinds)


def _dns(store: Store, body: Json) -> None:
    store.core.state.bucket("azure.dns").put(f"{normalise(body['region'])}|{body['label']}", {"taken": True})


def _registry_names(store: Store, body: Json) -> None:
    """A registry's name that somebody elsewhere in Azure has; `taken` false gives it free."""
    name = str(body["name"]).lower()
    if body.get("taken", True):
        registries.names_of_strangers(store).put(name, {"taken": True})
    else:
        registries.names_of_strangers(store).delete(name)


def _expire_tokens(store: Store, _body: Json) -> None:
    tokens.expire_all(store.core)


def _forget_operations(store: Store, _body: Json) -> None:
    """Polling any operation begun so far answers 404 from now on."""
    for name, _ in store.operations.items():
        store.operations.delete(name)


def _leftover(store: Store, body: Json) -> Json:
    """Plants a resource that nobody asked for, with its group when that is missing."""
    subscription, group = body["subscription"], body.get("group", "leftovers")
    region, tags = normalise(body.get("region", "uksouth")), body.get("tags", {})
    if store.group(subscription, group) is None:
        made = {"id": group_id(subscription, group), "name": group, "type": GROUP_TYPE, "location": region, "tags": {}}
        store.put({"body": made | {"properties": {"provisioningState": "Succeeded"}}, "private": {}})
    kind, name = body.get("type", "Microsoft.Network/publicIPAddresses"), body.get("name", "leftover")
    resource = {
        "id": f"{group_id(subscription, group)}/providers/{kind}/{name}",
        "name": name,
        "type": kind,
        "location": region,
        "tags": tags,
        "properties": {"provisioningState": "Succeeded"},
    }
    store.put({"body": resource, "private": {}})
    return {"id": resource["id"]}


SETTERS: dict[str, Setter] = {
    "rights": _rights,
    "vault-rights": _vault_rights,
    "applications": _applications,
    "federations": _federations,
    "subscriptions": _subscriptions,
    "quota": _quota,
    "capacity": _capacity,
    "providers": _providers,
    "policies": _policies,
    "outcomes": _outcomes,
    "limits": _limits,
    "dns": _dns,
    "registry-names": _registry_names,
    "expire-tokens": _expire_tokens,
    "forget-operations": _forget_operations,
    "leftover": _leftover,
}
