"""Makes happen what is due: a cluster comes up, a group is gone, a vault's name is registered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.azure.store import Store
from sandbox.core import Core

Transition = Callable[[Store, dict[str, Any]], None]
TRANSITIONS: dict[str, Transition] = {}


def transition(kind: str) -> Callable[[Transition], Transition]:
    """Registers the function that carries out what `Store.schedule(kind, …)` has asked for."""

    def register(function: Transition) -> Transition:
        TRANSITIONS[kind] = function
        return function

    return register


def settle(core: Core) -> float | None:
    """Carries out everything due by now, in order; returns the moment of the next, if any."""
    store = Store(core)
    while keys := store.due.keys():
        item = store.due.get(keys[0]) or {}
        if item["moment"] > core.clock.now():
            return float(item["moment"])
        store.due.delete(keys[0])
        TRANSITIONS[item["kind"]](store, item)
    return None
