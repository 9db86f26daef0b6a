"""What is put right by itself: requests that broke off while their secrets were stored, secrets nobody needs."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet
from django.utils import timezone

from cloud.errors import PermissionDenied, SlipwayError
from deployments.models import Deployment, SecretRef
from deployments.states import Lifecycle, SecretState

if TYPE_CHECKING:
    from cloud.keyvault import SecretVault

log = logging.getLogger(__name__)

OPEN = [SecretState.PENDING, SecretState.STORED]


def drop_abandoned_requests(before: datetime) -> int:
    """Removes requests whose secrets were still being stored at `before`: their web process died meanwhile."""
    broken = Deployment.objects.filter(
        lifecycle=Lifecycle.REQUESTED, created_at__lt=before, secrets__state=SecretState.PENDING
    ).distinct()
    count = broken.count()
    for deployment in broken:
        deployment.delete()
    return count


def unused_secrets() -> QuerySet[SecretRef]:
    """Secrets of requests that were rejected or never came to be, and of hubs that were forgotten."""
    ended = Q(deployment=None) | Q(deployment__lifecycle__in=[Lifecycle.REJECTED, Lifecycle.DELETED])
    return SecretRef.objects.filter(ended, state__in=OPEN)


def purge_unused_secrets(vault: SecretVault) -> int:
    """Goes one step further with each unused secret: delete, then purge; returns how many are gone now."""
    return sum(purge(vault, ref) for ref in unused_secrets())


def purge(vault: SecretVault, ref: SecretRef) -> bool:
    """Deletes, then purges one secret; True when that is final, False when another look is needed.

    A vault under purge protection keeps it: then the row says until when it can be brought back.
    """
    try:
        found = vault.state(ref.vault_name)
        if found.state == "active":
            vault.delete(ref.vault_name)
            return False
        # For a while a secret that is being deleted is in neither list: only the purge itself tells that from gone.
        vault.purge(ref.vault_name)
        if vault.state(ref.vault_name).state != "absent":
            return False
        values: dict[str, object] = {"state": SecretState.PURGED, "purged_at": timezone.now()}
    except PermissionDenied:
        values = {"state": SecretState.RECOVERABLE, "recoverable_until": found.scheduled_purge}
    except SlipwayError as error:
        log.info("Secret %s is still in the vault: %s", ref.vault_name, error)
        return False
    SecretRef.objects.filter(id=ref.id).update(**values)
    return True
