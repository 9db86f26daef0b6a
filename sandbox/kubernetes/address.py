"""Which object a path means."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.kubernetes import errors, kinds
from sandbox.kubernetes.kinds import Kind


@dataclass(frozen=True)
class Address:
    """A kind's collection ("" as name), object or subresource. `namespace` None means all."""

    kind: Kind
    namespace: str | None
    name: str
    subresource: str
    watch: bool


def parse(parts: list[str]) -> Address:
    """Reads the path below the cluster, in pieces. Raises 404 for what is not served."""
    if parts[0] == "api" and len(parts) > 2 and parts[1] == "v1":
        return _resource("", "v1", parts[2:])
    if parts[0] == "apis" and len(parts) > 3:
        return _resource(parts[1], parts[2], parts[3:])
    raise errors.no_such_resource()


def _resource(group: str, version: str, rest: list[str]) -> Address:
    watch = rest[0] == "watch" and len(rest) > 1
    if watch:
        rest = rest[1:]
    namespace = None
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    kind = kinds.find(group, version, rest[0])
    name = rest[1] if len(rest) > 1 else ""
    subresource = "/".join(rest[2:])
    if kind is None or (subresource and subresource not in kind.subresources):
        raise errors.no_such_resource()
    if kind.namespaced != (namespace is not None) and (namespace is not None or name):
        raise errors.no_such_resource()
    return Address(kind, namespace, name, subresource, watch)
