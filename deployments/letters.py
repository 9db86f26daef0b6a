"""Letters to a hub's owner by e-mail. Each is noted before it goes out, so that it goes out once."""

from __future__ import annotations

import logging
from datetime import date
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string

from deployments.models import Deployment, Notice

log = logging.getLogger(__name__)


def is_told(hub: Deployment, kind: str, keep_until: date) -> bool:
    """Whether that letter went out; one about the last day goes out anew once that day has changed."""
    return Notice.objects.filter(deployment=hub, kind=kind, keep_until=keep_until).exists()


def tell(hub: Deployment, kind: str, subject: str, template: str, context: dict[str, Any]) -> bool:
    """Sends the letter unless it went out before; False when it did, or cannot go out now.

    Noted first: a worker killed in between loses a letter and doubles none. Whoever has no address reads the page.
    """
    notice, fresh = Notice.objects.get_or_create(deployment=hub, kind=kind, keep_until=hub.keep_until)
    if not fresh:
        return False
    page = urljoin(settings.SLIPWAY_ADDRESS, hub.get_absolute_url())
    text = render_to_string(template, {**context, "hub": hub, "page": page})
    try:
        if hub.owner.email:
            send_mail(subject, text.strip() + "\n", None, [hub.owner.email])
    except OSError as error:  # SMTPException is one
        log.warning("A letter about %s could not be sent, it is tried again: %s", hub.name, error)
        notice.delete()
        return False
    return True
