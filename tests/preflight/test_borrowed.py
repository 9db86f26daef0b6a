"""What Azure has told of a subscription serves several hubs for a while; nobody fails for what may be mended by now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from accounts.models import User
from deployments import services
from deployments.models import Deployment
from tests.preflight.conftest import context
from tests.preflight.world import World
from worker.facts import Look
from worker.hub import HubContext
from worker.step import State
from worker.steps.preflight import Preflight

LONG = 600.0


def asking(make_hub: Callable[..., Deployment], people: dict[str, User], world: World, name: str) -> HubContext:
    hub = make_hub(name=name, subscription_id=world.subscription)
    return context(services.approve(people["reviewer"], hub, 1), "preflight")


def test_the_next_hub_borrows_what_the_first_was_told(
    make_hub: Callable[..., Deployment], people: dict[str, User], world: World
) -> None:
    first, second = (Look(asking(make_hub, people, world, name), LONG) for name in ("one", "two"))
    told, again = first.whole(), second.whole()
    assert (first.borrowed, second.borrowed) == (False, True)
    assert (again.sizes, again.providers, again.versions) == (told.sizes, told.providers, told.versions)


def test_policies_are_asked_anew_only_about_what_has_the_hubs_own_name(
    make_hub: Callable[..., Deployment], people: dict[str, User], world: World
) -> None:
    def asked(name: str) -> int:
        look = Look(asking(make_hub, people, world, name), LONG)
        before = len(world.process.control("journal"))
        look.whole()
        rows = world.process.control("journal")[before:]
        return sum(row["path"].endswith("/checkPolicyRestrictions") for row in rows)

    kinds, bearing_a_name = 6, 2
    assert (asked("one"), asked("two")) == (kinds, bearing_a_name)


def test_nobody_fails_for_what_another_hub_was_told(
    make_hub: Callable[..., Deployment], people: dict[str, User], world: World, settings: Any
) -> None:
    settings.SLIPWAY_SHARED_SECONDS = LONG
    world.is_disabled()
    assert Preflight().check(asking(make_hub, people, world, "one")).state is State.FAILED
    world.process.control("azure/subscriptions", {"id": world.subscription, "state": "Enabled"})
    assert Preflight().check(asking(make_hub, people, world, "two")).state is State.READY
