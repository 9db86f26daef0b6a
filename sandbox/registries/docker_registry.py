"""Docker Hub's registry, as the distribution protocol has it. Layers are weighed, not kept."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.core import Core
from sandbox.registries import docker_auth
from sandbox.registries.accounts import MANIFEST_TYPE, DockerHub, digest_of

WINDOW = "w=21600"
LARGEST_MANIFEST = 4_000_000
PREVIEW = ("ratelimitpreview/test", "latest")
PATHS = (
    ("uploads", re.compile(r"(?P<name>.+)/blobs/uploads/?")),
    ("upload", re.compile(r"(?P<name>.+)/blobs/uploads/(?P<reference>[0-9a-f-]{36})")),
    ("blob", re.compile(r"(?P<name>.+)/blobs/(?P<reference>sha256:[0-9a-f]{64})")),
    ("manifest", re.compile(r"(?P<name>.+)/manifests/(?P<reference>[\w.:-]+)")),
    ("tags", re.compile(r"(?P<name>.+)/tags/list")),
)


@dataclass
class Upload:
    """A blob on its way; lost when the sandbox stops, as it may be in a real registry."""

    repository: str
    size: int = 0
    digest: Any = field(default_factory=hashlib.sha256)


@dataclass(frozen=True)
class Ask:
    """One request on one repository."""

    registry: Registry
    name: str
    reference: str
    method: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    grant: docker_auth.Grant

    @property
    def base(self) -> str:
        return f"/dockerhub/v2/{self.name}"


class Registry:
    def __init__(self, core: Core) -> None:
        self.core = core
        self.hub: DockerHub = core.services["dockerhub"]
        self.blobs = core.state.bucket("dockerhub.blobs")
        self.uploads: dict[str, Upload] = {}

    async def endpoint(self, request: Request) -> Response:
        response = self.serve(request, await request.body())
        response.headers["docker-distribution-api-version"] = "registry/2.0"
        return response

    def serve(self, request: Request, body: bytes) -> Response:
        path = request.path_params["path"]
        grant = docker_auth.read(self.core, request.headers.get("authorization", ""))
        if not path:
            return JSONResponse({}) if grant else self._unauthorized("")
        kind, found = _find(path)
        if found is None:
            return _error(404, "NAME_UNKNOWN", "repository name not known to registry")
        name, reference = found["name"], found.groupdict().get("reference", "")
        action = "pull" if request.method in ("GET", "HEAD") else "push"
        if grant is None or not grant.allows(name, action):
            return self._unauthorized(
                f"repository:{name}:{'pull' if action == 'pull' else 'pull,push'}", grant is not None
            )
        query, headers = dict(request.query_params), dict(request.headers)
        ask = Ask(self, name, reference, request.method, query, headers, body, grant)
        handler = HANDLERS.get((request.method, kind))
        return handler(ask) if handler else _error(405, "UNSUPPORTED", "The operation is unsupported.")

    def _unauthorized(self, scope: str, insufficient: bool = False) -> Response:
        origin = self.core.config.origin
        challenge = f'Bearer realm="{origin}/dockerhub-auth/token",service="{docker_auth.SERVICE}"'
        if scope:
            challenge += f',scope="{scope}"'
        if insufficient:
            challenge += ',error="insufficient_scope"'
        response = _error(401, "UNAUTHORIZED", "authentication required")
        response.headers["www-authenticate"] = challenge
        return response

    def limits(self, username: str) -> tuple[int, int]:
        """(pulls allowed, pulls left) in six hours."""
        allowed = 200 if username else 100
        entry = self.core.state.bucket("dockerhub.pulls").get(username or "-") or {"left": allowed}
        return allowed, int(entry["left"])


def _find(path: str) -> tuple[str, re.Match[str] | None]:
    for kind, pattern in PATHS:
        if found := pattern.fullmatch(path):
            return kind, found
    return "", None


def _error(status: int, code: str, message: str, detail: Any = None) -> Response:
    return JSONResponse({"errors": [{"code": code, "message": message, "detail": detail}]}, status)


def begin_upload(ask: Ask) -> Response:
    number = str(uuid.uuid4())
    ask.registry.uploads[number] = Upload(ask.name)
    if "digest" in ask.query:
        return finish_upload(Ask(**{**ask.__dict__, "reference": number}))
    return _accepted(ask, number)


def _accepted(ask: Ask, number: str) -> Response:
    size = ask.registry.uploads[number].size
    headers = {
        "location": f"{ask.base}/blobs/uploads/{number}",
        "docker-upload-uuid": number,
        "range": f"0-{max(size - 1, 0)}",
    }
    return Response(status_code=202, headers=headers)


def _upload(ask: Ask) -> Upload | None:
    upload = ask.registry.uploads.get(ask.reference)
    return upload if upload and upload.repository == ask.name else None


def _unknown_upload() -> Response:
    return _error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")


def add_to_upload(ask: Ask) -> Response:
    upload = _upload(ask)
    if upload is None:
        return _unknown_upload()
    upload.digest.update(ask.body)
    upload.size += len(ask.body)
    return _accepted(ask, ask.reference)


def finish_upload(ask: Ask) -> Response:
    upload = _upload(ask)
    if upload is None:
        return _unknown_upload()
    upload.digest.update(ask.body)
    upload.size += len(ask.body)
    digest = "sha256:" + upload.digest.hexdigest()
    if ask.query.get("digest") != digest:
        return _error(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
    del ask.registry.uploads[ask.reference]
    ask.registry.blobs.put(f"{ask.name}|{digest}", {"size": upload.size})
    headers = {"location": f"{ask.base}/blobs/{digest}", "docker-content-digest": digest}
    return Response(status_code=201, headers=headers)


def cancel_upload(ask: Ask) -> Response:
    if _upload(ask) is None:
        return _unknown_upload()
    del ask.registry.uploads[ask.reference]
    return Response(status_code=204)


def head_blob(ask: Ask) -> Response:
    blob = ask.registry.blobs.get(f"{ask.name}|{ask.reference}")
    if blob is None:
        return _error(404, "BLOB_UNKNOWN", "blob unknown to registry")
    return Response(headers={"docker-content-digest": ask.reference, "x-blob-size": str(blob["size"])})


def put_manifest(ask: Ask) -> Response:
    if len(ask.body) > LARGEST_MANIFEST:
        return _error(413, "MANIFEST_INVALID", "manifest is too large")
    try:
        manifest = json.loads(ask.body)
        parts = [*manifest.get("layers", []), *([manifest["config"]] if "config" in manifest else [])]
        digests = [part["digest"] for part in parts]
    except (ValueError, KeyError, TypeError, AttributeError):
        return _error(400, "MANIFEST_INVALID", "manifest invalid")
    missing = [digest for digest in digests if ask.registry.blobs.get(f"{ask.name}|{digest}") is None]
    if missing:
        return _error(404, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", {"Digest": missing[0]})
    media_type = ask.headers.get("content-type", MANIFEST_TYPE)
    digest = ask.registry.hub.put_manifest(ask.name, ask.reference, ask.body.decode(), media_type)
    headers = {"location": f"{ask.base}/manifests/{digest}", "docker-content-digest": digest}
    return Response(status_code=201, headers=headers)


def get_manifest(ask: Ask) -> Response:
    """GET counts as a pull, HEAD does not."""
    allowed, left = ask.registry.limits(ask.grant.username)
    limits = {"ratelimit-limit": f"{allowed};{WINDOW}", "docker-ratelimit-source": ask.grant.username or "127.0.0.1"}
    if ask.method == "GET":
        if left <= 0:
            message = "You have reached your pull rate limit. https://www.docker.com/increase-rate-limit"
            return _with(_error(429, "TOOMANYREQUESTS", message), limits | {"ratelimit-remaining": f"0;{WINDOW}"})
        left -= 1
        ask.registry.core.state.bucket("dockerhub.pulls").put(ask.grant.username or "-", {"left": left})
    limits["ratelimit-remaining"] = f"{left};{WINDOW}"
    entry = ask.registry.hub.manifests.get(f"{ask.name}|{ask.reference}")
    if entry is None and (ask.name, ask.reference) == PREVIEW:
        entry = {"content": "{}", "mediaType": MANIFEST_TYPE, "digest": digest_of(b"{}")}
    if entry is None:
        return _with(_error(404, "MANIFEST_UNKNOWN", "manifest unknown", {"Tag": ask.reference}), limits)
    limits["docker-content-digest"] = entry["digest"]
    return Response(entry["content"], media_type=entry["mediaType"], headers=limits)


def _with(response: Response, headers: dict[str, str]) -> Response:
    response.headers.update(headers)
    return response


def delete_manifest(ask: Ask) -> Response:
    if not ask.registry.hub.manifests.delete(f"{ask.name}|{ask.reference}"):
        return _error(404, "MANIFEST_UNKNOWN", "manifest unknown", {"Tag": ask.reference})
    return Response(status_code=202)


def list_tags(ask: Ask) -> Response:
    keys = ask.registry.hub.manifests.keys(ask.name + "|")
    tags = [tag for key in keys if not (tag := key.split("|", 1)[1]).startswith("sha256:")]
    if not keys:
        return _error(404, "NAME_UNKNOWN", "repository name not known to registry", {"name": ask.name})
    return JSONResponse({"name": ask.name, "tags": tags})


HANDLERS = {
    ("POST", "uploads"): begin_upload,
    ("PATCH", "upload"): add_to_upload,
    ("PUT", "upload"): finish_upload,
    ("DELETE", "upload"): cancel_upload,
    ("HEAD", "blob"): head_blob,
    ("PUT", "manifest"): put_manifest,
    ("GET", "manifest"): get_manifest,
    ("HEAD", "manifest"): get_manifest,
    ("DELETE", "manifest"): delete_manifest,
    ("GET", "tags"): list_tags,
}
