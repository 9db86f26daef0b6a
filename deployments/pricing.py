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
USUAL_DISK = 128  # GiB
STANDARD_TIER_HOUR = Decimal("0.08")
#: An Azure Container Registry of the Basic tier, a month.
REGISTRY = Decimal("3.90")


@dataclass(frozen=True)
class Part:
    """One line of an estimate, per month. `machines`: it costs nothing while the hub is stopped."""

    label: str
    amount: Decimal
    machines: bool = False


@dataclass(frozen=True)
class UserPool:
    """Nodes for people's sessions that come and go: the price of one for an hour, the fewest and the most of them."""

    node_hour: Decimal
    fewest: int
    most: int


@dataclass(frozen=True)
class Estimate:
    """Cost per month by parts, with the fewest nodes; `extra` is what the most nodes would add.

    `as_of` is the day on which Azure was asked for the node price (ISO).
    """

    parts: tuple[Part, ...]
    currency: str
    as_of: str
    extra: Decimal = Decimal(0)

    @property
    def monthly(self) -> Decimal:
        return _pence(sum((part.amount for part in self.parts), Decimal(0)))

    @property
    def most(self) -> Decimal:
        """With as many nodes as the hub may ever have."""
        return _pence(self.monthly + self.extra)

    @property
    def stopped(self) -> Decimal:
        """While its machines are off: what they need to come back stays, and is paid for."""
        return _pence(sum((part.amount for part in self.parts if not part.machines), Decimal(0)))

    @property
    def daily(self) -> Decimal:
        return _pence(self.monthly * 24 / HOURS_A_MONTH)


def estimate(
    *,
    node_hour: Decimal,
    node_count: int,
    tier: str,
    currency: str,
    as_of: str,
    os_disk_gib: int = 0,
    registry: str = "dockerhub",
    user_pool: UserPool | None = None,
) -> Estimate:
    """The whole cost of a hub that runs all the time; `node_hour` is one node's price for an hour."""
    disk = OS_DISK * (os_disk_gib or USUAL_DISK) / USUAL_DISK
    fewest = user_pool.fewest if user_pool else 0
    parts = [
        Part(_nodes(node_count), _pence(node_hour * HOURS_A_MONTH * node_count), machines=True),
        Part(f"Disks of {_nodes(node_count + fewest)}", _pence(disk * (node_count + fewest))),
        Part("Load balancer, public address and the hub's disk", LOAD_BALANCER + PUBLIC_ADDRESS + HUB_DISK),
    ]
    extra = Decimal(0)
    if user_pool:
        a_node = user_pool.node_hour * HOURS_A_MONTH
        parts.insert(1, Part(f"{_nodes(fewest)} for sessions, always on", _pence(a_node * fewest), machines=True))
        extra = (a_node + disk) * (user_pool.most - fewest)
    if tier == "Standard":
        parts.append(Part("Uptime guarantee", _pence(STANDARD_TIER_HOUR * HOURS_A_MONTH)))
    if registry == "acr":
        parts.append(Part("Container registry", REGISTRY))
    return Estimate(tuple(parts), currency, as_of, _pence(extra))


def _nodes(count: int) -> str:
    return f"{count} node{'' if count == 1 else 's'}"


def _pence(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"))
