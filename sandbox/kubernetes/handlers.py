"""One request to one cluster's API, from its verb and address to the answer."""

from __future__ import annotations

import json
from typing import Any

import yaml
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from sandbox.kubernetes import apply, errors, patches, pod_logs, protobuf, reading, scale, schema, watching
from sandbox.kubernetes.address import Address
from sandbox.kubernetes.clusters import Cluster
from sandbox.kubernetes.store import Body

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"


def answer(body: Body, status: int = 200) -> Response:
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    return Response(text.encode() + b"\n", status, media_type="application/json")


async def handle(cluster: Cluster, request: Request, at: Address) -> Response:
    """Raises ApiError. The body is read before anything else, so that what follows is atomic."""
    raw = await request.body()
    return _Call(cluster, at, request.query_params, request.headers, raw).run(request.method)


class _Call:
    def __init__(self, cluster: Cluster, at: Address, query: QueryParams, headers: Any, raw: bytes) -> None:
        self.cluster, self.store, self.gate = cluster, cluster.store, cluster.gate
        self.at, self.kind, self.query, self.raw = at, at.kind, query, raw
        self.content_type = headers.get("content-type", "application/json").split(";")[0].strip()
        agent = headers.get("user-agent", "unknown").split("/")[0]
        self.manager = query.get("fieldManager") or agent
        self.dry_run = query.get("dryRun") == "All"
        self.strict = query.get("fieldValidation") == "Strict"

    def run(self, method: str) -> Response:
        if self.kind.create_only:
            return self._review()
        if self.at.subresource in ("log", "scale"):
            return self._special(method)
        verbs = {"GET": self._get, "HEAD": self._get, "POST": self._create, "PUT": self._replace,
                 "PATCH": self._patch, "DELETE": self._delete}  # fmt: skip
        return verbs[method]()

    def _special(self, method: str) -> Response:
        live = self._live()
        if self.at.subresource == "log":
            return pod_logs.respond(self.cluster.logs, live, self.query)
        if method == "GET":
            return answer(scale.shown(live))
        patch = self._object()
        changed = scale.changed(live, patch)
        return answer(scale.shown(self.gate.update(self.kind, live, changed, self.manager, self.dry_run)))

    def _live(self) -> Body:
        return self.store.require(self.kind, self.at.namespace, self.at.name)

    def _show(self, body: Body, status: int = 200) -> Response:
        return answer(reading.shown(self.kind, body), status)

    def _get(self) -> Response:
        watch = self.query.get("watch") in ("true", "1") or self.at.watch
        if self.at.name and not watch:
            return self._show(self._live())
        if watch:
            lines = watching.lines(self.store, self.kind, self.at.namespace, self._one_name())
            return StreamingResponse(lines, media_type="application/json")
        return answer(reading.page(self.store, self.kind, self.at.namespace, self.query))

    def _one_name(self) -> QueryParams:
        if not self.at.name:
            return self.query
        return QueryParams({**self.query, "fieldSelector": f"metadata.name={self.at.name}"})

    def _create(self) -> Response:
        if self.at.name:
            raise errors.method_not_allowed(self.kind, "create")
        body = self._object()
        self._check_kind(body)
        schema.check_write(self.kind, body, self.strict)
        made = self.gate.create(self.kind, self.at.namespace or "", body, self.manager, self.dry_run)
        return self._show(made, 201)

    def _object(self) -> Body:
        if self.content_type == "application/vnd.kubernetes.protobuf":
            return protobuf.decode(self.raw)
        try:
            body = json.loads(self.raw) if self.raw.lstrip()[:1] in (b"{", b"[") else yaml.safe_load(self.raw)
        except (ValueError, yaml.YAMLError) as error:
            raise errors.bad_request(f"the object provided is unrecognized (must be of type {self.kind.kind}):"
                                     f" couldn't get version/kind; json parse error: {error}") from None  # fmt: skip
        if not isinstance(body, dict):
            raise errors.bad_request("Request body is not an object")
        return body

    def _check_kind(self, body: Body) -> None:
        found = (body.get("apiVersion", self.kind.api_version), body.get("kind", self.kind.kind))
        if found != (self.kind.api_version, self.kind.kind):
            raise errors.bad_request(
                f'{found[1]} in version "{found[0]}" cannot be handled as a {self.kind.kind}: no kind'
                f' "{found[1]}" is registered for version "{found[0]}"'
            )

    def _replace(self) -> Response:
        live, body = self._live(), self._object()
        self._check_kind(body)
        schema.check_write(self.kind, body, self.strict)
        return self._show(self._updated(live, body))

    def _updated(self, live: Body, body: Body) -> Body:
        if self.at.subresource == "finalize":
            return self.gate.settle(self.kind, live | {"spec": body.get("spec") or {}})
        if self.at.subresource == "status":
            given = (body.get("metadata") or {}).get("resourceVersion")
            if given not in (None, "", live["metadata"]["resourceVersion"]):
                raise errors.conflict(self.kind, self.at.name)
            changed = live | {"status": body.get("status") or {}}
            return changed if self.dry_run else self.gate.settle(self.kind, changed)
        return self.gate.update(self.kind, live, body, self.manager, self.dry_run)

    def _patch(self) -> Response:
        if self.content_type == APPLY:
            return self._apply()
        live = self._live()
        patched = self._patched(live)
        schema.check_write(self.kind, patched, self.strict)
        return self._show(self._updated(live, patched))

    def _patched(self, live: Body) -> Body:
        try:
            patch = json.loads(self.raw)
        except ValueError as error:
            raise errors.bad_request(f"error decoding patch: {error}") from None
        if self.content_type == JSON_PATCH:
            return patches.json_patch(live, patch)
        if self.content_type == MERGE:
            merged: Body = patches.merge_patch(live, patch)
            return merged
        if self.content_type == STRATEGIC:
            strategic: Body = patches.strategic_merge(schema.root(self.kind), live, patch)
            return strategic
        allowed = ", ".join((JSON_PATCH, MERGE, STRATEGIC, APPLY))
        raise errors.unsupported_media_type(self.content_type, self.kind, allowed)

    def _apply(self) -> Response:
        if not self.query.get("fieldManager"):
            raise errors.ApiError(
                422,
                "Invalid",
                'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
                {"group": "meta.k8s.io", "kind": "PatchOptions"},
            )
        body = apply.without_nulls(self._object())
        self._check_applied(body)
        live = self.store.get(self.kind.resource, self.at.namespace, self.at.name)
        schema.check_apply(self.kind, body, self.at.namespace or "", self.at.name)
        force = self.query.get("force") == "true"
        result = apply.apply(self.kind, live, body, self.manager, self.cluster.clock.iso(), force)
        if live is None:
            return self._show(self.gate.create(self.kind, self.at.namespace or "", result, "", self.dry_run), 201)
        if self.at.subresource == "status":
            return self._show(self._updated(live, result))
        return self._show(self.gate.update(self.kind, live, result, "", self.dry_run))

    def _check_applied(self, body: Body) -> None:
        if not body.get("apiVersion") or not body.get("kind"):
            raise errors.bad_request("invalid object type: apiVersion and kind must be set in an apply patch")
        if body["apiVersion"] != self.kind.api_version or body["kind"] != self.kind.kind:
            raise errors.bad_request(
                f"Incorrect version specified in apply patch. Specified patch version: {body['apiVersion']},"
                f" expected: {self.kind.api_version}"
            )
        meta = body.setdefault("metadata", {})
        if meta.get("managedFields"):
            raise errors.bad_request("metadata.managedFields must be nil")
        if meta.setdefault("name", self.at.name) != self.at.name:
            raise errors.bad_request(
                f"the name of the object ({meta['name']}) does not match the name on the URL ({self.at.name})"
            )

    def _delete(self) -> Response:
        options = self._delete_options()
        if not self.at.name:
            return self._delete_all(options)
        body, gone = self.gate.delete(self.kind, self._live(), options)
        if not gone or self.kind.resource == "pods":
            return self._show(body)
        details = {"name": self.at.name, "group": self.kind.group, "kind": self.kind.resource}
        details["uid"] = body["metadata"]["uid"]
        status: Body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
        return answer(status | {"details": {key: value for key, value in details.items() if value}})

    def _delete_options(self) -> Body:
        options = self._object() if self.raw.strip() else {}
        for name in ("propagationPolicy", "gracePeriodSeconds"):
            if self.query.get(name):
                options.setdefault(name, int(self.query[name]) if name[0] == "g" else self.query[name])
        if self.query.get("dryRun"):
            options["dryRun"] = ["All"]
        return options

    def _delete_all(self, options: Body) -> Response:
        found = reading.page(self.store, self.kind, self.at.namespace, self.query)
        for item in found["items"]:
            meta = item["metadata"]
            self.gate.delete(self.kind, self.store.require(self.kind, meta.get("namespace"), meta["name"]), options)
        return answer(found)

    def _review(self) -> Response:
        """The one user there is may do everything."""
        body = self._object()
        return answer(body | {"status": {"allowed": True, "reason": "RBAC: allowed by cluster-admin"}}, 201)
