"""An operation's log in pages of lines."""

from __future__ import annotations

from dataclasses import dataclass

from deployments.models import Event, Operation

LINES = 200


@dataclass(frozen=True)
class LogPage:
    """Some lines, oldest first, and the number of the newest there is."""

    operation: Operation
    lines: list[Event]
    last: int

    @property
    def first_number(self) -> int:
        return self.lines[0].number if self.lines else 0

    @property
    def last_number(self) -> int:
        return self.lines[-1].number if self.lines else 0

    @property
    def has_earlier(self) -> bool:
        return self.first_number > 1

    @property
    def has_later(self) -> bool:
        return bool(self.lines) and self.last_number < self.last

    @property
    def later_before(self) -> int:
        """The `before` of the next page."""
        return self.last_number + LINES + 1


def newest_lines(operation: Operation) -> LogPage:
    return lines_before(operation, None)


def lines_before(operation: Operation, number: int | None) -> LogPage:
    """The lines just before that number, or the newest."""
    events = operation.events.order_by("-number")
    if number is not None:
        events = events.filter(number__lt=number)
    return LogPage(operation, list(reversed(events[:LINES])), operation.event_count)
