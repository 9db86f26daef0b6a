"""Helm's own notes of a release, one Secret a revision: read without starting Helm, corrected where one was killed.

Starting Helm for a look costs more CPU than all the rest of a pass. Its notes have had the same form since Helm 3.

For a release that a killed Helm has left pending it has no command that goes on from there: `upgrade` says that another
operation is in progress for ever, and uninstalling what was half installed would make everything a second time. So the
note is told the truth: that attempt failed. Then an ordinary upgrade goes on over what is there.
"""

import base64
import gzip
import json
from typing import Any
from urllib.parse import quote

from cloud.kubernetes import KubernetesCluster

PENDING = ("pending-install", "pending-upgrade", "pending-rollback")


def newest(cluster: KubernetesCluster, name: str, namespace: str) -> dict[str, Any] | None:
    """What Helm has noted of the newest revision (settings and all: let it go soon), or None.

    None too when it is removed between the two looks that this takes.
    """
    what = f"look at the release {name}"
    path = f"/api/v1/namespaces/{quote(namespace)}/secrets"
    labels = cluster.labels_of(what, path, f"owner=helm,name={name}")
    revisions = [int(each["version"]) for each in labels if each.get("version", "").isdigit()]
    record = cluster.find_raw(what, _path(name, namespace, max(revisions))) if revisions else None
    return None if record is None else _open(record["data"]["release"])


def mark_failed(cluster: KubernetesCluster, name: str, namespace: str, revision: int) -> bool:
    """Turns a pending revision into a failed one; False when it is not pending any more.

    The write carries the note's version: when a living Helm writes first, ours is refused with Conflict.
    """
    path = _path(name, namespace, revision)
    what = f"read Helm's note of {name}"
    record = cluster.find_raw(what, path)
    if record is None or record["metadata"].get("labels", {}).get("status") not in PENDING:
        return False
    note = _open(record["data"]["release"])
    note["info"] |= {"status": "failed", "description": "The Helm that did this was killed"}
    record["metadata"]["labels"]["status"] = "failed"
    record["data"]["release"] = _closed(note)
    cluster.replace_raw(f"correct Helm's note of {name}", path, record)
    return True


def _path(name: str, namespace: str, revision: int) -> str:
    return f"/api/v1/namespaces/{quote(namespace)}/secrets/sh.helm.release.v1.{quote(name)}.v{revision}"


def _open(data: str) -> dict[str, Any]:
    """Helm keeps JSON, gzipped, in base64; Kubernetes puts base64 around every secret once more."""
    packed = base64.b64decode(base64.b64decode(data))
    note: dict[str, Any] = json.loads(gzip.decompress(packed))
    return note


def _closed(note: dict[str, Any]) -> str:
    packed = gzip.compress(json.dumps(note).encode())
    return base64.b64encode(base64.b64encode(packed)).decode()
