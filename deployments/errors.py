"""What can go wrong in a decision. Errors of the outside world are in cloud.errors."""

from __future__ import annotations

from cloud.errors import PermanentError, SlipwayError

__all__ = ["Expired", "NotAllowed", "OverPolicy", "SlipwayError", "TooLate"]


class NotAllowed(PermanentError):
    """The person may not do this."""


class TooLate(PermanentError):
    """Somebody else was faster, or the thing has moved on: the page shown was old."""


class OverPolicy(PermanentError):
    """More than the person's group may spend."""


class Expired(PermanentError):
    """The form is too old to be trusted."""
