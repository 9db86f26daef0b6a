"""The certificates of hubs that serve: noted as they are met, and their owners told before browsers tell people."""

from __future__ import annotations

from datetime import datetime

from cloud.certificates import Certificate
from deployments import certificates
from deployments.certificates import Shown
from deployments.events import Line, record
from deployments.letters import tell
from deployments.models import Deployment
from deployments.states import Level


def note(hub: Deployment, seen: Certificate, now: datetime) -> None:
    """Keeps what was met at the hub's address; says so where it is not, or no longer, what it should be."""
    before = certificates.shown(hub, now)
    certificates.keep(hub.id, seen, now)
    hub.refresh_from_db(fields=["certificate"])
    after = certificates.shown(hub, now)
    if after is None:
        return
    if before is None or before.state != after.state:
        _log(hub, before, after)
    if after.warning:
        kind = f"certificate-{after.state}-{after.until or ''}"
        context = {"certificate": after}
        tell(hub, kind, f"The certificate of {hub.name} needs a look", "mail/certificate.txt", context)


def _log(hub: Deployment, before: Shown | None, after: Shown) -> None:
    """One line where the hub's page shows it: in the log of what was last done to it."""
    newest = hub.operations.order_by("-created_at").first()
    if newest is None:
        return
    if after.warning:
        record(newest.id, [Line(f"{after.warning} {after.remedy}", Level.WARNING)])
    elif before is not None and before.warning:
        record(newest.id, [Line("The hub's certificate is in order again.", Level.SUCCESS)])
