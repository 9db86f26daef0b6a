"""What the portal's two identities may do in Azure, tried rather than read wherever that leaves nothing behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from uuid import uuid4

from accounts.models import SubscriptionGrant
from cloud.azure import offers, rights
from cloud.azure.session import AzureSession
from cloud.errors import NotYet, PermissionDenied, SlipwayError
from cloud.keyvault import SecretVault
from deployments import outside
from deployments.roles import GIVER, PROVIDERS, worker_rights
from worker.doctor.findings import Finding, Look

PROBE = "slipway-doctor-"
#: A vault takes its time to delete (seconds).
PATIENCE, GLANCE = 60.0, 0.5
CONNECT = "`manage.py connect_azure --check` tells which role is missing; new rights take up to ten minutes."


def new_probe() -> str:
    """Name of a secret that holds nothing secret and is removed again."""
    return f"{PROBE}{uuid4().hex[:12]}"


def of_web(vault: SecretVault, probe: str) -> Iterator[Finding]:
    """The web's identity sets and does nothing else; the probe stays until the worker removes it."""
    try:
        vault.set(probe, "probe")
    except SlipwayError as error:
        yield Finding.error("web's identity", f"It may not store secrets: {error.user_message}", CONNECT)
        return
    if _refused(lambda: vault.get(probe)):
        yield Finding.ok("web's identity", "It may store secrets and cannot read them.")
    else:
        what = "It may read secrets too, which the web process never needs."
        yield Finding.warning("web's identity", what, "Take that role away from it.")


def _refused(attempt: Callable[[], object]) -> bool:
    """Whether the vault says that this identity may not. (It says the same of a right that is on its way.)"""
    try:
        attempt()
    except SlipwayError as error:
        if isinstance(error, PermissionDenied) or error.code == "ForbiddenByRbac":
            return True
        raise
    return False


def looks(probe: str) -> dict[str, Look]:
    """What only a worker can look at; `probe` is a secret that the web has stored, "" when it could not."""
    return {
        "worker's identity": lambda: of_worker(outside.vault(), probe),
        "subscriptions": lambda: of_subscriptions(outside.azure()),
    }


def of_worker(vault: SecretVault, probe: str) -> Iterator[Finding]:
    """Stores, lists, reads, deletes and purges the probe, or one of its own."""
    name = probe or new_probe()
    tries: dict[str, Callable[[], object]] = {
        "store": lambda: vault.set(name, "probe"),
        "list": vault.names,
        "read": lambda: vault.get(name),
        "delete": lambda: vault.delete(name),
        "purge": lambda: _purge(vault, name),
    }
    denied: list[str] = []
    for verb, attempt in tries.items():
        if _refused(attempt):
            denied.append(verb)
        if denied == ["store"] and not probe:
            break  # there is nothing to try the rest on
    if denied:
        yield Finding.error("worker's identity", f"It may not {', '.join(denied)} secrets.", CONNECT)
    else:
        yield Finding.ok("worker's identity", "It may store, list, read, delete and purge secrets.")


def _purge(vault: SecretVault, name: str) -> None:
    """Under purge protection it stays until its days are over, and that is fine."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return vault.purge(name)
        except PermissionDenied as error:
            if "purge protection" in error.user_message:
                return None
            raise
        except NotYet as error:
            if error.code == "ForbiddenByRbac" or time.monotonic() > until:
                raise
        time.sleep(GLANCE)


def of_subscriptions(az: AzureSession) -> Iterator[Finding]:
    """Each subscription that somebody may use: can it be seen, is it enabled, may the worker do its work there?"""
    granted = sorted({each.lower() for each in SubscriptionGrant.objects.values_list("subscription_id", flat=True)})
    seen = {subscription.id.lower(): subscription for subscription in offers.list_subscriptions(az)}
    if not granted:
        yield Finding.warning(
            "subscriptions", "Nobody may use any.", "Add a subscription grant in /admin/accounts/subscriptiongrant/."
        )
    for number in granted:
        if number not in seen:
            yield Finding.error("subscriptions", f"The worker's identity cannot see {number}.", CONNECT)
            continue
        yield from _of_subscription(az, seen[number])


def _of_subscription(az: AzureSession, subscription: offers.Subscription) -> Iterator[Finding]:
    part, name = "subscriptions", subscription.name
    if subscription.state not in ("Enabled", "Warned"):
        remedy = "Its owner enables it in the Azure portal, or take its grant away."
        yield Finding.error(part, f"{name} is {subscription.state.lower()}: Azure makes nothing there.", remedy)
        return
    allowed = rights.permissions(az, subscription.id)
    lacking = [action for action in worker_rights() if not allowed.allows(action)]
    if lacking:
        yield Finding.error(part, f"In {name} the worker's identity may not: {', '.join(lacking)}.", CONNECT)
    if giving := [action for action in GIVER if not allowed.allows(action)]:
        what = f"In {name} hubs cannot have a registry of their own in Azure: the worker may not {', '.join(giving)}."
        yield Finding.warning(part, what, CONNECT)
    states = rights.provider_states(az, subscription.id, PROVIDERS)
    off = [each for each in PROVIDERS if states[each] not in ("Registered", "Registering")]
    if off:
        remedy = "The first hub there switches them on, which takes minutes; `connect_azure --apply` does it before."
        yield Finding.warning(part, f"In {name} these are not switched on yet: {', '.join(off)}.", remedy)
    if not (lacking or giving or off):
        yield Finding.ok(part, f"{name}: all rights, and all services are switched on.")
