"""Looking anew at what Azure offers, for the catalogue: the worker's part, which calls Azure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone

from cloud.errors import PermanentError
from cloud.profile import AzureCloud
from deployments import grounds
from deployments.catalogue import SubscriptionChoice, is_enough, offer
from deployments.grounds import TAGS
from deployments.making import of_sizes
from deployments.models import CatalogueEntry
from deployments.remembering import recall, remember

if TYPE_CHECKING:
    from cloud.azure.session import AzureSession


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


def _is_offered(row: dict[str, Any]) -> bool:
    return is_enough(row) and not row["restricted"]


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
