"""Deciding about requests, and about changes that would cost more than was approved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Self
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from deployments import catalogue, services
from deployments.comparing import image_prefix_of, revision_change, told
from deployments.costs import spec_cost
from deployments.forms import RejectForm
from deployments.listing import NEWEST, PAGE, requests_listed, rows
from deployments.models import Deployment, SpecRevision
from deployments.place import RegionsOf, listed, region_name
from deployments.preview import QuotaUse, pool_quota_uses
from deployments.spec import HubSpec
from deployments.views.guard import hub_of, person, reviewers_only, telling

OfferOf = Callable[[str, str], catalogue.Offer | None]
SubscriptionOf = Callable[[str], catalogue.SubscriptionChoice | None]


@dataclass(frozen=True)
class Request:
    """A request as a reviewer sees it."""

    hub: Deployment
    revision: SpecRevision
    spec: HubSpec
    subscription: str
    region: str
    quotas: list[QuotaUse]

    @property
    def fits(self) -> bool:
        return all(use.fits for use in self.quotas)

    @classmethod
    def of(cls, hub: Deployment, offer: OfferOf, subscription: SubscriptionOf, regions: RegionsOf) -> Self:
        """Reads the newest of the hub's prefetched revisions."""
        revision = max(hub.revisions.all(), key=lambda each: each.number)
        spec = revision.spec
        found = subscription(spec.subscription_id)
        quotas = pool_quota_uses(offer(spec.subscription_id, spec.region), spec)
        return cls(
            hub, revision, spec, found.name if found else spec.subscription_id, region_name(spec, regions), quotas
        )


@require_safe
@reviewers_only
def waiting(request: HttpRequest) -> HttpResponse:
    listing = requests_listed(Deployment.objects.visible_to(person(request)).awaiting_review(), request.GET)
    # Many requests are for the same few places: each is read once.
    look = cache(partial(catalogue.offer, priced=False)), cache(catalogue.subscription), cache(listed)
    found = [Request.of(hub, *look) for hub in listing.hubs]
    changes = SpecRevision.objects.awaiting_review().select_related("deployment__owner", "author")
    context = {"requests": found, "listing": listing, "changes": changes.order_by("created_at")[:PAGE]}
    return render(request, "review/waiting.html", context)


@require_safe
@reviewers_only
def one(request: HttpRequest, hub_id: UUID) -> HttpResponse:
    return _page(request, hub_of(request, hub_id), RejectForm())


def _page(request: HttpRequest, hub: Deployment, form: RejectForm, status: int = 200) -> HttpResponse:
    others = Deployment.objects.visible_to(person(request)).live().filter(owner=hub.owner).exclude(id=hub.id)
    decided = not Deployment.objects.awaiting_review().filter(id=hub.id).exists()
    asked = Request.of(hub, partial(catalogue.offer, priced=False), catalogue.subscription, listed)
    context = {"hub": hub, "asked": asked, "others": rows(others[:NEWEST]), "form": form, "decided": decided}
    described = {"told": told(asked.spec), "images": image_prefix_of(hub, asked.spec), "cost": spec_cost(asked.spec)}
    return render(request, "review/one.html", context | described, status=status)


@require_POST
@reviewers_only
@telling
def approve(request: HttpRequest, hub_id: UUID, revision: int) -> HttpResponse:
    hub = hub_of(request, hub_id)
    services.approve(person(request), hub, revision)
    messages.success(request, f"{hub.name} is approved and is being built now.")
    return redirect(hub)


@require_POST
@reviewers_only
@telling
def reject(request: HttpRequest, hub_id: UUID, revision: int) -> HttpResponse:
    hub, form = hub_of(request, hub_id), RejectForm(request.POST)
    if not form.is_valid():
        return _page(request, hub, form, status=422)
    services.reject(person(request), hub, revision, form.cleaned_data["reason"])
    messages.success(request, f"{hub.name} is not approved; {hub.owner} can read why.")
    return redirect("deployments:review")


@require_safe
@reviewers_only
def change(request: HttpRequest, hub_id: UUID, number: int) -> HttpResponse:
    return _change_page(request, _asked_change(hub_id, number), RejectForm())


def _asked_change(hub_id: UUID, number: int) -> SpecRevision:
    changes = SpecRevision.objects.filter(needs_review=True).select_related("deployment__owner", "author")
    return get_object_or_404(changes, deployment=hub_id, number=number)


def _change_page(request: HttpRequest, revision: SpecRevision, form: RejectForm, status: int = 200) -> HttpResponse:
    decided = not SpecRevision.objects.awaiting_review().filter(id=revision.id).exists()
    review = getattr(revision, "review", None)
    context = {"hub": revision.deployment, "revision": revision, "edit": revision_change(revision), "form": form}
    return render(request, "review/change.html", context | {"decided": decided, "review": review}, status=status)


@require_POST
@reviewers_only
@telling
def approve_change(request: HttpRequest, hub_id: UUID, number: int) -> HttpResponse:
    revision = _asked_change(hub_id, number)
    services.approve_change(person(request), revision)
    messages.success(request, f"The change of {revision.deployment.name} is approved and is being applied now.")
    return redirect(revision.deployment)


@require_POST
@reviewers_only
@telling
def reject_change(request: HttpRequest, hub_id: UUID, number: int) -> HttpResponse:
    revision, form = _asked_change(hub_id, number), RejectForm(request.POST)
    if not form.is_valid():
        return _change_page(request, revision, form, status=422)
    services.reject_change(person(request), revision, form.cleaned_data["reason"])
    messages.success(request, f"The change of {revision.deployment.name} is not approved; its owner can read why.")
    return redirect("deployments:review")
