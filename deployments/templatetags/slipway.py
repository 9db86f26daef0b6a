"""What templates say: statuses, times, amounts."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django import template
from django.db.models import Value
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from deployments import states, wording
from deployments.models import Deployment, Discrepancy, Event, SpecRevision
from deployments.progress import standing_look

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


@register.inclusion_tag("_status.html")
def status(kind: str, value: str, label: str = "") -> dict[str, Any]:
    """A status with its label and colour, from deployments.states."""
    look = KINDS[kind](value).look
    return {"label": label or look.label, "colour": look.colour, "value": value}


@register.inclusion_tag("_status.html")
def standing(hub: Deployment, kind: str | None, run: str | None) -> dict[str, Any]:
    """Where the hub is in its life; a build or teardown that stopped on the way says so."""
    look = standing_look(hub.lifecycle, kind or "", run or "")
    return {"label": look.label, "colour": look.colour, "value": hub.lifecycle}


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


#: Made here and not in a template: a page has hundreds of lines, and a template takes five times as long for each.
LINE = (
    '<li class="line {}" data-number="{}"><time datetime="{}">{}</time>'
    '<span class="line-step">{}</span><span class="line-text">{}</span></li>\n'
)


@register.simple_tag
def log_lines(lines: list[Event]) -> SafeString:
    moments = [timezone.localtime(line.at) for line in lines]
    return format_html_join(
        "",
        LINE,
        (
            (line.level, line.number, at.isoformat(), f"{at:%H:%M:%S}", line.step, line.message)
            for line, at in zip(lines, moments, strict=True)
        ),
    )


@register.filter
def span(length: timedelta | float | None) -> str:
    return wording.span(length)


@register.simple_tag
def money(amount: Decimal | None, currency: str) -> str:
    return wording.money(amount, currency)


@register.filter
def days_left(keep_until: date) -> str:
    return wording.days_left((keep_until - timezone.localdate()).days)


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
    if not _reviews(context):
        return None
    # In one query: this stands on every page.
    hubs = Deployment.objects.awaiting_review().order_by().values_list(Value(1))
    return hubs.union(SpecRevision.objects.awaiting_review().values_list(Value(1)), all=True).count()


@register.simple_tag(takes_context=True)
def things_left_over(context: template.Context) -> int | None:
    """How many hubs' things are left over or gone; None for who does not review."""
    return Discrepancy.objects.for_administrators().count() if _reviews(context) else None


def _reviews(context: template.Context) -> bool:
    user = getattr(context.get("request"), "user", None)
    return bool(user and user.is_authenticated and user.may_review)
