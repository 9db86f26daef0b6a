"""What was seen of Azure, kept with its date, so that pages read it without asking Azure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils import timezone

from cloud.errors import SlipwayError
from deployments.models import CatalogueEntry


def recall(key: str) -> dict[str, Any]:
    """What is remembered under the key; empty while nobody has looked."""
    entry = CatalogueEntry.objects.filter(key=key).first()
    return entry.data if entry else {}


def recall_part(key: str, part: str) -> Any:
    """One part of what is remembered under the key: the rest, which may be large, is not even read."""
    return CatalogueEntry.objects.filter(key=key).values_list(f"data__{part}", flat=True).first()


def remember(key: str, look: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Looks and remembers; on failure the old entry stays and says why it is old."""
    entry, _ = CatalogueEntry.objects.get_or_create(key=key)
    try:
        entry.data, entry.fetched_at, entry.problem = look(), timezone.now(), ""
    except SlipwayError as error:
        entry.problem = str(error)
    entry.save()
    return dict(entry.data)
