"""Refusals in the exact shape of the API server's Status objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.kubernetes.kinds import Kind


@dataclass(frozen=True)
class Cause:
    """One field that is wrong. `text` is the message without the field."""

    field: str
    reason: str
    text: str


class ApiError(Exception):
    """A Status to answer with."""

    def __init__(self, code: int, reason: str, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code, self.reason, self.message, self.details = code, reason, message, details

    def status(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            body["reason"] = self.reason
        if self.details:
            body["details"] = self.details
        return body | {"code": self.code}


def _details(kind: Kind, name: str, as_kind: bool = False) -> dict[str, Any]:
    details = {"name": name, "group": kind.group, "kind": kind.kind if as_kind else kind.resource}
    return {key: value for key, value in details.items() if value}


def unauthorized() -> ApiError:
    return ApiError(401, "Unauthorized", "Unauthorized")


def not_found(kind: Kind, name: str) -> ApiError:
    return ApiError(404, "NotFound", f'{kind.qualified} "{name}" not found', _details(kind, name))


def no_such_resource() -> ApiError:
    return ApiError(404, "NotFound", "the server could not find the requested resource", {})


def method_not_allowed(kind: Kind, verb: str) -> ApiError:
    message = f'{verb} is not supported on resources of kind "{kind.qualified}"'
    return ApiError(405, "MethodNotAllowed", message, _details(kind, ""))


def already_exists(kind: Kind, name: str) -> ApiError:
    return ApiError(409, "AlreadyExists", f'{kind.qualified} "{name}" already exists', _details(kind, name))


def conflict(kind: Kind, name: str, why: str = "") -> ApiError:
    why = why or ("the object has been modified; please apply your changes to the latest version and try again")
    message = f'Operation cannot be fulfilled on {kind.qualified} "{name}": {why}'
    return ApiError(409, "Conflict", message, _details(kind, name))


def precondition_failed(kind: Kind, name: str, field: str, wanted: str, found: str) -> ApiError:
    why = f"Precondition failed: {field} in precondition: {wanted}, {field} in object meta: {found}"
    return conflict(kind, name, why)


def bad_request(message: str) -> ApiError:
    return ApiError(400, "BadRequest", message)


def forbidden(kind: Kind, name: str, why: str, cause: dict[str, Any] | None = None) -> ApiError:
    details = _details(kind, name)
    if cause:
        details["causes"] = [cause]
    return ApiError(403, "Forbidden", f'{kind.qualified} "{name}" is forbidden: {why}', details)


def being_terminated(kind: Kind, name: str, namespace: str) -> ApiError:
    why = f"unable to create new content in namespace {namespace} because it is being terminated"
    cause = {
        "reason": "NamespaceTerminating",
        "message": f"namespace {namespace} is being terminated",
        "field": "metadata.namespace",
    }
    return forbidden(kind, name, why, cause)


def invalid(kind: Kind, name: str, causes: list[Cause]) -> ApiError:
    texts = [f"{cause.field}: {cause.text}" for cause in causes]
    joined = texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"
    details = _details(kind, name, as_kind=True)
    details["causes"] = [{"reason": c.reason, "message": c.text, "field": c.field} for c in causes]
    return ApiError(422, "Invalid", f'{kind.qualified_kind} "{name}" is invalid: {joined}', details)


def unsupported_media_type(got: str, kind: Kind, allowed: str) -> ApiError:
    message = f"the body of the request was in an unknown format - accepted media types include: {allowed}"
    return ApiError(415, "UnsupportedMediaType", message, _details(kind, "") | ({"causes": []} if not got else {}))


def gone(wanted: int, oldest: int) -> ApiError:
    return ApiError(410, "Expired", f"too old resource version: {wanted} ({oldest})")


def unavailable(message: str) -> ApiError:
    return ApiError(503, "ServiceUnavailable", message)


def schema_mismatch(message: str) -> ApiError:
    """Server-side apply answers 500 without a reason here (kubernetes/kubernetes#122480, still so in 1.36)."""
    return ApiError(500, "", message)
