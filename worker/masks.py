"""Before anything that was read inside a cluster is kept or shown, the redaction must know the hub's secrets."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from deployments import outside
from deployments.models import SecretRef
from deployments.redaction import remember
from deployments.states import SecretState

#: (name, version) of what this process has learnt.
_learnt: set[tuple[str, str]] = set()
_lock = threading.Lock()


def learn(deployment_id: UUID) -> None:
    """Has this process mask every secret of the hub: those in use, and those that a renewal has just replaced.

    :raises SlipwayError: the vault does not tell one; then nothing may be shown.
    """
    refs = SecretRef.objects.filter(deployment=deployment_id, state=SecretState.STORED)
    named = {
        (name, version)
        for name, present, former in refs.values_list("vault_name", "version", "previous_version")
        for version in (present, former)
        if version
    }
    with _lock:
        unknown = named - _learnt
    if unknown:
        with ThreadPoolExecutor(len(unknown), thread_name_prefix="masks") as pool:
            list(pool.map(lambda one: _mask(*one), unknown))
        with _lock:
            _learnt.update(unknown)


def _mask(name: str, version: str) -> None:
    value = outside.vault().get(name, version)
    for part in [value, *_parts(value)]:
        remember(part)


def _parts(value: str) -> list[str]:
    """The tokens of a hub's parts are kept together, as JSON."""
    try:
        content = json.loads(value)
    except ValueError:
        return []
    return [str(part) for part in content.values()] if isinstance(content, dict) else []
