"""What a described hub costs, from the prices that the catalogue remembers."""

from __future__ import annotations

from decimal import Decimal

from deployments.models import CatalogueEntry
from deployments.pricing import Estimate, UserPool, estimate
from deployments.spec import HubSpec


def spec_cost(spec: HubSpec) -> Estimate | None:
    """The monthly estimate; None while Azure's price of one of its node sizes is not known."""
    node = _price(spec.region, spec.node_size)
    user = _price(spec.region, spec.user_node_size) if spec.has_user_pool else None
    if node is None or (spec.has_user_pool and user is None):
        return None
    return estimate(
        node_hour=Decimal(node.data["amount"]),
        node_count=spec.node_count,
        tier=spec.tier,
        currency=node.data["currency"],
        as_of=node.fetched_at.date().isoformat() if node.fetched_at else "",
        os_disk_gib=spec.os_disk_gib,
        registry=spec.registry,
        user_pool=UserPool(Decimal(user.data["amount"]), spec.user_nodes_min, spec.user_nodes_max) if user else None,
    )


def _price(region: str, size: str) -> CatalogueEntry | None:
    entry = CatalogueEntry.objects.filter(key=f"price:{region}:{size}").first()
    return entry if entry and entry.fetched_at and "amount" in entry.data else None
