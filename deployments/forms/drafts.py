"""Ids of hubs that nobody has asked for yet: a hub's addresses hang on its id, and a form sent twice makes one hub."""

from __future__ import annotations

from uuid import UUID, uuid4

from django.core import signing

from accounts.models import User
from deployments.errors import Expired

DRAFT_SALT, DRAFT_SECONDS = "slipway.draft", 24 * 3600


def new_draft(user: User) -> str:
    """A signed id for this person's next request."""
    return signing.dumps({"hub": uuid4().hex, "user": user.pk}, salt=DRAFT_SALT)


def read_draft(user: User, draft: str) -> UUID:
    """The id in a draft that this person was given in the last 24 hours.

    :raises Expired: for any other.
    """
    try:
        content = signing.loads(draft, salt=DRAFT_SALT, max_age=DRAFT_SECONDS)
        if content["user"] != user.pk:
            raise signing.BadSignature("another person's draft")
    except signing.BadSignature as exc:
        raise Expired(
            "This form was opened more than a day ago, so its addresses are not valid any more.",
            "It has new ones now, and what you typed is still here: look it over and send it again.",
        ) from exc
    return UUID(content["hub"])
