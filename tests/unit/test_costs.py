"""What a hub costs a month, at the least, at the most, and while it is stopped."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from deployments.pricing import UserPool, estimate


def cost(**changes: Any) -> Any:
    plain: dict[str, Any] = {"node_hour": Decimal("0.10"), "node_count": 1, "tier": "Free", "currency": "GBP"}
    return estimate(**(plain | {"as_of": "2026-11-23"} | changes))


def test_the_sum_is_that_of_its_parts() -> None:
    assert cost().monthly == sum(part.amount for part in cost().parts)


def test_each_node_costs_its_hours_and_its_disk() -> None:
    assert cost(node_count=3).monthly - cost(node_count=2).monthly == Decimal("73.00") + Decimal("15.60")


def test_a_smaller_disk_costs_less() -> None:
    assert cost(os_disk_gib=64).monthly == cost().monthly - Decimal("7.80")


def test_the_standard_tier_and_a_registry_cost_extra() -> None:
    assert cost(tier="Standard").monthly - cost().monthly == Decimal("58.40")
    assert cost(registry="acr").monthly - cost().monthly == Decimal("3.90")


def test_nodes_that_come_and_go_are_counted_at_the_fewest_and_at_the_most() -> None:
    pool = UserPool(Decimal("0.20"), 1, 5)
    assert cost(user_pool=pool).monthly - cost().monthly == Decimal("146.00") + Decimal("15.60")
    assert cost(user_pool=pool).most - cost(user_pool=pool).monthly == 4 * (Decimal("146.00") + Decimal("15.60"))


def test_without_such_nodes_the_most_is_what_it_always_costs() -> None:
    assert cost().most == cost().monthly


def test_a_stopped_hub_costs_no_machines() -> None:
    assert cost(node_count=4).stopped == cost(node_count=4).monthly - Decimal("292.00")


def test_a_day_is_a_months_share() -> None:
    assert abs(cost().daily * 730 / 24 - cost().monthly) < Decimal("0.20")
