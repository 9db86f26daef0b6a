"""Looks as they are filled in, as server-sent events: woken by Redis, read from the database.

`look` says that the page should be drawn anew, `line` {number, at, level, step, message} is a new line of a log. A look
is wanted as long as its stream is open. Few people look at a time, so each stream has a Redis subscription of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

import redis.asyncio
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connections
from django.http import Http404, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import aget_object_or_404
from django.views.decorators.http import require_safe

from accounts.models import User
from deployments.inside import subjects, wanting
from deployments.inside.subjects import Subject
from deployments.models import Deployment, Look
from deployments.stream import HEADERS, resume_point
from deployments.watching import in_thread, signed_in

#: Without a word from Redis the database is looked at so often (seconds); it also keeps the look wanted.
CALM_SECONDS, POLL_SECONDS = 5.0, 1.0
#: So often a stream asks anew whether its viewer may still look.
PERMISSION_ROUNDS = 6
LEFT_OUT = "… more lines came than are shown here: some are left out …"
DRAW = "event: look\ndata: {}\n\n"


@dataclass
class Follower:
    """One open page: what it has been told."""

    hub_id: UUID
    subject: Subject
    user_id: int
    session: str
    last: int
    seen: tuple[Any, ...] = field(default_factory=tuple)

    def told(self, look: Look) -> str:
        """What is new, as text of the event stream."""
        text = self._lines(look) if self.subject.kind == "log" else ""
        head = {key: value for key, value in look.data.items() if key not in ("lines", "full")}
        seen = (look.looked_at is not None, look.problem, json.dumps(head, sort_keys=True))
        if seen != self.seen and look.looked_at:
            self.seen, text = seen, text + DRAW
        return text

    def _lines(self, look: Look) -> str:
        lines = look.data.get("lines") or []
        new = [line for line in lines if line[0] > self.last]
        missing = bool(new) and self.last > 0 and new[0] == lines[0] and look.data.get("full", False)
        texts = [_event(self.hub_id, new[0][0] - 1, new[0][1], LEFT_OUT, "warning")] if missing else []
        texts += [_event(self.hub_id, *line) for line in new]
        self.last = new[-1][0] if new else self.last
        return "".join(texts)


@require_safe
async def stream(request: HttpRequest, hub_id: UUID) -> HttpResponseBase:
    """Follows one look for as long as the page is open."""
    user = await request.auser()
    assert isinstance(user, User)
    visible = await sync_to_async(lambda: Deployment.objects.visible_to(user))()
    hub = await aget_object_or_404(visible, id=hub_id)
    subject = subjects.read(request.GET.get("subject", ""))
    if subject is None:
        raise Http404
    last = resume_point(request, hub.id)
    text = follow(Follower(hub.id, subject, user.pk, request.session.session_key or "", last))
    return StreamingHttpResponse(text, content_type="text/event-stream", headers=HEADERS)


async def follow(follower: Follower) -> AsyncIterator[str]:
    """Everything new about the look, until the viewer goes or may not look any more."""
    await sync_to_async(connections.close_all)()  # the request's own, which would be held for as long as this lasts
    yield "retry: 1500\n\n"
    look = await in_thread(partial(_wanted, follower, True))
    if look is None:
        return
    async with _News(wanting.channel(follower.hub_id, str(follower.subject))) as news:
        rounds = 0
        while look is not None:
            yield follower.told(look) or ": still here\n\n"
            await news.wait()
            rounds += 1
            look = await in_thread(partial(_wanted, follower, rounds % PERMISSION_ROUNDS == 0))


def _wanted(follower: Follower, ask: bool) -> Look | None:
    """The look as it is now, wanted a while longer; None for who may not see it (any more)."""
    hub = Deployment.objects.filter(id=follower.hub_id).first()
    if hub is None:
        return None
    if ask:
        user = signed_in(follower.user_id, follower.session)
        if user is None or not Deployment.objects.visible_to(user).filter(id=hub.id).exists():
            return None
    return wanting.want(hub, follower.subject)


class _News:
    """Says when there may be something new: when Redis says so, else every now and then."""

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self._stack = contextlib.AsyncExitStack()
        self._pubsub: Any = None

    async def __aenter__(self) -> _News:
        with contextlib.suppress(redis.RedisError, OSError):
            client = redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2)
            await self._stack.enter_async_context(client)
            pubsub = await self._stack.enter_async_context(client.pubsub(ignore_subscribe_messages=True))
            await pubsub.subscribe(self._channel)
            self._pubsub = pubsub
        return self

    async def __aexit__(self, *_: object) -> None:
        with contextlib.suppress(redis.RedisError, OSError):
            await self._stack.aclose()

    async def wait(self) -> None:
        if self._pubsub is not None:
            try:
                await self._pubsub.get_message(timeout=CALM_SECONDS)
                return
            except (redis.RedisError, OSError):
                self._pubsub = None
        await asyncio.sleep(POLL_SECONDS)


def _event(source: UUID, number: int, at: str, text: str, level: str = "info") -> str:
    line = {"number": number, "at": at, "level": level, "step": "", "message": text}
    return f"event: line\nid: {source}:{number}\ndata: {json.dumps(line)}\n\n"
