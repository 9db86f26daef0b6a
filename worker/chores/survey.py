"""The survey: every place that the portal may use is compared with our records, regularly and when somebody asks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from accounts.models import SubscriptionGrant
from cloud.errors import RetryableError, SlipwayError
from deployments import outside
from deployments.models import Deployment, Discrepancy, Survey
from deployments.redaction import redact
from deployments.states import Lifecycle
from deployments.surveys import VAULT

#: A place that could not be looked at is tried again at the latest after so long (seconds).
AGAIN = 300.0
#: Hubs of which something should be in the cloud.
MADE = (Lifecycle.PROVISIONING, Lifecycle.READY, Lifecycle.STOPPED, Lifecycle.DELETING)


def due(now: datetime) -> bool:
    """Whether some place has not been looked at for long enough."""
    known = {survey.place: survey.due_at for survey in Survey.objects.all()}
    return any(known.get(place, now) <= now for place in {*known, VAULT, *_granted()})


def survey(now: Callable[[], datetime] = timezone.now) -> int:
    """Looks over each place that is due; returns how many it looked over."""
    hubs = _hubs_by_place()
    places = {VAULT, *_granted(), *hubs}
    for place in places:
        Survey.objects.get_or_create(place=place, defaults={"due_at": now()})
    Survey.objects.exclude(place__in=places).delete()
    Discrepancy.objects.exclude(place__in=places).delete()
    mine = [row for row in Survey.objects.filter(due_at__lte=now()) if _claim(row, now())]
    for row in mine:
        _survey(row.place, hubs.get(row.place, []), now)
    return len(mine)


def _granted() -> set[str]:
    return {each.lower() for each in SubscriptionGrant.objects.values_list("subscription_id", flat=True)}


def _hubs_by_place() -> dict[str, list[Deployment]]:
    """The hubs of which something should be there, the one that was not looked at for longest first."""
    found: dict[str, list[Deployment]] = {}
    made = Deployment.objects.filter(lifecycle__in=MADE).order_by(F("inspected_at").asc(nulls_first=True))
    for hub in made.select_related("serving").prefetch_related("resources"):
        found.setdefault(hub.revision.spec.subscription_id.lower(), []).append(hub)
    return found


def _claim(row: Survey, now: datetime) -> bool:
    """Whether it is ours to look at: two workers do not look at once."""
    mine = Survey.objects.filter(id=row.id, due_at=row.due_at)
    return bool(mine.update(due_at=now + timedelta(seconds=settings.SLIPWAY_SURVEY_SECONDS)))


def _survey(place: str, hubs: list[Deployment], now: Callable[[], datetime]) -> None:
    row = Survey.objects.filter(place=place)
    try:
        more = _compare(place, hubs, now())
    except SlipwayError as error:
        if isinstance(error, RetryableError):
            row.update(due_at=now() + timedelta(seconds=min(AGAIN, settings.SLIPWAY_SURVEY_SECONDS)))
        row.filter(problem="").update(problem_since=now())
        row.update(problem=redact(str(error)))
        return
    row.update(looked_at=now(), problem="", problem_since=None, **({"due_at": now()} if more else {}))


def _compare(place: str, hubs: list[Deployment], at: datetime) -> bool:
    """Compares the place with our records; True when more is to be looked at soon."""
    from worker.survey import comparing  # with all that it needs: who only asks whether it is due does without

    if place == VAULT:
        return comparing.vault(outside.vault(), at)
    return comparing.subscription(outside.azure(), place, hubs, at)
