"""A hub's health over time: looks counted in slots of equal length. Pure but for reading them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count, IntegerField, QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone
from django.utils.formats import date_format

from deployments.models import Deployment, HealthCheck
from deployments.states import Health

#: The looks of a hub are kept so long (days).
KEPT_DAYS = 30
HALF_HOURS = 48
#: The number of a look's day, given when each of them begins, the newest first.
DAY = f"CASE {' '.join(f'WHEN at >= %s THEN {number}' for number in reversed(range(KEPT_DAYS)))} END"


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
    looks = HealthCheck.objects.filter(deployment=hub)
    today = looks.filter(at__gt=now - timedelta(days=1)).values_list("at", "health")
    return [half_hours(today, now), _days(looks, timezone.localtime(now))]


def _days(looks: QuerySet[HealthCheck], now: datetime) -> Strip:
    """The last thirty days, counted by the database in one go: there are thousands of looks.

    Every look is sorted into its day by comparing, the newest day first: both databases do that fast, and a day that is
    an hour shorter needs no thought. Written as SQL, because Django takes longer to write thirty conditions than
    PostgreSQL to count thousands of looks.
    """
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    begins = [midnight - timedelta(days=KEPT_DAYS - 1 - number) for number in range(KEPT_DAYS)]
    stored = [connection.ops.adapt_datetimefield_value(begin) for begin in reversed(begins)]
    day = RawSQL(DAY, stored, output_field=IntegerField())
    found = looks.filter(at__gte=begins[0]).annotate(day=day)
    counted = found.order_by().values_list("day", "health").annotate(count=Count("*"))
    return Strip("Last 30 days", _slots([date_format(begin, "j M") for begin in begins], counted))


def half_hours(looks: Iterable[tuple[datetime, str]], now: datetime) -> Strip:
    """The looks of the last day."""
    length = timedelta(days=1) / HALF_HOURS
    begin = now - length * HALF_HOURS
    labels = [date_format(timezone.localtime(begin + length * number), "H:i") for number in range(HALF_HOURS)]
    counted = [(int((at - begin) / length), health, 1) for at, health in looks if begin <= at < now]
    return Strip("Last 24 hours", _slots(labels, counted))


def _slots(labels: list[str], counted: Iterable[tuple[int, str, int]]) -> tuple[Slot, ...]:
    """Slots with these labels; each count says which slot, what was seen, and how often."""
    well, ill = [0] * len(labels), [0] * len(labels)
    for number, health, count in counted:
        (well if health == Health.HEALTHY else ill)[number] += count
    return tuple(map(Slot, labels, well, ill))
