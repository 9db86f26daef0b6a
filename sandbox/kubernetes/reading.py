"""GET of one object or of lists, with selectors and pages."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

from starlette.datastructures import QueryParams

from sandbox.kubernetes import errors
from sandbox.kubernetes.kinds import EVENTS_V1, Kind
from sandbox.kubernetes.selectors import fields_test, labels_test
from sandbox.kubernetes.store import Body, Store

Test = Callable[[Body], bool]
#: Field selectors that each kind takes beyond metadata.name and metadata.namespace.
_FIELDS = {
    "pods": {"spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "status.phase",
             "status.podIP", "status.nominatedNodeName", "spec.hostNetwork"},
    "events": {"involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
               "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
               "reportingComponent", "source", "type"},
    "secrets": {"type"},
    "namespaces": {"status.phase"},
    "nodes": {"spec.unschedulable"},
    "replicasets": {"status.replicas"},
    "jobs": {"status.successful"},
    "services": {"spec.clusterIP", "spec.type"},
}  # fmt: skip


def shown(kind: Kind, body: Body) -> Body:
    """The object as it is served: kind and version first, events in the group that was asked for."""
    head = {"kind": kind.kind, "apiVersion": kind.api_version}
    if kind is EVENTS_V1:
        return head | _event_v1(body)
    return head | body | head


def _event_v1(body: Body) -> Body:
    renamed = {"involvedObject": "regarding", "message": "note", "source": "deprecatedSource",
               "count": "deprecatedCount",
               "firstTimestamp": "deprecatedFirstTimestamp", "lastTimestamp": "deprecatedLastTimestamp"}  # fmt: skip
    return {renamed.get(key, key): value for key, value in body.items() if key not in ("kind", "apiVersion")}


def selecting(kind: Kind, query: QueryParams) -> Test:
    """The test that labelSelector and fieldSelector of a query make."""
    by_label = labels_test(query.get("labelSelector", ""))
    text = query.get("fieldSelector", "")
    _check_fields(kind, text)
    by_field = fields_test(text)
    return lambda body: by_label(body["metadata"].get("labels") or {}) and by_field(body)


def _check_fields(kind: Kind, text: str) -> None:
    known = {"metadata.name", "metadata.namespace"} | _FIELDS.get(kind.resource, set())
    for part in filter(None, text.split(",")):
        label = part.replace("!=", "=").split("=")[0].strip()
        if label not in known:
            raise errors.bad_request(
                f'Unable to find "{kind.api_version}, Resource={kind.resource}" that match label'
                f' selector "", field selector "{text}": field label not supported: {label}'
            )


def page(store: Store, kind: Kind, namespace: str | None, query: QueryParams) -> Body:
    """A List, cut by `limit` and taken up again by `continue`."""
    test = selecting(kind, query)
    found = [body for body in store.list(kind.resource, namespace) if test(body)]
    meta: Body = {"resourceVersion": str(store.version)}
    start = _position(query.get("continue", ""))
    limit = int(query.get("limit") or 0)
    if start:
        found = [body for body in found if _place(body) > start]
    if limit and len(found) > limit:
        meta |= {"continue": _token(_place(found[limit - 1])), "remainingItemCount": len(found) - limit}
        found = found[:limit]
    return {
        "kind": f"{kind.kind}List",
        "apiVersion": kind.api_version,
        "metadata": meta,
        "items": [_item(kind, body) for body in found],
    }


def _item(kind: Kind, body: Body) -> Body:
    full = shown(kind, body)
    return {key: value for key, value in full.items() if key not in ("kind", "apiVersion")}


def _place(body: Body) -> list[str]:
    return [body["metadata"].get("namespace", ""), body["metadata"]["name"]]


def _token(place: list[str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _position(token: str) -> list[str] | None:
    if not token:
        return None
    try:
        place: list[str] = json.loads(base64.urlsafe_b64decode(token))
    except ValueError:
        raise errors.bad_request("continue key is not valid: invalid value for continue") from None
    return place
