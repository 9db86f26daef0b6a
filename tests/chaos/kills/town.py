"""Several hubs at once, each with a whole life: built, changed, taken down; then the next one of its street."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.kills.reader import Reader
from tests.chaos.writes import FINAL, Horses

LOOK_EVERY = 0.3
#: A decision may meet a killed cloud or a locked database: the person presses the button again.
PRESSES = 30


@dataclass
class House:
    """One hub: what is being done to it, and what comes next."""

    name: str
    deployment: str = ""
    doing: str = ""
    operation: str = ""
    done: list[str] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        return self.done[-1:] == ["tear_down"]


@dataclass
class Town:
    """`live(until_told)` builds houses in so many streets until it is told to stop, then sees the last of them end."""

    horses: Horses
    streets: int
    address: str
    cookies: dict[str, str]
    houses: list[House] = field(default_factory=list)
    readers: dict[str, Reader] = field(default_factory=dict)
    last_look: list[dict[str, Any]] = field(default_factory=list)

    def live(self, more: Any, patience: float) -> None:
        """`more()` says whether new houses are built; at the end all must be gone within `patience` seconds."""
        until = 0.0
        while True:
            going_on = more()
            until = time.monotonic() + patience if going_on else until
            assert going_on or time.monotonic() < until, f"These never end: {self._open()}"
            standing = [house for house in self.houses if not house.is_over]
            for _ in range(self.streets - len(standing) if going_on else 0):
                standing.append(House(f"house-{len(self.houses)}"))
                self.houses.append(standing[-1])
            if not standing:
                return
            self._look(standing)
            time.sleep(LOOK_EVERY)

    def _look(self, houses: list[House]) -> None:
        self.last_look = self.ask("standing")["operations"]
        ended = {row["id"]: row for row in self.last_look if row["status"] in FINAL}
        for house in houses:
            if house.operation and house.operation not in ended:
                continue
            if house.operation:
                row = ended[house.operation]
                assert row["status"] == "succeeded", (house, row)
                house.done.append(house.doing)
            self._next(house)

    def _next(self, house: House) -> None:
        house.doing = {"": "build", "build": "change", "change": "tear_down"}.get(
            house.done[-1] if house.done else "", ""
        )
        if not house.doing:
            return
        what = {"name": house.name} if house.doing == "build" else {"deployment": house.deployment}
        answer = self.ask(house.doing, **what)
        house.deployment, house.operation = answer.get("deployment", house.deployment), answer["operation"]
        self.readers[house.operation] = Reader(self.address, house.operation, self.cookies)

    def ask(self, do: str, **more: Any) -> dict[str, Any]:
        for _ in range(PRESSES):
            try:
                return self.horses.ask(do, **more)
            except AssertionError as error:
                trouble = error
                time.sleep(0.5)
        raise trouble

    def _open(self) -> list[Any]:
        return [row for row in self.last_look if row["status"] not in FINAL] or [
            house for house in self.houses if not house.is_over
        ]
