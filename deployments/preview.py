"""What a half-filled form would make: derived names, addresses, cost and quota, as far as they can be said."""

from __future__ import annotations

from dataclasses import dataclass

from deployments import catalogue, naming, outside
from deployments.costs import spec_cost
from deployments.forms import SpecForm
from deployments.naming import Names
from deployments.preflight import CoresFact
from deployments.pricing import Estimate
from deployments.rendering import overlay_difference
from deployments.spec import HubSpec
from deployments.values import oauth_callback
from deployments.values.registry import image_prefix

BINDER_PATH = "services/binder/"


@dataclass(frozen=True)
class QuotaUse:
    """CPU cores of one quota that a hub would take."""

    quota: CoresFact
    cores: int

    @property
    def left_after(self) -> int:
        return self.quota.left - self.cores

    @property
    def fits(self) -> bool:
        return self.left_after >= 0


@dataclass(frozen=True)
class Preview:
    """None or "" wherever too little has been typed. `record` is the one to make for an own domain."""

    spec: HubSpec
    name_problem: str
    names: Names | None
    address: str
    record: str
    estimate: Estimate | None
    quotas: list[QuotaUse]
    images: str
    new_app_url: str
    overlay_problems: list[str]

    @property
    def binder_address(self) -> str:
        return f"{self.address}{BINDER_PATH}" if self.address else ""

    @property
    def callback(self) -> str:
        return oauth_callback(self.address) if self.address else ""

    @property
    def overlay_difference(self) -> list[str]:
        """What the expert values change, as the lines of a diff."""
        if not self.spec.overlay or self.names is None:
            return []
        return overlay_difference(self.spec, self.names, self.address)


def preview(form: SpecForm) -> Preview:
    """Looks at a form as it stands, valid or not."""
    spec, names = form.sketch(), form.names
    name = str(form["name"].value() or "").strip()
    place = names if names and spec.region else None
    address = outside.hub_address(spec, place) if place else ""
    counted = bool(spec.node_size and spec.node_count)
    return Preview(
        spec=spec,
        name_problem=naming.problem_with_hub_name(name) if name else "",
        names=names,
        address=address,
        record=outside.record(spec, place) if place else "",
        estimate=spec_cost(spec) if counted else None,
        # A hub that stands has taken its share already.
        quotas=pool_quota_uses(form.place.offer, spec) if counted and not form.is_standing else [],
        images=_images(spec, names),
        new_app_url=_new_app_url(name, address) if address else "",
        overlay_problems=[str(problem) for problem in form.twin.errors.get("overlay") or ()],
    )


def quota_uses(offer: catalogue.Offer | None, size_name: str, count: int) -> list[QuotaUse]:
    """The quotas that so many nodes of this size count against: the region's and the size family's."""
    size = offer.size(size_name) if offer else None
    if offer is None or size is None:
        return []
    family = offer.quotas.get(size.family.lower())
    return [QuotaUse(quota, size.vcpus * count) for quota in (offer.cores, family) if quota]


def pool_quota_uses(offer: catalogue.Offer | None, spec: HubSpec) -> list[QuotaUse]:
    """The quotas that all the hub's nodes count against, with as many for sessions as there may ever be."""
    uses = quota_uses(offer, spec.node_size, spec.node_count)
    if spec.has_user_pool:
        uses += quota_uses(offer, spec.user_node_size, spec.user_nodes_max)
    cores: dict[str, QuotaUse] = {}
    for use in uses:
        before = cores.get(use.quota.label)
        cores[use.quota.label] = QuotaUse(use.quota, use.cores + (before.cores if before else 0))
    return list(cores.values())


def _new_app_url(name: str, address: str) -> str:
    from cloud.github import new_app_link

    return new_app_link(outside.profile(), f"Binder {name}", address, oauth_callback(address))


def _images(spec: HubSpec, names: Names | None) -> str:
    """How the name of every image begins, once it is known who stores them."""
    who = {"dockerhub": spec.image_namespace, "acr": "slipway", "other": spec.registry_address}[spec.registry]
    if not (names and who and spec.image_prefix):
        return ""
    return f"{image_prefix(spec, names, outside.registry_host(spec, names))}…"
