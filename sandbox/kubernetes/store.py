"""The objects of one cluster: written through to the state, numbered, and watched."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.kubernetes import errors
from sandbox.kubernetes.kinds import Kind
from sandbox.state import Bucket

Body = dict[str, Any]
#: How many changes a watch may start behind. After a restart there are none: watchers list again.
HISTORY = 128
#: After a restart numbering goes on well above what deletions may have used.
RESTART_GAP = 1000


@dataclass(frozen=True)
class Change:
    """One write. `before` is None for a creation, `after` for a deletion (then `last` is what was deleted)."""

    version: int
    resource: str
    namespace: str
    before: Body | None
    after: Body | None
    last: Body


class Store:
    """Objects are never changed in place: every write puts a new dictionary."""

    def __init__(self, cluster: str, bucket: Bucket) -> None:
        self.cluster = cluster
        self._bucket = bucket
        self._objects: dict[str, dict[str, dict[str, Body]]] = {}
        self._listeners: list[Callable[[Change], None]] = []
        self.history: deque[Change] = deque(maxlen=HISTORY)
        self.version = 1
        self._load()
        self.oldest = self.version

    def _load(self) -> None:
        items = self._bucket.items(f"{self.cluster}/")
        for key, body in items:
            _, resource, namespace, name = key.split("/", 3)
            self._table(resource, namespace)[name] = body
            self.version = max(self.version, int(body["metadata"]["resourceVersion"]))
        if items:
            self.version += RESTART_GAP

    def _table(self, resource: str, namespace: str) -> dict[str, Body]:
        return self._objects.setdefault(resource, {}).setdefault(namespace, {})

    def _key(self, resource: str, namespace: str, name: str) -> str:
        return f"{self.cluster}/{resource}/{namespace}/{name}"

    def get(self, resource: str, namespace: str | None, name: str) -> Body | None:
        return self._objects.get(resource, {}).get(namespace or "", {}).get(name)

    def require(self, kind: Kind, namespace: str | None, name: str) -> Body:
        body = self.get(kind.resource, namespace, name)
        if body is None:
            raise errors.not_found(kind, name)
        return body

    def list(self, resource: str, namespace: str | None = None) -> list[Body]:
        """The objects of one namespace, or of all, in the order of their names."""
        tables = self._objects.get(resource, {})
        if namespace is not None:
            table = tables.get(namespace, {})
            return [table[name] for name in sorted(table)]
        return [tables[space][name] for space in sorted(tables) for name in sorted(tables[space])]

    def count(self, resource: str, namespace: str) -> int:
        return len(self._objects.get(resource, {}).get(namespace, {}))

    def namespaces(self) -> list[str]:
        return [body["metadata"]["name"] for body in self.list("namespaces")]

    def everything_in(self, namespace: str) -> Iterator[tuple[str, Body]]:
        """(resource, object) of all that lives in a namespace."""
        for resource, tables in self._objects.items():
            for body in list(tables.get(namespace, {}).values()):
                yield resource, body

    def put(self, resource: str, body: Body) -> Body:
        """Writes a new version; one that changes nothing keeps its number."""
        meta = body["metadata"]
        namespace, name = meta.get("namespace", ""), meta["name"]
        before = self.get(resource, namespace, name)
        if before is not None and body == before:
            return before
        self.version += 1
        after: Body = body | {"metadata": meta | {"resourceVersion": str(self.version)}}
        self._table(resource, namespace)[name] = after
        self._bucket.put(self._key(resource, namespace, name), after)
        self._tell(Change(self.version, resource, namespace, before, after, after))
        return after

    def mirror(self, resource: str, body: Body) -> Body:
        """Takes over an object of another server, its version included."""
        meta = body["metadata"]
        namespace, name = meta.get("namespace", ""), meta["name"]
        before = self.get(resource, namespace, name)
        if before == body:
            return body
        self.version += 1
        self._table(resource, namespace)[name] = body
        self._tell(Change(self.version, resource, namespace, before, body, body))
        return body

    def remove(self, resource: str, namespace: str | None, name: str) -> Body | None:
        space = namespace or ""
        before = self._objects.get(resource, {}).get(space, {}).pop(name, None)
        if before is None:
            return None
        self.version += 1
        self._bucket.delete(self._key(resource, space, name))
        last = before | {"metadata": before["metadata"] | {"resourceVersion": str(self.version)}}
        self._tell(Change(self.version, resource, space, before, None, last))
        return last

    def wipe(self) -> None:
        """Forgets everything at once: the cluster is gone."""
        for key in self._bucket.keys(f"{self.cluster}/"):
            self._bucket.delete(key)
        self._objects.clear()

    def listen(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Calls `listener` with each change until the returned function is called."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _tell(self, change: Change) -> None:
        if len(self.history) == HISTORY:
            self.oldest = self.history[0].version
        self.history.append(change)
        for listener in list(self._listeners):
            listener(change)
