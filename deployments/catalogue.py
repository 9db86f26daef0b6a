"""What Azure offers here, remembered with its date. Pages read it without calling Azure; the worker keeps it fresh.

Entries: `subscriptions`; `regions:<subscription>`; `offer:<subscription>:<region>` (sizes, quotas, versions);
`room:<subscription>:<region>` (how many nodes of the smallest size fit the quota); `price:<region>:<size>`; `charts`
(versions of the BinderHub chart).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from accounts.policy import granted_subscriptions
from cloud.errors import PermanentError
from cloud.profile import AzureCloud
from deployments import grounds
from deployments.grounds import TAGS
from deployments.making import of_sizes
from deployments.models import CatalogueEntry
from deployments.pricing import Estimate, estimate
from deployments.remembering import recall, remember

if TYPE_CHECKING:
    from cloud.azure.session import AzureSession

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
class QuotaLeft:
    """Cores used and allowed, of a family or (`cores`) of the whole region."""

    label: str
    used: int
    limit: int

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used)


@dataclass(frozen=True)
class Offer:
    """What one subscription may have in one region, as of `fetched_at`; `problem` says why it is not newer.

    `closed` sizes exist there, but not for this subscription; `denied` ones a policy refuses (size → its name).
    """

    sizes: tuple[SizeChoice, ...]
    quotas: dict[str, QuotaLeft]
    versions: tuple[str, ...]
    default_version: str
    fetched_at: datetime | None
    previews: tuple[str, ...] = ()
    long_term: tuple[str, ...] = ()
    closed: tuple[SizeChoice, ...] = ()
    denied: Mapping[str, str] = field(default_factory=dict)
    addresses: QuotaLeft | None = None
    problem: str = ""

    def size(self, name: str) -> SizeChoice | None:
        return next((size for size in self.sizes if size.name == name), None)

    @property
    def cores(self) -> QuotaLeft:
        return self.quotas.get("cores", QuotaLeft("Cores in the region", 0, 0))


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
    quotas = {key: QuotaLeft(**row) for key, row in data["quotas"].items()}
    prices = _prices(region) if priced else {}
    enough = [row for row in data["sizes"] if _is_enough(row)]
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
        addresses=QuotaLeft(**data["addresses"]) if data.get("addresses") else None,
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


def _is_enough(row: dict[str, Any]) -> bool:
    return bool(row["vcpus"] >= SMALLEST_NODE[0] and row["memory_gib"] >= SMALLEST_NODE[1])


def _is_offered(row: dict[str, Any]) -> bool:
    return _is_enough(row) and not row["restricted"]


def _size_choice(row: dict[str, Any], quotas: dict[str, QuotaLeft], prices: dict[str, Decimal]) -> SizeChoice:
    nothing = QuotaLeft("", 0, 0)
    left = min(quotas.get(row["family"].lower(), nothing).left, quotas.get("cores", nothing).left)
    return SizeChoice(
        name=row["name"],
        family=row["family"],
        vcpus=row["vcpus"],
        memory_gib=row["memory_gib"],
        fits=left // row["vcpus"],
        node_hour=prices.get(row["name"]),
    )


# --- the worker's half: looking anew -------------------------------------------------------------------------------


def refresh(az: AzureSession, profile: AzureCloud) -> None:
    """Looks at everything anew. What cannot be seen keeps its old entry, with the reason beside it."""
    refresh_charts(profile)
    for choice in refresh_subscriptions(az):
        if choice.state == "Enabled":
            refresh_subscription(az, profile, choice.id)
    _lend_versions()


def refresh_subscriptions(az: AzureSession) -> list[SubscriptionChoice]:
    """Looks which subscriptions there are; returns what is known of them then."""
    from cloud.azure import offers

    seen = remember("subscriptions", lambda: {"rows": list(map(_subscription_row, offers.list_subscriptions(az)))})
    return [SubscriptionChoice(**row) for row in seen.get("rows", [])]


def refresh_subscription(az: AzureSession, profile: AzureCloud, subscription_id: str) -> None:
    """Looks at one subscription: its regions, what may be done there, and what each region offers."""
    from cloud.azure import offers

    chosen = set(settings.SLIPWAY_REGIONS)
    rows = remember(
        f"regions:{subscription_id.lower()}",
        lambda: {
            "rows": [
                {"name": region.name, "display_name": region.display_name}
                for region in offers.list_regions(az, subscription_id)
                if not chosen or region.name in chosen
            ]
        },
    )
    regions = [row["name"] for row in rows.get("rows", [])]
    grounds.refresh(az, subscription_id, regions)
    for region in regions:
        refresh_region(az, profile, subscription_id, region)


def follow_registration(az: AzureSession, profile: AzureCloud, subscription_id: str) -> None:
    """Looks whether what is being switched on is on, and at all that it offers once it is."""
    rows = recall(f"regions:{subscription_id.lower()}").get("rows", [])
    grounds.refresh(az, subscription_id, [row["name"] for row in rows])
    ground = grounds.ground(subscription_id)
    if ground and not ground.is_changing:
        refresh_subscription(az, profile, subscription_id)


def refresh_region(az: AzureSession, profile: AzureCloud, subscription_id: str, region: str) -> None:
    """Looks at sizes, quotas and versions of one region, and at prices not asked for today."""
    seen = remember(f"offer:{subscription_id.lower()}:{region}", lambda: _offer_data(az, subscription_id, region))
    if offered := offer(subscription_id, region):
        nodes = max((size.fits for size in offered.sizes), default=0)
        remember(f"room:{subscription_id.lower()}:{region}", lambda: {"nodes": nodes})
    refresh_prices(profile, region, (row["name"] for row in seen.get("sizes", []) if _is_offered(row)))


def refresh_charts(profile: AzureCloud) -> None:
    """Asks the chart repository for its versions unless that was less than a day ago."""
    yesterday = timezone.now() - timedelta(days=1)
    if not CatalogueEntry.objects.filter(key="charts", fetched_at__gt=yesterday).exists():
        remember("charts", lambda: {"rows": _chart_rows(profile)})


def refresh_prices(profile: AzureCloud, region: str, sizes: Iterable[str]) -> None:
    """Asks for each size's price unless it is less than a day old."""
    yesterday = timezone.now() - timedelta(days=1)
    known = CatalogueEntry.objects.filter(key__startswith=f"price:{region}:", fetched_at__gt=yesterday)
    fresh = set(known.values_list("key", flat=True))
    for size in sizes:
        if (key := f"price:{region}:{size}") not in fresh:
            remember(key, partial(_price_data, profile, region, size))


def _offer_data(az: AzureSession, subscription_id: str, region: str) -> dict[str, Any]:
    from cloud.azure import offers

    sizes = [asdict(size) for size in offers.list_node_sizes(az, subscription_id, region)]
    return {
        "sizes": sizes,
        "quotas": {
            key: {"label": quota.label, "used": quota.used, "limit": quota.limit}
            for key, quota in offers.list_quotas(az, subscription_id, region).items()
        },
        "addresses": _addresses(az, subscription_id, region),
        "denied": _denied_sizes(az, subscription_id, region, [row["name"] for row in sizes if _is_offered(row)]),
        **_versions(az, subscription_id, region),
    }


def _addresses(az: AzureSession, subscription_id: str, region: str) -> dict[str, Any] | None:
    """Public addresses used and allowed; None where the portal may not ask yet."""
    from cloud.azure import network

    try:
        quota = network.address_quota(az, subscription_id, region)
    except PermanentError:
        return None
    return asdict(quota) if quota else None


def _versions(az: AzureSession, subscription_id: str, region: str) -> dict[str, Any]:
    """Kubernetes' versions there; what another subscription was told while this one may not ask yet."""
    from cloud.azure import offers
    from cloud.azure.session import NOT_REGISTERED

    try:
        found = offers.list_kubernetes_versions(az, subscription_id, region)
    except PermanentError as error:
        if error.code != NOT_REGISTERED:
            raise
        return _borrowed_versions(region)
    names = [each.version for each in found if each.is_for_everybody]
    return {
        "versions": names,
        "previews": [each.version for each in found if each.is_preview],
        "long_term": [each.version for each in found if each.is_long_term],
        "default_version": next((each.version for each in found if each.is_default), names[0] if names else ""),
    }


def _borrowed_versions(region: str) -> dict[str, Any]:
    """They are the same for everybody in a region."""
    nothing: dict[str, Any] = {"versions": [], "previews": [], "long_term": [], "default_version": ""}
    others = CatalogueEntry.objects.filter(key__startswith="offer:", key__endswith=f":{region}")
    known = (entry.data for entry in others if entry.data.get("versions"))
    return next(({name: data.get(name, nothing[name]) for name in nothing} for data in known), nothing)


def _lend_versions() -> None:
    """To subscriptions that were looked at before anybody knew the versions of their region."""
    for entry in CatalogueEntry.objects.filter(key__startswith="offer:", data__versions=[]):
        entry.data = {**entry.data, **_borrowed_versions(entry.key.rsplit(":", 1)[1])}
        entry.save(update_fields=["data"])


def _denied_sizes(az: AzureSession, subscription_id: str, region: str, sizes: list[str]) -> dict[str, str]:
    """Size → the policy that refuses it; none where the portal may not ask about policies."""
    from cloud.azure import policies

    try:
        found = policies.denials(az, subscription_id, [of_sizes(TAGS, region, tuple(sizes))])
    except PermanentError:
        return {}
    return {size: each.policy for each in found for size in each.values}


def _subscription_row(row: Any) -> dict[str, Any]:
    return {"id": row.id, "name": row.name, "state": row.state, "quota_id": row.quota_id or ""}


def _chart_rows(profile: AzureCloud) -> list[dict[str, str]]:
    from cloud.chart_index import chart_versions

    found = chart_versions(profile, "binderhub")
    return [
        {
            "version": each.version,
            "created": each.created.isoformat() if each.created else "",
            "inside": each.jupyterhub,
        }
        for each in found
    ]


def _price_data(profile: AzureCloud, region: str, size: str) -> dict[str, Any]:
    from cloud import prices

    price = prices.node_price(profile, region, size)
    return {} if price is None else {"amount": str(price.amount), "currency": price.currency}
