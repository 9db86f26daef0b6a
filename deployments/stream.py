"""The live log: server-sent events from the database, woken by Redis.

Each viewer first subscribes, then replays what the database holds after `Last-Event-ID`, then follows. A line's id is
`<operation>:<number>`, so a browser that reconnects neither loses nor doubles one. Events:

`line` {number, at, level, step, message}; `progress` when a step or status changed (fetch it); `end` {count, status}.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import connections
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import aget_object_or_404
from django.views.decorators.http import require_safe

from accounts.models import User
from deployments.models import Operation
from deployments.watching import Gone, Lines, Note, Snapshot, Viewer, look, permitted, watchers

KEEP_ALIVE_SECONDS, PERMISSION_SECONDS = 15.0, 30.0
#: Lines read from the database at a time while catching up.
CHUNK = 500
HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
PROGRESS = "event: progress\ndata: {}\n\n"


@require_safe
async def stream(request: HttpRequest, operation_id: UUID) -> HttpResponseBase:
    """Follows an operation's log until its end."""
    user = await request.auser()
    assert isinstance(user, User)
    visible = await sync_to_async(lambda: Operation.objects.visible_to(user))()
    operation = await aget_object_or_404(visible, id=operation_id)
    session = request.session.session_key or ""
    text = follow(operation.id, resume_point(request, operation.id), user.pk, session)
    return StreamingHttpResponse(text, content_type="text/event-stream", headers=HEADERS)


def resume_point(request: HttpRequest, source: UUID) -> int:
    """The number of the last line the viewer has of that source: from `Last-Event-ID`, else `?after=`, else 0."""
    told, _, number = request.headers.get("Last-Event-ID", "").rpartition(":")
    if told != str(source):
        number = request.GET.get("after", "")
    return int(number) if number.isdecimal() and len(number) < 19 else 0


async def follow(operation_id: UUID, last: int, user_id: int, session: str) -> AsyncIterator[str]:
    """Everything after line `last`, as text of the event stream, up to the operation's end."""
    await sync_to_async(connections.close_all)()  # the request's own, which would be held for as long as this lasts
    yield "retry: 1500\n\n"
    with watchers().viewer(operation_id) as viewer:
        async for text in _followed(viewer, last, user_id, session):
            yield text


async def _followed(viewer: Viewer, last: int, user_id: int, session: str) -> AsyncIterator[str]:
    permission = Permission(viewer.operation_id, user_id, session)
    while True:
        snapshot = await look(viewer.operation_id, last, CHUNK)
        if snapshot.lines:
            yield _lines(viewer.operation_id, snapshot.lines)
            last = snapshot.lines[-1]["number"]
            continue
        yield PROGRESS
        if snapshot.is_over(last):
            yield _end(snapshot)
            return
        behind = False
        while not behind:
            note = await _next(viewer)
            if isinstance(note, Gone) or not await permission.holds():
                return
            text, last, behind = _told(viewer.operation_id, note, last)
            yield text
            if note and note.end and not behind:
                yield _end(note.end)
                return


@dataclass
class Permission:
    """Whether the viewer may still look; asked for anew twice a minute."""

    operation_id: UUID
    user_id: int
    session: str
    checked: float = field(default_factory=time.monotonic)

    async def holds(self) -> bool:
        if time.monotonic() - self.checked < PERMISSION_SECONDS:
            return True
        self.checked = time.monotonic()
        return await permitted(self.operation_id, self.user_id, self.session)


async def _next(viewer: Viewer) -> Note | Gone | None:
    """What the watchers say next; None when they said nothing for a while."""
    try:
        return await asyncio.wait_for(viewer.next(), KEEP_ALIVE_SECONDS)
    except TimeoutError:
        return None


def _told(operation_id: UUID, note: Note | None, last: int) -> tuple[str, int, bool]:
    """The note as text, the number of the last line told, and whether lines before the note are missing."""
    if note is None:
        return ": still here\n\n", last, False
    new = [line for line in note.lines if line["number"] > last]
    if new and new[0]["number"] != last + 1:
        return "", last, True
    last = new[-1]["number"] if new else last
    text = _lines(operation_id, new) + (PROGRESS if note.changed or note.end else "")
    return text, last, bool(note.end and not note.end.is_over(last))


def _lines(operation_id: UUID, lines: Lines) -> str:
    events = (f"event: line\nid: {operation_id}:{line['number']}\ndata: {json.dumps(line)}\n\n" for line in lines)
    return "".join(events)


def _end(snapshot: Snapshot) -> str:
    return f"event: end\ndata: {json.dumps({'count': snapshot.count, 'status': snapshot.status})}\n\n"
