"""How often to look at something that changes by itself."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

#: Longest time between two looks, in seconds.
SLOWEST = 15.0
#: A look may take this share of the time between two of them.
SHARE = 0.1


def pause(spent: float, expected: float) -> float:
    """Seconds until the next look is worth while, when `spent` have gone by of about `expected`.

    Soon at first, then slower, soon again when it should be done about now, and slower once it is late: a tenth of the
    time since it began, or of the time to or from its expected end.
    """
    return min(max(settings.SLIPWAY_POLL_SECONDS, SHARE * min(spent, abs(expected - spent))), SLOWEST)


def seconds_between(began: datetime | None, now: datetime) -> float:
    return (now - began).total_seconds() if began else 0.0
