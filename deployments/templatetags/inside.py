"""How the inside of a hub is told: states, parts, ages, amounts. What workers keep of it is JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from deployments import wording
from deployments.inside import words

register = template.Library()
Json = dict[str, Any]


@register.inclusion_tag("hubs/inside/_state.html")
def pod_state(row: Json) -> dict[str, words.Shown]:
    return {"shown": words.pod_state(row)}


@register.inclusion_tag("hubs/inside/_state.html")
def container_state(container: Json) -> dict[str, words.Shown]:
    return {"shown": words.container_state(container)}


@register.inclusion_tag("hubs/inside/_state.html")
def node_state(node: Json) -> dict[str, words.Shown]:
    return {"shown": words.node_state(node)}


@register.inclusion_tag("hubs/inside/_state.html")
def revision_state(status: str) -> dict[str, words.Shown]:
    return {"shown": words.revision_state(status)}


@register.filter
def part(row: Json) -> str:
    return words.part(row)


@register.filter
def of_the_hub(pods: list[Json]) -> list[Json]:
    return [row for row in pods if row.get("component") not in words.SESSIONS]


@register.filter
def of_people(pods: list[Json]) -> list[Json]:
    """Sessions and builds."""
    return [row for row in pods if row.get("component") in words.SESSIONS]


@register.filter
def amount(quantity: str) -> str:
    return words.amount(quantity)


@register.filter
def condition(kind: str) -> str:
    return words.condition(kind)


@register.filter
def volume(kind: str) -> str:
    return words.volume(kind)


@register.filter
def yesno_word(value: str) -> str:
    """Kubernetes' True, False and Unknown."""
    return {"True": "yes", "False": "not yet"}.get(value, "unknown")


@register.filter
def age(written: str | None) -> SafeString | str:
    """How long since a moment in ISO form; it grows on the page by itself."""
    if not written:
        return "–"
    told = wording.span(timezone.now() - datetime.fromisoformat(written))
    return format_html('<span data-since="{}">{}</span>', written, told)


@register.filter
def last_number(lines: list[list[Any]] | str) -> int:
    """The number of the newest line of a log, 0 when there is none."""
    return int(lines[-1][0]) if lines else 0


@register.filter
def instant(written: str | None) -> datetime | None:
    """A moment in ISO form."""
    return datetime.fromisoformat(written) if written else None
