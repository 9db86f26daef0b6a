"""The distribution protocol: repositories with blobs and manifests. Layers are weighed, not kept.

Who may do what is another's question: here the caller may.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.responses import JSONResponse, Response

from sandbox.core import Core

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
LARGEST_MANIFEST = 4_000_000
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


#: By registry and number.
UPLOADS: dict[str, dict[str, Upload]] = {}


class Shelf:
    """The images of one registry. Cheap to make; keeps nothing itself."""

    def __init__(self, core: Core, area: str) -> None:
        self.manifests, self.blobs = core.state.bucket(f"{area}.manifests"), core.state.bucket(f"{area}.blobs")
        self.uploads = UPLOADS.setdefault(area, {})

    def has_image(self, repository: str, tag: str) -> bool:
        return self.manifests.get(f"{repository}|{tag}") is not None

    def put_manifest(self, repository: str, reference: str, content: str, media_type: str) -> str:
        """Keeps a manifest under its tag and its digest; returns the digest."""
        digest = digest_of(content.encode())
        entry = {"digest": digest, "mediaType": media_type, "content": content}
        for name in {reference, digest}:
            self.manifests.put(f"{repository}|{name}", entry)
        return digest

    def images(self) -> list[str]:
        """`repository:tag` of everything here."""
        pairs = [key.split("|", 1) for key in self.manifests.keys()]
        return [f"{name}:{tag}" for name, tag in pairs if not tag.startswith("sha256:")]

    def size(self) -> int:
        return sum(int(blob["size"]) for _, blob in self.blobs.items())

    def clear(self) -> None:
        for bucket in (self.manifests, self.blobs):
            for key in bucket.keys():
                bucket.delete(key)


@dataclass(frozen=True)
class Ask:
    """One request on one repository; `root` is where the protocol begins, "/v2" on a host of its own."""

    shelf: Shelf
    root: str
    kind: str
    name: str
    reference: str
    method: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def base(self) -> str:
        return f"{self.root}/{self.name}"

    @property
    def action(self) -> str:
        """What the caller must be allowed to do."""
        return "pull" if self.method in ("GET", "HEAD") else "push"


def find(path: str) -> tuple[str, str, str]:
    """(kind, repository, reference) of a path below /v2/; three times "" for none."""
    for kind, pattern in PATHS:
        if found := pattern.fullmatch(path):
            return kind, found["name"], found.groupdict().get("reference", "")
    return "", "", ""


def serve(ask: Ask) -> Response:
    handler = HANDLERS.get((ask.method, ask.kind))
    return handler(ask) if handler else error(405, "UNSUPPORTED", "The operation is unsupported.")


def unknown_name() -> Response:
    return error(404, "NAME_UNKNOWN", "repository name not known to registry")


def error(status: int, code: str, message: str, detail: Any = None) -> Response:
    return JSONResponse({"errors": [{"code": code, "message": message, "detail": detail}]}, status)


def digest_of(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def begin_upload(ask: Ask) -> Response:
    number = str(uuid.uuid4())
    ask.shelf.uploads[number] = Upload(ask.name)
    if "digest" in ask.query:
        return finish_upload(replace(ask, reference=number))
    return _accepted(ask, number)


def _accepted(ask: Ask, number: str) -> Response:
    size = ask.shelf.uploads[number].size
    headers = {
        "location": f"{ask.base}/blobs/uploads/{number}",
        "docker-upload-uuid": number,
        "range": f"0-{max(size - 1, 0)}",
    }
    return Response(status_code=202, headers=headers)


def _upload(ask: Ask) -> Upload | None:
    upload = ask.shelf.uploads.get(ask.reference)
    return upload if upload and upload.repository == ask.name else None


def _unknown_upload() -> Response:
    return error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")


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
        return error(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
    del ask.shelf.uploads[ask.reference]
    ask.shelf.blobs.put(f"{ask.name}|{digest}", {"size": upload.size})
    headers = {"location": f"{ask.base}/blobs/{digest}", "docker-content-digest": digest}
    return Response(status_code=201, headers=headers)


def cancel_upload(ask: Ask) -> Response:
    if _upload(ask) is None:
        return _unknown_upload()
    del ask.shelf.uploads[ask.reference]
    return Response(status_code=204)


def head_blob(ask: Ask) -> Response:
    blob = ask.shelf.blobs.get(f"{ask.name}|{ask.reference}")
    if blob is None:
        return error(404, "BLOB_UNKNOWN", "blob unknown to registry")
    return Response(headers={"docker-content-digest": ask.reference, "x-blob-size": str(blob["size"])})


def put_manifest(ask: Ask) -> Response:
    if len(ask.body) > LARGEST_MANIFEST:
        return error(413, "MANIFEST_INVALID", "manifest is too large")
    try:
        manifest = json.loads(ask.body)
        parts = [*manifest.get("layers", []), *([manifest["config"]] if "config" in manifest else [])]
        digests = [part["digest"] for part in parts]
    except (ValueError, KeyError, TypeError, AttributeError):
        return error(400, "MANIFEST_INVALID", "manifest invalid")
    missing = [digest for digest in digests if ask.shelf.blobs.get(f"{ask.name}|{digest}") is None]
    if missing:
        return error(404, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", {"Digest": missing[0]})
    media_type = ask.headers.get("content-type", MANIFEST_TYPE)
    digest = ask.shelf.put_manifest(ask.name, ask.reference, ask.body.decode(), media_type)
    headers = {"location": f"{ask.base}/manifests/{digest}", "docker-content-digest": digest}
    return Response(status_code=201, headers=headers)


def get_manifest(ask: Ask) -> Response:
    entry = ask.shelf.manifests.get(f"{ask.name}|{ask.reference}")
    if entry is None:
        return error(404, "MANIFEST_UNKNOWN", "manifest unknown", {"Tag": ask.reference})
    return Response(entry["content"], media_type=entry["mediaType"], headers={"docker-content-digest": entry["digest"]})


def delete_manifest(ask: Ask) -> Response:
    if not ask.shelf.manifests.delete(f"{ask.name}|{ask.reference}"):
        return error(404, "MANIFEST_UNKNOWN", "manifest unknown", {"Tag": ask.reference})
    return Response(status_code=202)


def list_tags(ask: Ask) -> Response:
    keys = ask.shelf.manifests.keys(ask.name + "|")
    tags = [tag for key in keys if not (tag := key.split("|", 1)[1]).startswith("sha256:")]
    if not keys:
        return error(404, "NAME_UNKNOWN", "repository name not known to registry", {"name": ask.name})
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
