"""What templates say: statuses, times, amounts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from html import escape
from typing import Any

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from deployments import states, wording
from deployments.models import Deployment, Event
from deployments.progress import standing_look
from deployments.strip import Slot
from deployments.todo import Todo, todo

register = template.Library()
KINDS: dict[str, Any] = {
    "lifecycle": states.Lifecycle,
    "health": states.Health,
    "certificate": states.CertificateState,
    "outcome": states.Outcome,
    "operation": states.OperationStatus,
    "kind": states.OperationKind,
    "step": states.StepState,
    "secret": states.SecretState,
    "level": states.Level,
    "discrepancy": states.DiscrepancyKind,
}


#: Made here and not in templates, like a line of the log and a slot of a strip: a page has dozens of the first and
#: hundreds of the others, and a template takes five times as long for each.
STATUS = '<span class="status {}" data-status="{}"><span class="dot" aria-hidden="true"></span>{}</span>\n'
LAST_DAY = '{} <span class="left {}">{}</span>'
SLOT = '<rect x="{}" width="8" height="24" rx="2" class="{}"><title>{}</title></rect>'
LINE = (
    '<li class="line {}" data-number="{}"><time datetime="{}">{}</time>'
    '<span class="line-step">{}</span><span class="line-text">{}</span></li>\n'
)


@register.simple_tag
def status(kind: str, value: str, label: str = "") -> SafeString:
    """A status with its label and colour, from deployments.states."""
    look = KINDS[kind](value).look
    return format_html(STATUS, look.colour, value, label or look.label)


@register.simple_tag
def standing(hub: Deployment, kind: str | None, run: str | None) -> SafeString:
    """Where the hub is in its life; a build or teardown that stopped on the way says so."""
    look = standing_look(hub.lifecycle, kind or "", run or "")
    return format_html(STATUS, look.colour, hub.lifecycle, look.label)


@register.filter
def look(value: str, kind: str) -> states.Look:
    found: states.Look = KINDS[kind](value).look
    return found


@register.filter
def ago(moment: datetime | None) -> SafeString | str:
    """How long since, with the exact moment as its title."""
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    exact = f"{date_format(local, 'j F Y, H:i:s')} {local.tzname()}"
    told = wording.ago(moment, timezone.now())
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact, told)


@register.filter
def moment(written: str) -> str:
    """A moment in ISO form, in words."""
    local = timezone.localtime(datetime.fromisoformat(written))
    return f"{date_format(local, 'j F Y, H:i')} {local.tzname()}"


@register.simple_tag
def log_lines(lines: list[Event]) -> SafeString:
    zone = timezone.get_current_timezone()
    moments = [line.at.astimezone(zone) for line in lines]
    return _joined(
        LINE,
        (
            (line.level, line.number, at.isoformat(), f"{at:%H:%M:%S}", line.step, line.message)
            for line, at in zip(lines, moments, strict=True)
        ),
    )


@register.simple_tag
def strip_slots(slots: Iterable[Slot]) -> SafeString:
    return _joined(SLOT, ((f"{number}1", slot.health, slot.told) for number, slot in enumerate(slots)))


def _joined(form: str, rows: Iterable[tuple[object, ...]]) -> SafeString:
    """As format_html_join, which asks each value whether it is lazy or safe already: a third of a page's time."""
    return mark_safe("".join(form.format(*[escape(str(value)) for value in row]) for row in rows))


@register.filter
def span(length: timedelta | float | None) -> str:
    return wording.span(length)


@register.simple_tag
def money(amount: Decimal | None, currency: str) -> str:
    return wording.money(amount, currency)


@register.filter
def days_left(keep_until: date) -> str:
    return wording.days_left((keep_until - timezone.localdate()).days)


@register.simple_tag
def last_day(keep_until: date) -> SafeString:
    """The day in short, and how near it is."""
    days = (keep_until - timezone.localdate()).days
    return format_html(LAST_DAY, f"{keep_until:%-d %b %Y}", wording.urgency(days), wording.days_left(days))


@register.filter
def urgency(keep_until: date) -> str:
    return wording.urgency((keep_until - timezone.localdate()).days)


@register.filter
def secret_name(purpose: str) -> str:
    return wording.secret_name(purpose)


@register.filter
def chart(version: str) -> str:
    return wording.chart_version(version)


@register.filter
def changes_since(version: str, present: str) -> str:
    return wording.changes_between(present, version)


@register.filter
def day(written: date | str) -> str:
    """A day, also one in ISO form, in words."""
    return date_format(date.fromisoformat(written[:10]) if isinstance(written, str) else written, "j F Y")


@register.simple_tag(takes_context=True)
def waiting_reviews(context: template.Context) -> int | None:
    """How many requests and changes wait for this person's decision; None for who does not review."""
    found = _todo(context)
    return found.reviews if found else None


@register.simple_tag(takes_context=True)
def things_left_over(context: template.Context) -> int | None:
    """How many hubs' things are left over or gone; None for who does not review."""
    found = _todo(context)
    return found.left_over if found else None


def _todo(context: template.Context) -> Todo | None:
    """Counted once for each answer."""
    request: Any = context.get("request")
    user = getattr(request, "user", None)
    if not (user and user.is_authenticated and user.may_review):
        return None
    if not hasattr(request, "todo"):
        request.todo = todo()
    found: Todo = request.todo
    return found
