"""Long lists in pages: hubs by name, owner and state, requests that wait, what was done to a hub."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Q

from accounts.models import User
from deployments.forms import FilterForm
from deployments.models import Deployment, DeploymentQuerySet
from deployments.progress import NEWEST as NEWEST
from deployments.progress import with_newest_run

PAGE = 50
#: Requests are cards, not rows.
CARDS = 20
GONE = ("deleted", "rejected")
#: What a row of the table shows; the rest, moments above all, takes as long to read again.
SHOWN = (
    "name", "address", "lifecycle", "health", "last_outcome", "monthly_cost", "currency", "keep_until", "gone_at",
    "owner__username", "owner__first_name", "owner__last_name",
)  # fmt: skip


@dataclass(frozen=True)
class Listing:
    """One page of a list, and what was asked for."""

    form: FilterForm
    page: Page[Any]
    hubs: list[Deployment]

    @property
    def is_filtered(self) -> bool:
        return self.form.is_bound and any(self.form.data.get(name) for name in self.form.fields)

    @property
    def is_long(self) -> bool:
        """Whether a list wants a search: it has more than a page, or has been searched already."""
        return self.is_filtered or self.page.has_other_pages()


def hubs_listed(hubs: DeploymentQuerySet, asked: Mapping[str, Any]) -> Listing:
    """The hubs that were asked for, by `q`, `state` and `page`; the newest first."""
    form = FilterForm(asked or None, initial={"state": "live"})
    chosen = form.cleaned_data if form.is_valid() else {}
    found = in_state(named(hubs, chosen.get("q", "")), chosen.get("state") or "live").order_by("-created_at", "id")
    page = Paginator(found, PAGE).get_page(asked.get("page"))
    return Listing(form, page, rows(found[max(0, page.start_index() - 1) : page.end_index()]))


def requests_listed(hubs: DeploymentQuerySet, asked: Mapping[str, Any]) -> Listing:
    """The requests that were asked for, by `q` and `page`; the oldest first."""
    form = FilterForm(asked or None)
    del form.fields["state"]
    found = named(hubs, form.cleaned_data.get("q", "") if form.is_valid() else "")
    found = found.select_related("owner").prefetch_related("revisions").order_by("created_at", "id")
    page = Paginator(found, CARDS).get_page(asked.get("page"))
    return Listing(form, page, list(page.object_list))


def rows(hubs: DeploymentQuerySet) -> list[Deployment]:
    """These hubs, in their order, with what a row of the table shows.

    Their ids are found first: the newest run of each would else be looked up for all hubs that earlier pages show.
    """
    ids = list(hubs.values_list("id", flat=True))
    found = with_newest_run(Deployment.objects.filter(id__in=ids)).select_related("owner").only(*SHOWN).in_bulk()
    return [found[each] for each in ids if each in found]


def named(hubs: DeploymentQuerySet, word: str) -> DeploymentQuerySet:
    """Those with the word in their name, or in their owner's."""
    if not (word := word.strip()):
        return hubs
    names = Q(username__icontains=word) | Q(last_name__icontains=word) | Q(first_name__icontains=word)
    # Owners apart: joined to each of their hubs, their names would be compared again and again.
    return hubs.filter(Q(name__icontains=word) | Q(owner__in=User.objects.filter(names)))


def in_state(hubs: DeploymentQuerySet, state: str) -> DeploymentQuerySet:
    if state == "live":
        return hubs.live()
    return hubs if state == "all" else hubs.filter(lifecycle=state)
