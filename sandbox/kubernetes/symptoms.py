"""Troubles that a test or a demo wishes pods, services, nodes and volume claims: who is meant by which wish."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Wish = dict[str, Any]
#: What a wish may be about; one that names none of the others is about pods.
ABOUT = ("service", "node", "claim", "pod")


def about(wish: Wish) -> str:
    return next((what for what in ABOUT if what in wish), "pod")


def wished(wishes: Iterable[Wish], what: str, cluster: str, namespace: str, name: str) -> Wish | None:
    """The first wish for the thing of that name; nodes have no namespace."""
    for wish in wishes:
        places = wish.get("cluster"), wish.get("namespace") if what != "node" else None
        here = all(place in (None, "", mine) for place, mine in zip(places, (cluster, namespace), strict=True))
        if here and about(wish) == what and name.startswith(wish.get(what) or ""):
            return wish
    return None
