"""The certificate that browsers meet at a hub's address: kept as it was last seen, and what is to be said of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID

from django.utils import timezone
from django.utils.formats import date_format

from deployments.models import Deployment
from deployments.states import CertificateState

if TYPE_CHECKING:
    from cloud.certificates import Certificate

#: A certificate is renewed by itself thirty days before its end: with so few left, something keeps it from that.
ENDS_SOON = timedelta(days=14)
ANEW = "Stop the hub and start it again: it then asks for a new one."
WARNINGS: dict[CertificateState, str] = {
    CertificateState.ENDING: "The certificate of {host} ends on {day} and was not renewed in time.",
    CertificateState.ENDED: "The certificate of {host} has ended: browsers tell people not to open the hub.",
    CertificateState.OTHER_NAME: "{host} shows a certificate for another name: browsers tell people not to open it.",
    CertificateState.UNTRUSTED: "{host} shows no certificate that browsers trust: they tell people not to open it.",
}


@dataclass(frozen=True)
class Shown:
    """A certificate as a hub's page tells of it; `warning` is empty while all is well."""

    state: CertificateState
    until: date | None
    issuer: str
    seen_at: datetime
    warning: str
    remedy: str


def keep(deployment_id: UUID, seen: Certificate, now: datetime) -> None:
    """Notes what was seen. Of a certificate that browsers refuse, the last good one's day and issuer are kept."""
    before = Deployment.objects.filter(id=deployment_id).values_list("certificate", flat=True).first() or {}
    until = seen.until.isoformat() if seen.until else before.get("until", "")
    kept = {"until": until, "issuer": seen.issuer or before.get("issuer", "")}
    told: dict[str, Any] = {"state": seen.state, "why": seen.why, "at": now.isoformat()}
    Deployment.objects.filter(id=deployment_id).update(certificate=told | kept)


def shown(hub: Deployment, now: datetime | None = None) -> Shown | None:
    """What is known of the hub's certificate; None where it speaks plain HTTP, or nobody has looked."""
    known, address = hub.certificate, urlsplit(hub.address)
    if address.scheme != "https" or not known:
        return None
    until = datetime.fromisoformat(known["until"]) if known["until"] else None
    state = CertificateState.of(known["state"])
    if state is CertificateState.VALID and until and until - (now or timezone.now()) < ENDS_SOON:
        state = CertificateState.ENDING
    day, seen_at = timezone.localdate(until) if until else None, datetime.fromisoformat(known["at"])
    if state not in WARNINGS:
        return Shown(state, day, known["issuer"], seen_at, "", "")
    domain = hub.revision.spec.domain
    warning = WARNINGS[state].format(host=domain or address.hostname, day=date_format(day, "j F Y") if day else "")
    remedy = f"See that the record of {domain} is as shown here. {ANEW}" if domain else ANEW
    return Shown(state, day, known["issuer"], seen_at, warning, remedy)
