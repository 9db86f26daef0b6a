"""Long-running operations: their signed addresses, and what polling them answers."""

from __future__ import annotations

import hmac
from urllib.parse import parse_qsl, urlencode

from starlette.responses import Response

from sandbox.azure import tokens
from sandbox.azure.call import Call, empty, ok
from sandbox.azure.errors import AzureError
from sandbox.azure.store import FILLER, Store


def status_address(store: Store, operation: str) -> str:
    """What `Azure-AsyncOperation` carries."""
    return _address(store, operation, "operations", "2016-03-30")


def result_address(store: Store, operation: str, api_version: str = "2016-03-30") -> str:
    """What `Location` carries."""
    return _address(store, operation, "operationresults", api_version)


def _address(store: Store, operation: str, kind: str, api_version: str) -> str:
    entry = store.operations.get(operation) or {}
    base = f"/subscriptions/{entry['subscription']}"
    if entry["namespace"] == "Microsoft.Resources":
        path = f"{base}/operationresults/{operation}"
    else:
        path = f"{base}/providers/{entry['namespace']}/locations/{entry['location']}/{kind}/{operation}"
    query = {"api-version": api_version, "t": "638000000000000000", "c": FILLER, "s": _signature(store, operation)}
    return f"{store.core.config.origin}{path}?{urlencode(query)}"


def _signature(store: Store, operation: str) -> str:
    return tokens.sign(store.core, f"operation:{operation}{FILLER}")


def headers(store: Store, operation: str, *, location: bool = False) -> dict[str, str]:
    """The two headers of an accepted operation; AKS sends no Retry-After."""
    found = {"azure-asyncoperation": status_address(store, operation)}
    return found | ({"location": result_address(store, operation)} if location else {})


def _require(call: Call) -> dict[str, object]:
    name = call.params["operation"]
    entry = call.store.operations.get(name)
    if entry is None or entry["subscription"].lower() != call.subscription:
        raise AzureError(404, "NotFound", f"The entity was not found: operation '{name}'.")
    given = dict(parse_qsl("&".join(f"{key}={value}" for key, value in call.query.items())))
    if not hmac.compare_digest(call.query.get("s", ""), _signature(call.store, name)) or given.get("c") != FILLER:
        raise AzureError(400, "InvalidOperationAddress", "The signature of the operation's address does not fit.")
    return entry


def status(call: Call) -> Response:
    """The body of an `Azure-AsyncOperation`."""
    entry = _require(call)
    return ok({key: entry[key] for key in ("name", "status", "startTime", "endTime", "error") if key in entry})


def result(call: Call) -> Response:
    """What a `Location` answers: 202 until done, then 200 or the error."""
    entry = _require(call)
    if entry["status"] == "InProgress":
        address = result_address(call.store, call.params["operation"], call.api_version)
        return empty(202, {"location": address})
    if entry["status"] == "Failed" and isinstance(entry.get("error"), dict):
        return ok({"error": entry["error"]}, 409)
    return ok(entry["result"]) if "result" in entry else empty(200)
