"""What Azure offers here, remembered with its date: pages read it without calling Azure.

The worker keeps it fresh (`cataloguing`).

Entries: `subscriptions`; `regions:<subscription>`; `offer:<subscription>:<region>` (sizes, quotas, versions);
`room:<subscription>:<region>` (how many nodes of the smallest size fit the quota); `price:<region>:<size>`; `charts`
(versions of the BinderHub chart).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from accounts.models import User
from accounts.policy import granted_subscriptions
from deployments.models import CatalogueEntry
from deployments.preflight import CoresFact
from deployments.pricing import Estimate, estimate
from deployments.remembering import recall

#: A hub's system pods need at least this much on each node.
SMALLEST_NODE = (2, 7)  # virtual CPUs, GiB of memory


@dataclass(frozen=True)
class SubscriptionChoice:
    id: str
    name: str
    state: str
    quota_id: str

    @property
    def is_free_trial(self) -> bool:
        return self.quota_id.startswith("FreeTrial")


@dataclass(frozen=True)
class RegionChoice:
    """A region; `room` is how many nodes of some size the quota still allows there, None while nobody has looked."""

    name: str
    display_name: str
    room: int | None = None


@dataclass(frozen=True)
class SizeChoice:
    """A node size with the price of one node for an hour (None while unknown) and how many the quota still allows."""

    name: str
    family: str
    vcpus: int
    memory_gib: float
    fits: int
    node_hour: Decimal | None

    @property
    def label(self) -> str:
        return f"{self.name.removeprefix('Standard_')}: {self.vcpus} CPUs, {self.memory_gib:g} GB memory"


@dataclass(frozen=True)
class Offer:
    """What one subscription may have in one region, as of `fetched_at`; `problem` says why it is not newer.

    `quotas` are of each family of machines, and of all cores in the region (`cores`).
    `closed` sizes exist there, but not for this subscription; `denied` ones a policy refuses (size → its name).
    """

    sizes: tuple[SizeChoice, ...]
    quotas: dict[str, CoresFact]
    versions: tuple[str, ...]
    default_version: str
    fetched_at: datetime | None
    previews: tuple[str, ...] = ()
    long_term: tuple[str, ...] = ()
    closed: tuple[SizeChoice, ...] = ()
    denied: Mapping[str, str] = field(default_factory=dict)
    addresses: CoresFact | None = None
    problem: str = ""

    def size(self, name: str) -> SizeChoice | None:
        return next((size for size in self.sizes if size.name == name), None)

    @property
    def cores(self) -> CoresFact:
        return self.quotas.get("cores", CoresFact("Cores in the region", 0, 0))


@dataclass(frozen=True)
class ChartChoice:
    """A version of the BinderHub chart; `jupyterhub` is the version of the JupyterHub chart inside."""

    version: str
    created: datetime | None
    jupyterhub: str


def charts() -> list[ChartChoice]:
    """The versions of the chart that the repository lists, newest first; none while nobody has looked."""
    return [
        ChartChoice(row["version"], datetime.fromisoformat(row["created"]) if row["created"] else None, row["inside"])
        for row in recall("charts").get("rows", [])
    ]


def subscriptions(user: User) -> list[SubscriptionChoice]:
    """The subscriptions the person may use and the portal can see, enabled ones first."""
    allowed = granted_subscriptions(user)
    found = [SubscriptionChoice(**row) for row in recall("subscriptions").get("rows", [])]
    mine = [choice for choice in found if choice.id.lower() in allowed]
    return sorted(mine, key=lambda choice: (choice.state != "Enabled", choice.is_free_trial, choice.name))


def subscription(subscription_id: str) -> SubscriptionChoice | None:
    rows = recall("subscriptions").get("rows", [])
    return next((SubscriptionChoice(**row) for row in rows if row["id"].lower() == subscription_id.lower()), None)


def regions(subscription_id: str) -> list[RegionChoice]:
    """The regions offered, by display name."""
    rows = recall(f"regions:{subscription_id.lower()}").get("rows", [])
    entries = CatalogueEntry.objects.filter(key__startswith=f"room:{subscription_id.lower()}:").exclude(fetched_at=None)
    room = {entry.key.rsplit(":", 1)[1]: entry.data["nodes"] for entry in entries}
    found = (RegionChoice(**row, room=room.get(row["name"])) for row in rows)
    return sorted(found, key=lambda region: region.display_name)


def offer(subscription_id: str, region: str, priced: bool = True) -> Offer | None:
    """What may be had there; None while nobody has looked. A page that shows no size's price need not read them all."""
    entry = CatalogueEntry.objects.filter(key=f"offer:{subscription_id.lower()}:{region}").first()
    if entry is None or entry.fetched_at is None:
        return None
    data = entry.data
    quotas = {key: CoresFact(**row) for key, row in data["quotas"].items()}
    prices = _prices(region) if priced else {}
    enough = [row for row in data["sizes"] if is_enough(row)]
    sizes = (_size_choice(row, quotas, prices) for row in enough if not row["restricted"])
    return Offer(
        sizes=tuple(sorted(sizes, key=lambda size: (size.vcpus, size.memory_gib, size.name))),
        quotas=quotas,
        versions=tuple(data["versions"]),
        default_version=data["default_version"],
        fetched_at=entry.fetched_at,
        previews=tuple(data.get("previews", ())),
        long_term=tuple(data.get("long_term", ())),
        closed=tuple(_size_choice(row, quotas, prices) for row in enough if row["restricted"]),
        denied=data.get("denied", {}),
        addresses=CoresFact(**data["addresses"]) if data.get("addresses") else None,
        problem=entry.problem,
    )


def suggestion(offered: Offer) -> tuple[str, int]:
    """A size and a number of nodes that the quota left allows: three 4-core nodes, down to one of 2 cores."""
    for vcpus, count in ((4, 3), (4, 2), (2, 3), (2, 2), (4, 1), (2, 1)):
        fitting = [size for size in offered.sizes if size.vcpus == vcpus and size.fits >= count]
        general = [size for size in fitting if size.name.startswith("Standard_D")] or fitting
        if general:
            return max(general, key=lambda size: size.name[-3:]).name, count
    return (offered.sizes[0].name, 1) if offered.sizes else ("", 1)


def cost(region: str, size: str, count: int, tier: str = "Free") -> Estimate | None:
    """What such a hub costs a month; None while Azure's price is not known."""
    entry = CatalogueEntry.objects.filter(key=f"price:{region}:{size}").first()
    if entry is None or entry.fetched_at is None or "amount" not in entry.data:
        return None
    return estimate(
        node_hour=Decimal(entry.data["amount"]),
        node_count=count,
        tier=tier,
        currency=entry.data["currency"],
        as_of=entry.fetched_at.date().isoformat(),
    )


def _prices(region: str) -> dict[str, Decimal]:
    entries = CatalogueEntry.objects.filter(key__startswith=f"price:{region}:").exclude(fetched_at=None)
    return {entry.key.rsplit(":", 1)[1]: Decimal(entry.data["amount"]) for entry in entries if "amount" in entry.data}


def is_enough(row: dict[str, Any]) -> bool:
    """Whether a hub can run on machines of that size."""
    return bool(row["vcpus"] >= SMALLEST_NODE[0] and row["memory_gib"] >= SMALLEST_NODE[1])


def _size_choice(row: dict[str, Any], quotas: dict[str, CoresFact], prices: dict[str, Decimal]) -> SizeChoice:
    nothing = CoresFact("", 0, 0)
    left = min(quotas.get(row["family"].lower(), nothing).left, quotas.get("cores", nothing).left)
    return SizeChoice(
        name=row["name"],
        family=row["family"],
        vcpus=row["vcpus"],
        memory_gib=row["memory_gib"],
        fits=left // row["vcpus"],
        node_hour=prices.get(row["name"]),
    )
