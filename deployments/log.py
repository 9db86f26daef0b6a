"""An operation's log in pages of lines, whether they are rows still or archived; people read lines only here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils import timezone

from deployments.archive import archived
from deployments.models import Event, Operation

LINES = 200
#: Lines read at a time for the whole log.
CHUNK = 1000


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
    newest = operation.event_count
    last = newest if number is None else min(number - 1, newest)
    return LogPage(operation, _lines(operation, max(1, last - LINES + 1), last), newest)


def lines_after(operation: Operation, number: int, limit: int) -> list[Event]:
    """Up to `limit` lines after that number, also such as came after the operation was read."""
    return _lines(operation, number + 1, number + limit)


def whole_log(operation: Operation) -> Iterator[str]:
    """Every line as text."""
    number = 0
    while lines := lines_after(operation, number, CHUNK):
        yield "".join(_text(line) for line in lines)
        number = lines[-1].number


def _text(line: Event) -> str:
    at = timezone.localtime(line.at)
    return f"{at:%Y-%m-%d %H:%M:%S %Z}  {line.level:<7}  {line.step:<16}  {line.message}\n"


def _lines(operation: Operation, first: int, last: int) -> list[Event]:
    """The lines with these numbers. Rows are read first: what is no row any more is in the archives by then."""
    asked = Event.objects.filter(operation=operation.id, number__range=(first, last)).order_by("number")
    # There are no more than that; told so, PostgreSQL does not prepare for the whole of a very long log.
    rows = list(asked[: max(0, last - first + 1)])
    known = min(last, operation.event_count)
    if sum(row.number <= known for row in rows) >= known - first + 1:
        return rows
    found = {line.number: line for line in [*archived(operation, first, last), *rows]}
    return [found[number] for number in sorted(found)]
