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
def passing(row: Json) -> bool:
    """Whether the pod belongs to what people do, not to the hub itself."""
    return row.get("component") in words.SESSIONS


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
def instant(written: str | None) -> datetime | None:
    """A moment in ISO form."""
    return datetime.fromisoformat(written) if written else None
