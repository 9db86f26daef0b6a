"""Figures of the chaos, below the tests that made them."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from tests.chaos.seed import SEED

VERDICTS = ("recovered", "failed well", "bad")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Prints what tests have noted as `figures` (lines) and `matrix` ([fault, how often which verdict])."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    noted = [item for report in reports for item in getattr(report, "user_properties", [])]
    lines = [str(value) for name, value in noted if name == "figures"]
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for name, value in noted:
        if name == "matrix":
            table[value[0]].update(value[1])
    if not lines and not table:
        return
    terminalreporter.section(f"chaos, SLIPWAY_SEED={SEED}")
    for line in [*lines, *(_table(table) if table else [])]:
        terminalreporter.write_line(line)


def _table(table: dict[str, Counter[str]]) -> list[str]:
    rows = [(fault, [counts[verdict] for verdict in VERDICTS]) for fault, counts in sorted(table.items())]
    rows.append(("all", [sum(counts[place] for _, counts in rows) for place in range(len(VERDICTS))]))
    head = f"{'fault':<36}{'calls':>7}" + "".join(f"{verdict:>13}" for verdict in VERDICTS)
    told = [f"{fault:<36}{sum(counts):>7}" + "".join(f"{count:>13}" for count in counts) for fault, counts in rows]
    return [head, *told]
