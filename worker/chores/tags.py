"""Tells Azure the last day of hubs that are kept longer than it was told."""

from __future__ import annotations

import logging

from cloud.azure import groups
from cloud.errors import SlipwayError
from deployments import outside, tagging
from deployments.models import Deployment
from deployments.naming import OWNER_TAG

log = logging.getLogger(__name__)


def keep_tags() -> int:
    """Returns how many hubs' groups bear their new day now."""
    return sum(_tag(hub) for hub in tagging.stale().select_related("serving"))


def _tag(hub: Deployment) -> bool:
    """Only on a group that is ours; tags that others have added to it stay."""
    place = outside.azure(), hub.revision.spec.subscription_id, hub.names.group
    try:
        group = groups.get_group(*place)
        if group is not None and group.tags.get(OWNER_TAG) == hub.names.owner:
            groups.create_group(*place, group.region, {**group.tags, **tagging.tags(hub)})
    except SlipwayError as error:
        log.info("The last day of %s could not be told to Azure, it is tried again: %s", hub.name, error)
        return False
    tagging.note(hub.id, hub.keep_until)
    return True
