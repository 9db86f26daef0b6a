"""What a half-filled form would make: derived names, addresses, cost and quota, as far as they can be said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from deployments import catalogue, naming, outside
from deployments.catalogue import QuotaLeft
from deployments.forms import RequestForm
from deployments.naming import Names
from deployments.place import MOST_NODES
from deployments.pricing import Estimate
from deployments.submission import callback_url

BINDER_PATH = "services/binder/"


@dataclass(frozen=True)
class QuotaUse:
    """CPU cores of one quota that a hub would take."""

    quota: QuotaLeft
    cores: int

    @property
    def left_after(self) -> int:
        return self.quota.left - self.cores

    @property
    def fits(self) -> bool:
        return self.left_after >= 0


@dataclass(frozen=True)
class Preview:
    """None or "" wherever too little has been typed."""

    name_problem: str
    names: Names | None
    address: str
    estimate: Estimate | None
    quotas: list[QuotaUse]
    images: str
    new_app_url: str

    @property
    def binder_address(self) -> str:
        return f"{self.address}{BINDER_PATH}" if self.address else ""

    @property
    def callback(self) -> str:
        return callback_url(self.address) if self.address else ""


def preview(form: RequestForm) -> Preview:
    """Looks at a form as it stands, valid or not."""
    name = str(_typed(form, "name") or "").strip()
    problem = naming.problem_with_hub_name(name) if name else ""
    names = naming.derive(name, form.draft_id) if name and not problem else None
    region = form.place.region
    address = outside.profile().hub_url(names.dns_label, region.name) if names and region else ""
    size, count = str(_typed(form, "node_size") or ""), _count(_typed(form, "node_count"))
    namespace = str(_typed(form, "docker_organisation") or _typed(form, "docker_username") or "").strip()
    return Preview(
        name_problem=problem,
        names=names,
        address=address,
        estimate=catalogue.cost(region.name, size, count) if region and size and count else None,
        quotas=quota_uses(form.place.offer, size, count),
        images=f"{namespace}/{_typed(form, 'image_prefix') or ''}…" if namespace and "@" not in namespace else "",
        new_app_url=new_app_url(name, address) if address else "",
    )


def quota_uses(offer: catalogue.Offer | None, size_name: str, count: int) -> list[QuotaUse]:
    """The quotas that so many nodes of this size count against: the region's and the size family's."""
    size = offer.size(size_name) if offer else None
    if offer is None or size is None:
        return []
    family = offer.quotas.get(size.family.lower())
    return [QuotaUse(quota, size.vcpus * count) for quota in (offer.cores, family) if quota]


def new_app_url(name: str, address: str) -> str:
    """GitHub's page for a new OAuth app, filled in."""
    filled = {
        "oauth_application[name]": f"Binder {name}",
        "oauth_application[url]": address,
        "oauth_application[callback_url]": callback_url(address),
    }
    return f"{outside.profile().github}/settings/applications/new?{urlencode(filled)}"


def _typed(form: RequestForm, name: str) -> Any:
    return form[name].value()


def _count(value: Any) -> int:
    text = str(value or "")
    return min(int(text), MOST_NODES) if text.isdecimal() and len(text) < 6 else 0
