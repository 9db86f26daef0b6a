"""Stacks of the tests' own: a fresh folder, free ports, everything ended afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bootstrap.stack import Stack


@pytest.fixture
def new_stack(tmp_path: Path) -> Iterator[Callable[..., Stack]]:
    """Makes stacks, each call in the same folder unless told another."""
    stacks: list[Stack] = []

    def make(home: Path = tmp_path / "home", **settings: object) -> Stack:
        stacks.append(Stack(home, **{"speed": 1000, **settings}))
        return stacks[-1]

    yield make
    for stack in stacks:
        stack.stop()
