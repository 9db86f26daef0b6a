"""Watches: a stream of changes, one JSON object a line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable

from starlette.datastructures import QueryParams

from sandbox.kubernetes import errors, reading
from sandbox.kubernetes.kinds import Kind
from sandbox.kubernetes.reading import Test
from sandbox.kubernetes.store import Body, Change, Store

BOOKMARK_SECONDS = 60.0
LONGEST_SECONDS = 1800.0


def lines(store: Store, kind: Kind, namespace: str | None, query: QueryParams) -> AsyncIterator[bytes]:
    """Starts the watch now, so that nothing is missed before the first line is read. Raises 410 or 400."""
    _check(query)
    test = reading.selecting(kind, query)
    since = int(query.get("resourceVersion") or 0)
    initial = _initial(store, kind, namespace, query, test, since)
    queue: asyncio.Queue[Change] = asyncio.Queue()

    def heard(change: Change) -> None:
        if change.resource == kind.resource and namespace in (None, change.namespace):
            queue.put_nowait(change)

    stop = store.listen(heard)
    return _stream(queue, kind, initial, query, test, store, stop)


def _check(query: QueryParams) -> None:
    if query.get("sendInitialEvents") == "true" and query.get("resourceVersionMatch") != "NotOlderThan":
        raise errors.ApiError(
            422,
            "Invalid",
            'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting'
            " resourceVersionMatch to NotOlderThan",
            {"group": "meta.k8s.io", "kind": "ListOptions"},
        )


def _initial(
    store: Store, kind: Kind, namespace: str | None, query: QueryParams, test: Test, since: int
) -> list[bytes]:
    """What stands before the changes: the whole list, or what was missed since a version."""
    if query.get("sendInitialEvents") == "true":
        first = _current(store, kind, namespace, test)
        annotations = {"k8s.io/initial-events-end": "true"}
        return [*first, _bookmark(kind, store.version, annotations)]
    if since == 0:
        return _current(store, kind, namespace, test)
    if since < store.oldest and since < store.version:
        raise errors.gone(since, store.version)
    missed = [change for change in store.history if change.version > since and change.resource == kind.resource]
    told = (_line(kind, change, test) for change in missed if namespace in (None, change.namespace))
    return [line for line in told if line]


def _current(store: Store, kind: Kind, namespace: str | None, test: Test) -> list[bytes]:
    return [_event("ADDED", reading.shown(kind, body)) for body in store.list(kind.resource, namespace) if test(body)]


def _event(name: str, body: Body) -> bytes:
    return json.dumps({"type": name, "object": body}, separators=(",", ":")).encode() + b"\n"


def _bookmark(kind: Kind, version: int, annotations: dict[str, str] | None = None) -> bytes:
    meta: Body = {"resourceVersion": str(version), "creationTimestamp": None}
    if annotations:
        meta["annotations"] = annotations
    return _event("BOOKMARK", {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": meta})


def _line(kind: Kind, change: Change, test: Test) -> bytes | None:
    """The event a watcher with this selector sees, if any."""
    was = change.before is not None and test(change.before)
    now = change.after is not None and test(change.after)
    if now and change.after is not None:
        return _event("MODIFIED" if was else "ADDED", reading.shown(kind, change.after))
    return _event("DELETED", reading.shown(kind, change.last)) if was else None


async def _stream(
    queue: asyncio.Queue[Change],
    kind: Kind,
    initial: list[bytes],
    query: QueryParams,
    test: Test,
    store: Store,
    stop: Callable[[], None],
) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    end = loop.time() + min(float(query.get("timeoutSeconds") or LONGEST_SECONDS), LONGEST_SECONDS)
    try:
        yield b"".join(initial)
        while (left := end - loop.time()) > 0:
            try:
                change = await asyncio.wait_for(queue.get(), min(left, BOOKMARK_SECONDS))
            except TimeoutError:
                if query.get("allowWatchBookmarks") == "true":
                    yield _bookmark(kind, store.version)
                continue
            if line := _line(kind, change, test):
                yield line
    finally:
        stop()
