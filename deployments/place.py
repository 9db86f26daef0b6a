"""Where a hub may stand and on what: subscription, region, then size and version. Reads the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Self

from django.conf import settings

from accounts.models import User
from deployments import catalogue, grounds, outside
from deployments.catalogue import Offer, RegionChoice, SizeChoice, SubscriptionChoice
from deployments.grounds import Ground
from deployments.models import Deployment
from deployments.remembering import recall
from deployments.spec import HubSpec
from deployments.wording import money

MOST_NODES = 10
#: Where a portal that counts in a currency most likely has its people.
HOME_REGIONS = {"GBP": "uksouth", "EUR": "westeurope", "USD": "eastus"}
Choices = list[tuple[str, Any]]
RegionsOf = Callable[[str], list[RegionChoice]]


@dataclass(frozen=True)
class Place:
    """A subscription, a region in it, and what may be had there."""

    subscriptions: list[SubscriptionChoice]
    subscription: SubscriptionChoice | None
    regions: list[RegionChoice]
    region: RegionChoice | None
    offer: Offer | None

    @classmethod
    def choose(cls, user: User, chosen: Mapping[str, Any]) -> Self:
        """What the person chose where that is offered, else what suits them."""
        subscriptions = catalogue.subscriptions(user)
        # Enabled ones come first; another may be looked at, to see what stands against it.
        wanted = _named(subscriptions, "id", chosen.get("subscription_id"))
        subscription = wanted or (subscriptions[0] if subscriptions else None)
        regions = catalogue.regions(subscription.id) if subscription else []
        region = _named(regions, "name", chosen.get("region")) or _usual_region(user, regions)
        offer = catalogue.offer(subscription.id, region.name) if subscription and region else None
        return cls(subscriptions, subscription, regions, region, offer)

    @property
    def key(self) -> str:
        """Where it is, as a form remembers what its choices were made for."""
        return f"{self.subscription.id if self.subscription else ''}/{self.region.name if self.region else ''}"

    @property
    def ground(self) -> Ground | None:
        return grounds.ground(self.subscription.id) if self.subscription else None

    @property
    def unavailable(self) -> frozenset[str]:
        return frozenset(size.name for size in self.offer.sizes if not size.fits) if self.offer else frozenset()

    @property
    def full(self) -> frozenset[str]:
        """The regions in which not one node fits the quota that is left."""
        return frozenset(region.name for region in self.regions if region.room == 0)

    def values(self, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """The place's fields: what was chosen where it can be had here, else the suggestion."""
        offer = self.offer
        size, count = self._nodes(str(chosen.get("node_size") or ""), str(chosen.get("node_count") or ""))
        version = str(chosen.get("kubernetes_version") or "")
        return {
            "subscription_id": self.subscription.id if self.subscription else "",
            "region": self.region.name if self.region else "",
            "node_size": size,
            "node_count": count,
            "kubernetes_version": version if offer and version in offer.versions else offer and offer.default_version,
        }

    def _nodes(self, size_name: str, typed_count: str) -> tuple[str, int]:
        """Size and number of nodes: as typed, as far as they fit together here."""
        if self.offer is None:
            return "", 1
        size, count = catalogue.suggestion(self.offer)
        typed = int(typed_count) if typed_count.isdecimal() and len(typed_count) < 6 else 0
        for name in (size_name, size):
            choice = self.offer.size(name)
            if choice and max(typed, 1) <= choice.fits:
                return name, typed or min(count, choice.fits)
        return size, count

    def choices(self) -> dict[str, Choices]:
        """The choices of each select, by field."""
        offer = self.offer
        return {
            "subscription_id": [(s.id, _subscription_label(s)) for s in self.subscriptions],
            "region": [(region.name, _region_label(region)) for region in self.regions],
            "node_size": [("", "Choose a size"), *(_sizes(offer) if offer else [])],
            "kubernetes_version": [(v, _version_label(v, offer.default_version)) for v in offer.versions]
            if offer
            else [],
        }


def listed(subscription_id: str) -> list[RegionChoice]:
    """The regions there are, without the room in each."""
    return [RegionChoice(**row) for row in recall(f"regions:{subscription_id.lower()}").get("rows", [])]


def region_name(spec: HubSpec, regions: RegionsOf = listed) -> str:
    """The region as people know it; as Azure writes it while the catalogue does not list it."""
    found = _named(regions(spec.subscription_id), "name", spec.region)
    return found.display_name if found else spec.region


def _named(choices: list[Any], attribute: str, wanted: object) -> Any:
    return next((choice for choice in choices if getattr(choice, attribute) == wanted), None)


def _usual_region(user: User, offered: list[RegionChoice]) -> RegionChoice | None:
    """Where the person's newest hub is, else the operator's first, else one at home, else the first; all with room."""
    regions = [region for region in offered if region.room != 0] or offered
    newest = Deployment.objects.filter(owner=user).order_by("-created_at").first()
    usual = [newest.revision.spec.region] if newest else []
    for name in [*usual, *settings.SLIPWAY_REGIONS, HOME_REGIONS.get(outside.profile().currency)]:
        if region := _named(regions, "name", name):
            found: RegionChoice = region
            return found
    return regions[0] if regions else None


def _subscription_label(choice: SubscriptionChoice) -> str:
    if choice.state not in ("Enabled", "Warned"):
        return f"{choice.name} ({choice.state.lower()} by Azure)"
    return f"{choice.name} (free trial)" if choice.is_free_trial and "trial" not in choice.name.lower() else choice.name


def _region_label(region: RegionChoice) -> str:
    return f"{region.display_name}: no room left in the quota" if region.room == 0 else region.display_name


def _version_label(version: str, default: str) -> str:
    return f"{version} (recommended)" if version == default else version


def _sizes(offer: Offer) -> Choices:
    """Sizes by number of CPUs: those that fit the quota first, then the others with the reason."""
    groups = groupby(offer.sizes, key=lambda size: size.vcpus)
    return [
        (f"{vcpus} CPUs", [(size.name, _size_label(size)) for size in sorted(sizes, key=lambda size: not size.fits)])
        for vcpus, sizes in groups
    ]


def _size_label(size: SizeChoice) -> str:
    hourly = size.node_hour
    price = f"{money(hourly, outside.profile().currency)} an hour" if hourly is not None else "price not known"
    room = f"{size.fits} fit the quota" if size.fits else "does not fit the quota that is left"
    return f"{size.label} · {price} · {room}"
