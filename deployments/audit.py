"""Who did what, newest first: read from where each decision is kept anyway, never written a second time.

A decision about a hub is a line of a run's log that names its person; a rejection is a review; what administrators set
(policies, subscriptions, people) is in Django's own log of its admin pages.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.db.models import Q

from accounts.models import User
from deployments.models import Deployment, Event, Review

PAGE = 50
VERBS = {ADDITION: "Added", CHANGE: "Changed", DELETION: "Removed"}


@dataclass(frozen=True)
class Deed:
    """One decision: when, whose, what, and about which hub."""

    at: datetime
    by: User
    what: str
    hub: Deployment | None = None


def deeds(word: str = "", before: datetime | None = None) -> list[Deed]:
    """The newest ones before a moment; only those of a person or about a hub whose name has the word in it."""
    sources = (_decisions(word, before), _rejections(word, before), _settings(word, before))
    return list(islice(merge(*sources, key=lambda deed: deed.at, reverse=True), PAGE))


def _decisions(word: str, before: datetime | None) -> Iterable[Deed]:
    found = Event.objects.filter(by__isnull=False).select_related("by", "operation__deployment").order_by("-at")
    if word:
        found = found.filter(_person("by", word) | Q(operation__deployment__name__icontains=word))
    for event in found.filter(at__lt=before)[:PAGE] if before else found[:PAGE]:
        assert event.by is not None, "the filter lets nothing else through"
        what = event.message.removeprefix(f"{event.by} ")
        yield Deed(event.at, event.by, f"{what[:1].upper()}{what[1:]}", event.operation.deployment)


def _rejections(word: str, before: datetime | None) -> Iterable[Deed]:
    found = Review.objects.filter(approved=False).select_related("reviewer", "revision__deployment").order_by("-at")
    if word:
        found = found.filter(_person("reviewer", word) | Q(revision__deployment__name__icontains=word))
    for review in found.filter(at__lt=before)[:PAGE] if before else found[:PAGE]:
        asked = f"the change to revision {review.revision.number}" if review.revision.needs_review else "the request"
        yield Deed(review.at, review.reviewer, f"Did not approve {asked}: {review.reason}", review.revision.deployment)


def _settings(word: str, before: datetime | None) -> Iterable[Deed]:
    found = LogEntry.objects.select_related("user", "content_type").order_by("-action_time")
    if word:
        found = found.filter(_person("user", word) | Q(object_repr__icontains=word))
    for entry in found.filter(action_time__lt=before)[:PAGE] if before else found[:PAGE]:
        kind = entry.content_type.name if entry.content_type else "something"
        more = f" ({entry.get_change_message()})" if entry.action_flag == CHANGE else ""
        what = f"{VERBS.get(entry.action_flag, 'Changed')} the {kind} “{entry.object_repr}”{more}"
        yield Deed(entry.action_time, entry.user, what)


def _person(field: str, word: str) -> Q:
    names = ("username", "first_name", "last_name")
    return Q(*((f"{field}__{name}__icontains", word) for name in names), _connector=Q.OR)
