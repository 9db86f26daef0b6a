"""What a hub costs a month, from its description and Azure's prices. Pure.

Node prices come from Azure's price list. The rest (disks, public address, load balancer) is small beside them and is
counted with the list prices named here, in British pounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

HOURS_A_MONTH = Decimal(730)
#: azure.microsoft.com price calculator, UK South, pay as you go: a 128 GiB premium SSD (P10), a standard load balancer
#: with its first rules, a static public IPv4 address, a 4 GiB standard SSD for the hub's database.
OS_DISK, LOAD_BALANCER, PUBLIC_ADDRESS, HUB_DISK = Decimal("15.60"), Decimal("14.60"), Decimal("2.90"), Decimal("0.50")
STANDARD_TIER_HOUR = Decimal("0.08")


@dataclass(frozen=True)
class Part:
    """One line of an estimate, per month."""

    label: str
    amount: Decimal


@dataclass(frozen=True)
class Estimate:
    """Cost per month by parts. `as_of` is the day on which Azure was asked for the node price (ISO)."""

    parts: tuple[Part, ...]
    currency: str
    as_of: str

    @property
    def monthly(self) -> Decimal:
        return sum((part.amount for part in self.parts), Decimal(0)).quantize(Decimal("0.01"))

    @property
    def daily(self) -> Decimal:
        return (self.monthly * 24 / HOURS_A_MONTH).quantize(Decimal("0.01"))


def estimate(*, node_hour: Decimal, node_count: int, tier: str, currency: str, as_of: str) -> Estimate:
    """The whole cost of a hub that runs all the time; `node_hour` is one node's price for an hour."""
    nodes = f"{node_count} node{'' if node_count == 1 else 's'}"
    parts = [
        Part(nodes, _pence(node_hour * HOURS_A_MONTH * node_count)),
        Part(f"Disks of {nodes}", OS_DISK * node_count),
        Part("Load balancer, public address and the hub's disk", LOAD_BALANCER + PUBLIC_ADDRESS + HUB_DISK),
    ]
    if tier == "Standard":
        parts.append(Part("Uptime guarantee", _pence(STANDARD_TIER_HOUR * HOURS_A_MONTH)))
    return Estimate(tuple(parts), currency, as_of)


def _pence(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"))
