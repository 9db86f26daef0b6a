"""A hub's health over time: looks counted in slots. Pure but for reading them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count, IntegerField, QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone

from deployments.models import Deployment, HealthCheck
from deployments.states import Health

#: The looks of a hub are kept so long (days).
KEPT_DAYS = 30
HALF_HOURS = 48


@dataclass(frozen=True)
class Slot:
    """A stretch of time: how many looks found the hub well, and how many did not."""

    label: str
    well: int = 0
    ill: int = 0

    @property
    def health(self) -> Health:
        if self.ill:
            return Health.UNHEALTHY
        return Health.HEALTHY if self.well else Health.UNKNOWN

    @property
    def told(self) -> str:
        if not self.well and not self.ill:
            return f"{self.label}: nobody looked"
        if not self.ill:
            return f"{self.label}: healthy"
        return f"{self.label}: not answering in {self.ill} of {self.well + self.ill} looks"


@dataclass(frozen=True)
class Strip:
    """Slots from the oldest to the newest."""

    title: str
    slots: tuple[Slot, ...]

    @property
    def told(self) -> str:
        """The strip in words."""
        well, ill = sum(slot.well for slot in self.slots), sum(slot.ill for slot in self.slots)
        if not well + ill:
            return "nobody has looked yet"
        if not ill:
            return f"healthy in all of {well} looks" if well > 1 else "healthy when looked at, once"
        worst = max(self.slots, key=lambda slot: slot.ill)
        share = f"{100 * well / (well + ill):.1f}".removesuffix(".0")
        return f"healthy in {share} % of {well + ill} looks; not answering most at {worst.label}"


def strips(hub: Deployment, now: datetime) -> list[Strip]:
    """The last day in half hours, and the last thirty days."""
    looks, length = HealthCheck.objects.filter(deployment=hub), timedelta(days=1) / HALF_HOURS
    half_hours = [now - length * number for number in range(HALF_HOURS, 0, -1)]
    zone = timezone.get_current_timezone()
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [midnight - timedelta(days=number) for number in range(KEPT_DAYS - 1, -1, -1)]
    labels = [f"{begin.astimezone(zone):%H:%M}" for begin in half_hours], [f"{day:%-d %b}" for day in days]
    return [
        Strip("Last 24 hours", slots(labels[0], _counted(looks.filter(at__lt=now), half_hours))),
        Strip("Last 30 days", slots(labels[1], _counted(looks, days))),
    ]


def _counted(looks: QuerySet[HealthCheck], begins: list[datetime]) -> QuerySet[HealthCheck, tuple[int, str, int]]:
    """How many looks saw what in each slot, given when the slots begin: there are thousands, so the database counts.

    Every look is sorted into its slot by comparing, the newest first: both databases do that fast, and a day that is an
    hour shorter needs no thought. Written as SQL, because Django takes longer to write so many conditions than
    PostgreSQL to count the looks.
    """
    cases = " ".join(f"WHEN at >= %s THEN {number}" for number in reversed(range(len(begins))))
    stored = [connection.ops.adapt_datetimefield_value(begin) for begin in reversed(begins)]
    slot = RawSQL(f"CASE {cases} END", stored, output_field=IntegerField())
    found = looks.filter(at__gte=begins[0]).annotate(slot=slot)
    return found.order_by().values_list("slot", "health").annotate(count=Count("*"))


def slots(labels: list[str], counted: Iterable[tuple[int, str, int]]) -> tuple[Slot, ...]:
    """Slots with these labels; each count says which slot, what was seen, and how often."""
    well, ill = [0] * len(labels), [0] * len(labels)
    for number, health, count in counted:
        (well if health == Health.HEALTHY else ill)[number] += count
    return tuple(map(Slot, labels, well, ill))
