"""How long pages take, with a portal that has a past."""

from __future__ import annotations

from bench import scripted
from bench.person import Person
from bench.table import Figures
from bootstrap.stack import Stack

HUBS, EVENTS, LOOKS = 50, 100, 40


def measure(stack: Stack, figures: Figures) -> None:
    """Median and 95th percentile over plain HTTP, one page after the other; a static file beside it as the floor."""
    hub, operation = scripted.fill(stack, HUBS, EVENTS)
    remark = f"{HUBS} hubs, {HUBS * EVENTS} lines of log"
    with Person(stack.address, "admin", stack.passwords["admin"]) as admin:
        floor = admin.times("static/css/pages.css", LOOKS)
        for name, path in {
            "My hubs": "",
            "All hubs": "hubs/",
            "a hub": f"hubs/{hub}/",
            "its log": f"operations/{operation}/log/",
            "the form": "hubs/new/",
            "Review": "review/",
        }.items():
            median, slow = admin.times(path, LOOKS)
            figures.add(f"page: {name}", _shown(median, slow), f"static file {_shown(*floor)}", remark)


def _shown(median: float, slow: float) -> str:
    return f"{median:.0f} ms, p95 {slow:.0f} ms"
