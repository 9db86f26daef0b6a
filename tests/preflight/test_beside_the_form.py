"""The same states, met by somebody who fills in the form: said while they type, and nothing is taken or made."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import SpendingPolicy, SubscriptionGrant, User
from deployments import catalogue, cataloguing, grounds, outside
from deployments.advice import Said
from deployments.forms.sections import SECRETS, section_of
from deployments.models import CatalogueEntry, Deployment
from tests.preflight.cases import CASES, Case
from tests.preflight.world import World
from tests.web.test_form import filled

BESIDE = [case for case in CASES if case.field]
FOUND = [case for case in BESIDE if not case.at_field]


@pytest.fixture
def person(people: dict[str, User], world: World, settings: Any) -> tuple[Client, User]:
    """A researcher who may spend a lot, signed in."""
    settings.SLIPWAY_REGIONS = ["uksouth"]
    SpendingPolicy.objects.create(group=None, max_monthly_cost=90_000)
    client = Client()
    client.force_login(people["researcher"], backend="django.contrib.auth.backends.ModelBackend")
    return client, people["researcher"]


def look_around(world: World) -> None:
    """What the worker does every few minutes."""
    cataloguing.refresh_subscriptions(outside.azure())
    cataloguing.refresh_subscription(outside.azure(), outside.profile(), world.subscription)


@pytest.fixture
def typed(person: tuple[Client, User], world: World, settings: Any) -> Callable[[Case], dict[str, Any]]:
    """All fields, once the case's state has come to be and the worker has seen it."""

    def fields(case: Case) -> dict[str, Any]:
        plain = {
            "subscription_id": world.subscription, "region": "uksouth", "node_size": "Standard_D2s_v5",
            "node_count": 1, "kubernetes_version": "1.34.3",
        }  # fmt: skip
        if case.id == "subscription-disabled":
            look_around(world)  # what was offered is known from before
        case.state(world)
        changes = plain | case.fields(world)
        settings.SLIPWAY_REGIONS = [changes["region"]]
        look_around(world)
        return filled(person[1], **changes, fitted=f"{world.subscription}/{changes['region']}")

    return fields


def said(client: Client, fields: dict[str, Any], about: str = "") -> list[Said]:
    answer = client.post("/hubs/new/check" + (f"?about={about}" if about else ""), fields)
    assert answer.status_code == 200
    found: list[Said] = answer.context["advice"]
    return found


def test_versions_are_lent_to_who_was_looked_at_too_early(
    person: tuple[Client, User], world: World, settings: Any
) -> None:
    world.lacks("Microsoft.ContainerService")
    settings.SLIPWAY_REGIONS = ["uksouth"]
    look_around(world)
    assert (early := catalogue.offer(world.subscription, "uksouth")) and early.versions == ()
    other = CatalogueEntry.objects.get(key=f"offer:{world.subscription}:uksouth")
    known = {"versions": ["1.34.3"], "default_version": "1.34.3"}
    CatalogueEntry.objects.create(key="offer:other:uksouth", data={**other.data, **known}, fetched_at=timezone.now())
    settings.SLIPWAY_REGIONS = ["nowhere"]  # nothing else is looked at
    cataloguing.refresh(outside.azure(), outside.profile())
    assert (later := catalogue.offer(world.subscription, "uksouth")) and later.versions == ("1.34.3",)


@pytest.mark.parametrize("case", FOUND, ids=lambda case: case.id)
def test_it_is_said_beside_the_form_while_one_types(
    case: Case, person: tuple[Client, User], typed: Callable[[Case], dict[str, Any]], world: World
) -> None:
    fields = typed(case)
    told = said(person[0], fields)
    if section_of(case.field) in ("registry", "people", "private"):
        told += said(person[0], fields, section_of(case.field))
    found = next(each for each in told if each.code == case.code)
    assert (found.severity, found.anchor.removeprefix("#id_").removeprefix("#field_")) == (case.severity, case.field)
    assert case.says in found.what and found.remedy
    assert world.written() == []


@pytest.mark.parametrize("case", BESIDE, ids=lambda case: case.id)
def test_sent_all_the_same_it_is_refused_at_its_field_and_nothing_is_lost(
    case: Case, person: tuple[Client, User], typed: Callable[[Case], dict[str, Any]], world: World
) -> None:
    fields = typed(case)
    answer = person[0].post("/hubs/new/", fields)
    if case.severity == "warning":
        assert answer.status_code == 302, answer.context["form"].errors
        return
    form = answer.context["form"]
    assert answer.status_code == 422
    assert (case.at_field or case.says) in html.unescape(" ".join(form.errors.get(case.field, []))), form.errors
    kept = {name: str(form[name].value() or "") for name in fields if name not in SECRETS}
    ticked = {"on": "True"}
    assert kept == {name: ticked.get(str(value), str(value)) for name, value in fields.items() if name not in SECRETS}
    assert not Deployment.objects.exists() and world.written() == []


def test_a_letter_waits_beside_the_form_for_whoever_can_help(
    person: tuple[Client, User], typed: Callable[[Case], dict[str, Any]]
) -> None:
    case = next(case for case in CASES if case.id == "rights-none")
    page = person[0].post("/hubs/new/check", typed(case)).content.decode()
    assert "Text to send" in page and "az role assignment create" in page and 'data-copy="#letter-1"' in page


def test_a_subscription_that_lacks_a_service_may_be_given_it_at_once(
    person: tuple[Client, User], typed: Callable[[Case], dict[str, Any]], world: World
) -> None:
    off = Case("off", "", "", lambda w: w.lacks("Microsoft.Storage"))
    fields = typed(off)
    told = next(each for each in said(person[0], fields) if each.code == "provider-registers")
    assert "Slipway switches this on first when the hub is built" in told.remedy
    page = person[0].post("/hubs/new/", fields | {"switch_on": "1"})
    assert page.status_code == 200 and "Azure is asked to switch it on" in page.content.decode()
    assert 'value="my-course"' in page.content.decode()
    assert (known := grounds.ground(world.subscription)) and known.is_changing
    grounds.register(outside.azure(), world.subscription)
    while (known := grounds.ground(world.subscription)) and known.is_changing:
        cataloguing.follow_registration(outside.azure(), outside.profile(), world.subscription)
    assert "provider-registers" not in {each.code for each in said(person[0], fields)}


def test_nobody_switches_on_what_they_may_not_use(person: tuple[Client, User], world: World) -> None:
    SubscriptionGrant.objects.all().delete()
    page = person[0].post("/hubs/new/", {"subscription_id": world.subscription, "switch_on": "1"})
    assert "You may not use this subscription" in page.content.decode()
    assert world.written() == []


def test_a_fresh_account_says_why_nothing_is_offered_and_then_what_is(
    person: tuple[Client, User], world: World
) -> None:
    for namespace in ("Microsoft.Compute", "Microsoft.ContainerService"):
        world.lacks(namespace)
    look_around(world)
    place = {"subscription_id": world.subscription, "region": "uksouth"}
    page = person[0].post("/hubs/new/parts", place, headers={"HX-Target": "after-region"}).content.decode()
    assert "has not switched on yet what a hub needs" in page and "Switch it on now" in page
    grounds.register(outside.azure(), world.subscription)
    while not catalogue.offer(world.subscription, "uksouth"):
        cataloguing.follow_registration(outside.azure(), outside.profile(), world.subscription)
    page = person[0].post("/hubs/new/parts", place, headers={"HX-Target": "after-region"}).content.decode()
    assert "Standard_D4s_v5" in page and "Switch it on" not in page


def test_versions_are_known_from_elsewhere_while_a_subscription_may_not_ask(
    person: tuple[Client, User], world: World
) -> None:
    look_around(world)
    world.lacks("Microsoft.ContainerService")
    look_around(world)
    offer = catalogue.offer(world.subscription, "uksouth")
    assert offer and "1.34.3" in offer.versions and offer.default_version == "1.34.3"
