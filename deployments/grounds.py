"""What the worker's identity may do in each subscription, and what stands against any hub there: remembered.

The web process has no right to look; the worker does it for it. Entries: `ground:<subscription>`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.policy import granted_subscriptions
from cloud.azure.rights import Permissions
from cloud.errors import PermanentError
from deployments.dispatch import send
from deployments.errors import NotAllowed
from deployments.making import anywhere
from deployments.models import CatalogueEntry
from deployments.naming import OWNER_TAG
from deployments.preflight import Denial
from deployments.preflight.azure import COMING, ON
from deployments.remembering import remember
from deployments.roles import NEEDED_PROVIDERS, REGISTRY_PROVIDER

if TYPE_CHECKING:
    from cloud.azure.session import AzureSession

#: While Azure switches a service on it is looked at again so often.
SOON = timedelta(seconds=20)
#: What every hub's resources bear; policies may ask for tags.
TAGS = {OWNER_TAG: "00000000-0000-0000-0000-000000000000", "created-by": "slipway"}


@dataclass(frozen=True)
class Ground:
    """One subscription as the worker saw it at `fetched_at`."""

    identity: str
    object_id: str
    permissions: Permissions
    providers: dict[str, str]
    denials: tuple[Denial, ...]
    fetched_at: datetime | None

    @property
    def is_missing_services(self) -> bool:
        """Whether something that every hub needs is not switched on."""
        return any(self.providers.get(name) not in (ON, COMING) for name in NEEDED_PROVIDERS)

    @property
    def is_changing(self) -> bool:
        """Whether Azure is switching something on."""
        return COMING in self.providers.values()

    @property
    def may_register(self) -> bool:
        """Whether the worker may switch on what is missing."""
        missing = [name for name in NEEDED_PROVIDERS if self.providers.get(name) not in (ON, COMING)]
        return all(self.permissions.allows(f"{name}/register/action") for name in missing)


def ground(subscription_id: str) -> Ground | None:
    """What is known of the subscription; None while nobody has looked."""
    entry = CatalogueEntry.objects.filter(key=_key(subscription_id)).exclude(fetched_at=None).first()
    if entry is None:
        return None
    data = entry.data
    return Ground(
        identity=data["identity"],
        object_id=data["object_id"],
        permissions=Permissions(tuple((tuple(allowed), tuple(excluded)) for allowed, excluded in data["roles"])),
        providers=data["providers"],
        denials=tuple(Denial(row["policy"], row["refuses"], tuple(row["regions"])) for row in data["denials"]),
        fetched_at=entry.fetched_at,
    )


def switch_on(user: User, subscription_id: str) -> None:
    """Has the worker register what hubs need, now instead of when one is built.

    Until it has looked, what was missing counts as on its way.

    :raises NotAllowed: the person may not use the subscription.
    """
    if subscription_id.lower() not in granted_subscriptions(user):
        raise NotAllowed("You may not use this subscription.", "Ask an administrator of Slipway to let you.")
    with transaction.atomic():
        entry = CatalogueEntry.objects.select_for_update().filter(key=_key(subscription_id)).first()
        if entry is not None and "providers" in entry.data:
            states = entry.data["providers"]
            coming = {name: COMING for name in NEEDED_PROVIDERS if states.get(name) != ON}
            entry.data, entry.fetched_at = {**entry.data, "providers": states | coming}, timezone.now()
            entry.save()
        send("chores", "worker.jobs.register_providers", subscription_id)


def changing() -> list[str]:
    """Subscriptions in which Azure is switching something on, and that nobody has looked at for a moment."""
    entries = CatalogueEntry.objects.filter(key__startswith="ground:", fetched_at__lt=timezone.now() - SOON)
    return [entry.key.partition(":")[2] for entry in entries if COMING in entry.data.get("providers", {}).values()]


# --- the worker's half ---------------------------------------------------------------------------------------------


def refresh(az: AzureSession, subscription_id: str, regions: Iterable[str]) -> None:
    """Looks at one subscription anew."""
    remember(_key(subscription_id), lambda: _data(az, subscription_id, tuple(regions)))


def register(az: AzureSession, subscription_id: str) -> None:
    """Switches on what hubs need and the subscription lacks; it takes Azure a minute or two."""
    from cloud.azure import rights

    for name, state in rights.provider_states(az, subscription_id, NEEDED_PROVIDERS).items():
        if state not in (ON, COMING):
            rights.register_provider(az, subscription_id, name)


def _key(subscription_id: str) -> str:
    return f"ground:{subscription_id.lower()}"


def _data(az: AzureSession, subscription_id: str, regions: tuple[str, ...]) -> dict[str, Any]:
    from cloud.azure import identity, rights

    me = identity.who(az)
    return {
        "identity": str(me),
        "object_id": me.object_id,
        "roles": [list(map(list, role)) for role in rights.permissions(az, subscription_id).roles],
        "providers": rights.provider_states(az, subscription_id, (*NEEDED_PROVIDERS, REGISTRY_PROVIDER)),
        "denials": _denials(az, subscription_id, regions),
    }


def _denials(az: AzureSession, subscription_id: str, regions: tuple[str, ...]) -> list[dict[str, Any]]:
    """Policies that refuse any hub, with the regions where they do (none: everywhere).

    Where the portal may not ask about policies nothing is said here: the run says that it could not look.
    """
    from cloud.azure import policies

    try:
        found = policies.denials(az, subscription_id, anywhere(TAGS, regions))
    except PermanentError:
        return []
    return [{"policy": each.policy, "refuses": each.what, "regions": list(each.values)} for each in found]
