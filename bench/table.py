"""The table that `make bench` prints."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table


class BenchFailed(Exception):
    """Something that was to be measured did not happen."""


class Figures:
    """Rows of: what, ours, beside it, remark. Printed as they come, and as one table at the end."""

    def __init__(self) -> None:
        self.console = Console(highlight=False, width=140)
        self._rows: list[tuple[str, str, str, str]] = []

    def add(self, what: str, ours: str, beside: str = "", remark: str = "") -> None:
        self._rows.append((what, ours, beside, remark))
        self.console.print(f"  {what}: {ours}" + (f"   ({beside})" if beside else ""), style="dim")

    def show(self) -> None:
        table = Table("What", "Slipway", "Beside it", "Remark")
        for row in self._rows:
            table.add_row(*row)
        self.console.print(table)
